"""What importing the Pillow plug-in registers, and what it costs."""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from support.pillow_files import FOCI, picture

import pillow_aig


def test_registering_again_changes_nothing() -> None:
    def state() -> tuple[object, ...]:
        return (
            list(Image.ID),
            Image.OPEN["AIG"],
            Image.SAVE["AIG"],
            Image.SAVE_ALL["AIG"],
            Image.DECODERS["aig"],
            dict(Image.EXTENSION),
            dict(Image.MIME),
        )

    before = state()
    pillow_aig.register_aig_opener()
    pillow_aig.register_aig_opener()
    assert state() == before
    assert Image.ID.count("AIG") == 1
    assert Image.registered_extensions()[".aig"] == "AIG"


def modules_after(code: str) -> set[str]:
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_costs_pillow_only() -> None:
    base = modules_after("import PIL.Image, PIL.ImageFile")
    extra = {name.split(".")[0] for name in modules_after("import pillow_aig") - base}
    assert extra - sys.stdlib_module_names == {"pillow_aig", "aig_autoload"}


def test_opening_needs_no_numpy(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    picture().save(path, **FOCI, xmp=b"<x/>")
    code = f"import pillow_aig; from PIL import Image\nwith Image.open({str(path)!r}) as im: "
    heavy = {"numpy", "aig_codec._native", "scipy", "sklearn"}
    assert not heavy & modules_after(code + "assert im.info['xmp'] == b'<x/>'")
    assert heavy & modules_after(code + "im.load()") == {"numpy", "aig_codec._native"}
