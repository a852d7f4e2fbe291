"""Programs that never heard of AIG open it, where somebody has asked for that."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aig_codec
from aig_codec.apps import autoload


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder like site-packages, with autoload enabled."""
    folder = tmp_path / "site"
    folder.mkdir()
    assert autoload.enable(folder).parent == folder
    return folder


def run(site: Path, code: str, **environment: str) -> str:
    """What a program prints that starts with these packages."""
    start = f"import site; site.addsitedir({str(site)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.aig"
    path.write_bytes(aig_codec.encode(np.zeros((6, 5, 3), np.uint8)))
    return path


def test_pillow_opens_what_it_never_heard_of(site: Path, file: Path) -> None:
    code = f"from PIL import Image\nprint(Image.open({str(file)!r}).size)"
    assert run(site, code) == "(5, 6)"


def test_imageio_too(site: Path, file: Path) -> None:
    code = f"import imageio.v3 as iio\nprint(iio.imread({str(file)!r}, plugin='AIG').shape)"
    assert run(site, code) == "(6, 5, 3)"


def test_mimetypes_too(site: Path) -> None:
    code = "import mimetypes\nprint(mimetypes.guess_type('a.aig')[0])"
    assert run(site, code) == "image/x-aig"
    assert run(site, code, AIG_AUTOLOAD="0") == "None"


def test_workers_that_start_afresh(site: Path, file: Path) -> None:
    """A spawned process runs the .pth file as every other does."""
    (site / "job.py").write_text(
        "def size(path):\n    from PIL import Image\n    return Image.open(path).size\n"
    )
    code = (
        "import multiprocessing, sys, job\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        f"    with context.Pool(1) as pool: print(pool.apply(job.size, ({str(file)!r},)))"
    )
    # A spawned interpreter has no -c: the folder must be one of its own.
    (site / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(site)!r})\n")
    assert run(site, code, PYTHONPATH=str(site)) == "(5, 6)"


def test_who_does_not_want_pictures_pays_nothing(site: Path) -> None:
    code = "import sys; print(*sys.modules)"
    names = set(run(site, code).split())
    assert autoload.disable(site)
    more = names - set(run(site, code).split())
    # Installed for development, a package is found in ways of its own.
    assert "aig_autoload" in more
    assert not {"aig_codec", "pillow_aig", "PIL", "numpy", "imageio", "typing", "re"} & more


def test_the_import_leaves_no_trace(site: Path) -> None:
    code = "import PIL.Image\nprint(type(PIL.Image.__loader__).__name__, PIL.Image.__spec__.origin)"
    loader, origin = run(site, code).split()
    assert loader == "SourceFileLoader"
    assert origin.endswith("Image.py")


def test_it_can_be_switched_off(site: Path, file: Path) -> None:
    code = (
        "from PIL import Image\n"
        f"try: Image.open({str(file)!r})\n"
        "except Image.UnidentifiedImageError: print('unknown')"
    )
    assert run(site, code, AIG_AUTOLOAD="0") == "unknown"
    assert autoload.disable(site)
    assert not autoload.disable(site)
    assert not autoload.is_enabled(site)
    assert run(site, code) == "unknown"


def test_what_is_broken_breaks_nothing_else(site: Path) -> None:
    """Of a package that is gone or does not work, a start-up says nothing."""
    broken = site / "broken"
    (broken / "pillow_aig").mkdir(parents=True)
    (broken / "pillow_aig" / "__init__.py").write_text("raise RuntimeError('broken')")
    code = "import PIL.Image; print('fine')"
    assert run(site, code, PYTHONPATH=str(broken)) == "fine"
    (broken / "aig_autoload.py").write_text("raise RuntimeError('broken')")
    assert run(site, code, PYTHONPATH=str(broken)) == "fine"


def test_importing_first_and_installing_later(file: Path) -> None:
    code = (
        "import PIL.Image, aig_codec.apps.autoload as a\n"
        "a.install(); a.install()\n"
        f"print(PIL.Image.open({str(file)!r}).size)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(5, 6)"
