"""A coder of another package, by its entry point alone: no file of this package knows of it."""

import io
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import vectors
from PIL import Image

import aig_codec
from aig_codec import testing
from aig_codec.coders import registry
from aig_codec.container import DeclaredCoder, read_prologue
from aig_codec.errors import MissingCoderWarning, UnsupportedError

ELSEWHERE = Path(__file__).parent / "elsewhere"
FOCUS: dict[str, Any] = {"centers": [(40, 30)], "radii": [(15, 28)], "quality": 60}
#: Hash of the pixels of rows.aig.
FROZEN = "d9851312e37ae8afc9750162fc08820490eab4ec72113c7d7bfd758f52ad1e38"
BOTH = {"mid": "rows", "background": "rows"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package `aig-rows` is there."""
    monkeypatch.syspath_prepend(str(ELSEWHERE))
    before = dict(registry.known)
    yield
    registry.known.clear()
    registry.known.update(before)


@pytest.fixture
def file(installed: None) -> bytes:
    return aig_codec.encode(_picture(), **FOCUS, coders=BOTH)


def _picture() -> np.ndarray:
    return testing.picture(80, 120, 3)


def _as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rows", "exact-rows", "liar"):
        registry.known.pop(name, None)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(ELSEWHERE)])


@pytest.mark.usefixtures("installed")
def test_the_frozen_file_decodes_as_it_always_did() -> None:
    decoded = aig_codec.decode(ELSEWHERE / "rows.aig")
    assert vectors.hash_of(decoded) == FROZEN
    assert (ELSEWHERE / "rows.aig").read_bytes() == aig_codec.encode(
        _picture(), **FOCUS, coders=BOTH
    )


def test_a_file_declares_it(file: bytes) -> None:
    metadata = read_prologue(file).metadata
    own = {s.kind: s.coder for s in metadata.segments}
    assert own == {
        "core": "lossless",
        "preview": "dct",
        "mid": "rows",
        "background": "rows",
    }
    assert metadata.coders == (DeclaredCoder("rows", 1, "pip install aig-rows", True),)


def test_the_pixels_are_what_the_coder_makes_of_them(file: bytes) -> None:
    import aig_rows

    decoded = aig_codec.decode(file)
    with aig_codec.open(file) as aig:
        classes = aig.regions().class_map()
    original = _picture()
    assert np.array_equal(
        decoded[(classes > 0) & (classes < 5)], original[(classes > 0) & (classes < 5)]
    )
    outside = (classes == 0) | (classes >= 5)
    most = aig_rows.Rows().range_of(type("Job", (), {"quality_level": 153}))
    assert np.abs(decoded.astype(int) - original)[outside].max() <= most
    assert len(np.unique(decoded[outside], axis=0)) < len(np.unique(original[outside], axis=0))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["Rows", "ExactRows"])
def test_it_conforms(name: str) -> None:
    import aig_rows

    testing.check_coder(getattr(aig_rows, name)(), sizes=[(1, 1), (1, 40), (23, 31)])


@pytest.mark.usefixtures("installed")
def test_an_exact_one_codes_cores() -> None:
    data = aig_codec.encode(_picture(), **FOCUS, coders={"core": "exact-rows"})
    with aig_codec.open(data) as file:
        core = file.core()
        assert {s.kind: s.coder for s in file.segments}["core"] == "exact-rows"
    own = _picture()[
        core.top : core.top + len(core.mask), core.left : core.left + core.mask.shape[1]
    ]
    assert np.array_equal(core.pixels[core.mask], own[core.mask])


@pytest.mark.usefixtures("installed")
def test_what_it_makes_of_cores_is_compared_before_it_is_written() -> None:
    with pytest.raises(ValueError, match="liar does not give back the pixels of core 0"):
        aig_codec.encode(_picture(), **FOCUS, coders={"core": "liar"})
    with pytest.raises(ValueError, match="'rows' is not one for core; there are lossless"):
        aig_codec.encode(_picture(), **FOCUS, coders={"core": "rows"})


def test_pillow_and_imageio_read_it(file: bytes) -> None:
    import pillow_aig  # noqa: F401

    decoded = aig_codec.decode(file)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(file))), decoded)
    assert np.array_equal(iio.imread(file, extension=".aig"), decoded)
    image = Image.open(io.BytesIO(file))
    image.draft("RGB", (30, 20))
    assert image.size == (30, 20)
    assert np.array_equal(np.asarray(image), aig_codec.decode(file, scale=4))


@pytest.mark.usefixtures("installed")
def test_pillow_and_imageio_write_it(tmp_path: Path) -> None:
    import pillow_aig  # noqa: F401

    picture = _picture()
    Image.fromarray(picture).save(tmp_path / "a.aig", **FOCUS, coders=BOTH)
    iio.imwrite(tmp_path / "b.aig", picture, **FOCUS, coders=BOTH)
    for name in ("a.aig", "b.aig"):
        assert (tmp_path / name).read_bytes() == aig_codec.encode(picture, **FOCUS, coders=BOTH)


def test_the_command_line_does_both(tmp_path: Path) -> None:
    Image.fromarray(_picture()).save(tmp_path / "a.png")
    aig = [sys.executable, "-m", "aig_codec"]
    options = ["--coder", "mid=rows", "--coder", "background=rows", "--center", "40,30"]
    environment = {"PYTHONPATH": str(ELSEWHERE), "PATH": ""}

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*aig, *arguments], cwd=tmp_path, capture_output=True, text=True, **more
        )

    done = run("encode", "a.png", "-o", "a.aig", *options, env=environment)
    assert done.returncode == 0, done.stderr
    assert run("verify", "a.aig", env=environment).returncode == 0
    done = run("decode", "a.aig", "-o", "b.png", env=environment)
    assert done.returncode == 0, done.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingCoderWarning)
        assert not np.array_equal(
            np.asarray(Image.open(tmp_path / "b.png")), aig_codec.decode(tmp_path / "a.aig")
        )
    done = run("decode", "a.aig", "-o", "c.png", env={"PATH": ""})
    assert "pip install aig-rows" in done.stderr


def test_without_it_there_are_cores_and_a_preview(
    file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_if_it_were_not_there(monkeypatch)
    with aig_codec.open(file) as aig:
        with pytest.warns(MissingCoderWarning, match="pip install aig-rows"):
            decoded = aig.decode()
        assert [str(p) for p in aig.problems] == [
            f"coder rows version 1 is needed for the {kind}: pip install aig-rows"
            for kind in ("mid", "background")
        ]
        core = aig.core_mask()
    assert np.array_equal(decoded[core], _picture()[core])
    assert np.array_equal(decoded, aig_codec.decode(file, upto="preview"))
    # Nothing of it is needed here.
    assert aig_codec.decode(file, scale=8).shape == (10, 15, 3)


@pytest.mark.usefixtures("installed")
def test_where_it_is_no_option_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = aig_codec.encode(_picture(), **FOCUS, coders={"background": "exact-rows"})
    cores = aig_codec.encode(_picture(), **FOCUS, coders={"core": "exact-rows"})
    _as_if_it_were_not_there(monkeypatch)
    for own, kind in ((data, "background"), (cores, "core 0")):
        with pytest.raises(UnsupportedError, match=f"{kind}: pip install aig-rows"):
            aig_codec.decode(own)
    with pytest.warns(MissingCoderWarning):
        lenient = aig_codec.decode(data, strict=False)
    assert np.array_equal(lenient, aig_codec.decode(data, upto="mid"))


@pytest.mark.usefixtures("installed")
def test_names_are_checked() -> None:
    for coders, message in (
        ({"background": "nobody"}, "'nobody' is not one for background; there are dct, "),
        ({"exif": "raw"}, "mid, background, core"),
        ("rows", "names by kind"),
    ):
        with pytest.raises(ValueError, match=message):
            aig_codec.encode(_picture(), coders=coders)
    with pytest.raises(ValueError, match="mid or coders"):
        aig_codec.encode(_picture(), mid="dct", coders={"mid": "rows"})
    with pytest.raises(ValueError, match="does not take samples of 16 bits"):
        aig_codec.encode(_picture().astype(np.uint16), coders={"core": "exact-rows"})
