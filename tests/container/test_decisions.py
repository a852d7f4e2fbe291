"""What an encoder chose, in the file and in words."""

import io
import json
import zlib

import pytest
from support.pictures import letters, photograph

import aig_codec
from aig_codec.cli import main
from aig_codec.container import decisions

FOCUS = {"centers": [(160, 120)], "radii": [(30, 40)]}


def test_round_trip() -> None:
    some = (
        decisions.Decision("a", "b", "c"),
        decisions.Decision("é", "x", "y", (decisions.Candidate("x", 1.25, 3, None),)),
    )
    assert decisions.unpack(decisions.pack(some)) == some


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing",
        zlib.compress(b"{}x"),
        zlib.compress(b"[[1, 2, 3, []]]"),
        zlib.compress(b'[["a", "b", "c"]]'),
        zlib.compress(b'[["a", "b", "c", [["x", "y"]]]]'),
        zlib.compress(b'[["a", "b", "c", [["x", 1, 2, 3, 4]]]]'),
        zlib.compress(b"[" * 100_000),
        zlib.compress(bytes(1 << 21)),
        decisions.pack([decisions.Decision("a", "b", "c")])[:-5],
    ],
)
def test_a_strangers_decisions_are_checked(data: bytes) -> None:
    with pytest.raises(aig_codec.CorruptError, match="decisions"):
        decisions.unpack(data)


def test_told_if_something_was_left_to_the_encoder() -> None:
    picture = photograph()
    with aig_codec.open(aig_codec.encode(picture, explain=True)) as file:
        assert [d.what for d in file.decisions][:2] == ["centers", "radii of focus 0"]
        whole, told = file.bytes_for("full"), file.bytes_for("decisions")
    # Where nobody asked, in no more than a small part of the file.
    assert told > whole / 50
    with aig_codec.open(aig_codec.encode(picture)) as file:
        assert file.decisions == ()
    with aig_codec.open(aig_codec.encode(photograph(480, 640), quality=95)) as file:
        assert [d.what for d in file.decisions][:2] == ["centers", "radii of focus 0"]
        assert file.bytes_for("decisions") < file.bytes_for("full") / 50
    for keywords in (FOCUS, {"explain": False}, {"lossless": True}):
        with aig_codec.open(aig_codec.encode(picture, **keywords)) as file:
            assert file.decisions == ()
    with aig_codec.open(aig_codec.encode(letters(), explain=True, lossless=False, **FOCUS)) as file:
        (mid,) = file.decisions
        assert mid.what == "mid tier"
        assert "drawn" in mid.chosen


def test_the_chosen_radii_have_the_least_j() -> None:
    told = aig_codec.explain(photograph(), centers=[(160, 120)])
    radii = told[0]
    assert radii.what == "radii of focus 0"
    assert len(radii.candidates) >= 3
    best = min(radii.candidates, key=lambda c: c.j)
    assert best.name == radii.chosen


def test_through_pillow_and_imageio() -> None:
    import imageio.v3 as iio
    from PIL import Image

    import imageio_aig  # noqa: F401
    import pillow_aig  # noqa: F401

    stream = io.BytesIO()
    Image.fromarray(photograph()).save(stream, "AIG", explain=True)
    with Image.open(io.BytesIO(stream.getvalue())) as image:
        image.load()
        told = image.info["aig"]["decisions"]
    assert told[0]["what"] == "centers"
    assert told == iio.immeta(stream.getvalue(), extension=".aig")["aig"]["decisions"]


def test_damage_to_it_hurts_no_pixel() -> None:
    data = aig_codec.encode(photograph(), explain=True)
    with aig_codec.open(data) as file:
        segment = next(s for s in file.segments if s.kind == "decisions")
        start = file.data_start + segment.offset
    broken = data[:start] + b"\0" + data[start + 1 :]
    assert (aig_codec.decode(broken) == aig_codec.decode(data)).all()
    with aig_codec.open(broken) as file, pytest.raises(aig_codec.CorruptError):
        _ = file.decisions


# On the command line


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    Image.fromarray(photograph()).save(tmp_path / "photo.png")
    return tmp_path


def test_why_of_a_file_and_of_a_picture(folder, capsys) -> None:
    photo, coded = str(folder / "photo.png"), str(folder / "photo.aig")
    assert main(["info", "--why", photo]) == 0
    of_picture = capsys.readouterr().out
    assert "centers: (" in of_picture
    assert "* core" in of_picture
    assert main(["encode", photo, "--explain"]) == 0
    capsys.readouterr()
    assert main(["info", "--why", coded]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == of_picture.splitlines()[1:]
    assert main(["info", "--why", "--json", coded]) == 0
    assert json.loads(capsys.readouterr().out)[coded][0]["what"] == "centers"
    assert main(["encode", photo, "-o", coded, "--force", "--no-explain"]) == 0
    capsys.readouterr()
    assert main(["info", "--why", coded]) == 0
    assert "tells no reasons" in capsys.readouterr().out


def test_the_plot(folder, capsys) -> None:
    pytest.importorskip("matplotlib")
    from PIL import Image

    photo, plot = str(folder / "photo.png"), str(folder / "radii.png")
    assert main(["info", "--why", photo, "--plot", plot]) == 0
    with Image.open(plot) as image:
        assert image.width > 400
    assert main(["info", "--why", photo, "--plot", plot]) == 1  # it is there already
    assert main(["info", photo, "--plot", plot]) == 2
    assert "--why" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        (["--target-size", "9k"], {"target_size": 9000}),
        (["--target-psnr", "36"], {"target_psnr": 36}),
        (["--box", "10,20,60,70"], {"boxes": [(10, 20, 60, 70)]}),
    ],
)
def test_options_are_keywords(folder, options: list, keywords: dict) -> None:
    coded = folder / "out.aig"
    assert main(["encode", str(folder / "photo.png"), "-o", str(coded), *options]) == 0
    assert coded.read_bytes() == aig_codec.encode(photograph(), **keywords)


@pytest.mark.parametrize("size", ["0", "k", "-3k", "big"])
def test_sizes_that_are_none(folder, size: str) -> None:
    assert main(["encode", str(folder / "photo.png"), f"--target-size={size}"]) == 2


def test_a_mask_on_the_command_line(folder) -> None:
    from PIL import Image
    from support.pictures import wobbly

    mask = wobbly(256, 320, 60)
    Image.fromarray(mask).save(folder / "mask.png")
    coded = folder / "out.aig"
    arguments = ["encode", str(folder / "photo.png"), "-o", str(coded)]
    assert main([*arguments, "--mask", str(folder / "mask.png"), "--label", "blob"]) == 0
    with aig_codec.open(coded) as file:
        assert (file.core_mask() == mask).all()
        assert file.info()["labels"] == [{"name": "blob"}]
