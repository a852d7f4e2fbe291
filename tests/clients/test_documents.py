"""PDF libraries take AIG pictures as they take any that Pillow opens."""

import re
from pathlib import Path

import pytest
from support import pictures

import aig_codec
import pillow_aig  # noqa: F401 - registers AIG with Pillow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "photo.aig"
    target.write_bytes(aig_codec.encode(pictures.grainy(60, 80, 3, 1)))
    return target


def test_reportlab(path: Path, tmp_path: Path) -> None:
    canvas = pytest.importorskip("reportlab.pdfgen.canvas")
    page = canvas.Canvas(str(tmp_path / "page.pdf"), pageCompression=0)
    page.drawImage(str(path), 72, 72)
    page.showPage()
    page.save()
    pdf = (tmp_path / "page.pdf").read_bytes()
    assert re.search(rb"/Height 60\b", pdf)
    assert re.search(rb"/Width 80\b", pdf)


def test_fpdf2(path: Path, tmp_path: Path) -> None:
    fpdf = pytest.importorskip("fpdf")
    document = fpdf.FPDF()
    document.add_page()
    document.image(path, w=50)
    pdf = bytes(document.output())
    assert re.search(rb"/Height 60\b", pdf)
    assert re.search(rb"/Width 80\b", pdf)
