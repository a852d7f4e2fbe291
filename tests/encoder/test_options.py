"""Options: declared once, typed, refused by name where there is none, and explained in words."""

import inspect
import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image
from support import ROOT
from support.pillow_files import FOCI, picture, saved

import aig_codec
from aig_codec.container import Label
from aig_codec.container.header import MAX_SIGMA, MIN_SIGMA
from aig_codec.container.metadata import MAX_RADIUS
from aig_codec.encoder import options, sequence, settings
from aig_codec.encoder.options import OPTIONS

PIXELS = np.asarray(picture())
ONE: dict[str, Any] = {"centers": [(30, 20)], "radii": [(5, 8)]}


# One declaration


def test_what_is_declared_is_what_there_is() -> None:
    parsed = set(inspect.signature(settings._parse).parameters) - {"width", "height"}
    assert parsed == settings.KEYWORDS
    own = set(inspect.signature(aig_codec.encode, follow_wrapped=False).parameters) - {"pixels"}
    assert own == set(OPTIONS) == set(aig_codec.EncodeOptions.__annotations__)
    assert set(aig_codec.SequenceOptions.__annotations__) == set(OPTIONS)
    assert set(options.CodingOptions.__annotations__) == settings.KEYWORDS
    assert set(options._Places.__annotations__) == set(sequence.PER_FRAME)


def test_choices_defaults_and_ranges_are_the_codec_s() -> None:
    assert OPTIONS["preset"].choices == tuple(settings.PRESETS)
    wanted = settings.parse(60, 40, {})
    for name, option in OPTIONS.items():
        if option.choices and option.default is not None:
            assert getattr(wanted, name) == option.default
            assert option.default in option.choices
    assert wanted.effort == OPTIONS["effort"].default
    assert wanted.lambda_rd == OPTIONS["lambda_rd"].default
    assert wanted.quality_level == settings.level_from_quality(OPTIONS["quality"].default)
    for name in ("quality", "quality_level", "target_psnr", "lambda_rd", "boundary_tau", "effort"):
        option = OPTIONS[name]
        for value in (option.low, option.high):
            settings.parse(60, 40, {name: value})
        for value in (option.low - 1, option.high + 1, np.nan, np.inf):
            with pytest.raises(ValueError, match=name):
                settings.parse(60, 40, {name: value})


def test_ranges_are_those_of_files() -> None:
    assert (OPTIONS["sigmas"].low, OPTIONS["sigmas"].high) == (MIN_SIGMA, MAX_SIGMA)
    assert OPTIONS["radii"].high == MAX_RADIUS


def test_every_option_is_explained_everywhere() -> None:
    # `python -c "from aig_codec.encoder import options; print(options.table())"`
    assert options.table() in (ROOT / "docs" / "options.md").read_text()
    for function in (aig_codec.encode, aig_codec.explain, aig_codec.encode_sequence):
        document = inspect.getdoc(function) or ""
        for name in OPTIONS:
            assert re.search(rf"^{name}: ", document, re.MULTILINE), name
    for option in OPTIONS.values():
        assert not option.help.endswith("."), option.name


def test_the_command_line_has_the_same_choices_and_sentences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from aig_codec import cli

    assert cli.main(["encode", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    of_flags = {"centers": "center", "radii": "radius", "boxes": "box", "labels": "label"}
    of_flags |= {"sigmas": "sigma", "alphas": "alpha", "coders": "coder"}
    for name in settings.KEYWORDS - {"Sigmas"}:
        assert f"--{of_flags.get(name, name).replace('_', '-')}" in shown, name
    for name, option in OPTIONS.items():
        if name in settings.KEYWORDS and name not in {*of_flags, "mask", "Sigmas"}:
            sentence = " ".join(option.help.replace("`", "").split())
            assert sentence.replace(" ", "") in shown.replace(" ", ""), name


def test_none_is_as_good_as_left_out() -> None:
    everything = dict.fromkeys(OPTIONS)
    assert aig_codec.encode(PIXELS, **everything) == aig_codec.encode(PIXELS)
    assert saved(picture(), **everything) == saved(picture())


def test_numbers_of_any_kind() -> None:
    wanted = aig_codec.encode(PIXELS, quality=50, effort=3, **ONE)
    for half in (np.float32(50), np.uint8(50), np.array(50), Fraction(100, 2), Decimal(50)):
        assert aig_codec.encode(PIXELS, quality=half, effort=np.int64(3), **ONE) == wanted


# Names


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        *[(name, "centers") for name in ("center", "centre", "centres", "Centers", "focus")],
        *[("qualtiy", "quality"), ("Quality", "quality"), ("radius", "radii"), ("box", "boxes")],
        *[("bbox", "boxes"), ("label", "labels"), ("sigma", "sigmas"), ("alpha", "alphas")],
        *[("masks", "mask"), ("loseless", "lossless"), ("thread", "threads"), ("efort", "effort")],
        *[("target_sz", "target_size"), ("psnr", "target_psnr"), ("comments", "comment")],
        *[("lambda", "lambda_rd"), ("icc", "icc_profile"), ("subsample", "subsampling")],
    ],
)
def test_typing_errors(given: str, meant: str) -> None:
    says = rf"did you mean '?{meant}'?\?"
    for function in (aig_codec.encode, aig_codec.explain):
        with pytest.raises(TypeError, match=rf"has no keyword {given}: {says}"):
            function(PIXELS, **{given: 1})
    with pytest.raises(TypeError, match=rf"encode_sequence\(\) has no keyword {given}: {says}"):
        aig_codec.encode_sequence(iter([PIXELS]), **{given: 1})
    with pytest.warns(UserWarning, match=says) as caught:
        data = saved(picture(), **FOCI, **{given: 1})
    assert [w.filename for w in caught] == [inspect.getfile(saved)]  # where save was called
    assert data == saved(picture(), **FOCI)


def test_typing_errors_of_several_frames() -> None:
    with pytest.raises(TypeError, match=r"no keyword durations: did you mean duration\?"):
        aig_codec.encode_sequence([PIXELS], durations=3)
    for save_all in (False, True):
        with pytest.warns(UserWarning, match="mean 'append_images'"):
            saved(picture(), **FOCI, save_all=save_all, append_image=[picture()])


def test_typing_errors_of_appended_images() -> None:
    other = picture()
    if not hasattr(other, "_attach_default_encoderinfo"):
        pytest.skip("this Pillow gives appended images no options")
    other.encoderinfo = {"centre": [(1, 1)]}
    with pytest.warns(UserWarning, match="mean 'centers'") as caught:
        saved(picture(), **FOCI, save_all=True, append_images=[other])
    assert [w.filename for w in caught] == [inspect.getfile(saved)]


def test_typing_errors_through_imageio() -> None:
    iio = pytest.importorskip("imageio.v3")
    import imageio_aig  # noqa: F401

    with pytest.raises(TypeError, match=r"no keyword centre: did you mean centers\?"):
        iio.imwrite("<bytes>", PIXELS, extension=".aig", centre=[(1, 1)])


def test_what_resembles_nothing_is_refused_without_a_guess() -> None:
    with pytest.raises(TypeError, match=r"no keyword gamma, hue\Z"):
        aig_codec.encode(PIXELS, hue=1, gamma=2)


def _options_of_pillow() -> set[str]:
    """What the formats of the installed Pillow look up in `encoderinfo`."""
    found: set[str] = set()
    for path in Path(PIL.__file__).parent.glob("*ImagePlugin.py"):
        source = path.read_text()
        found |= set(re.findall(r'encoderinfo(?:\.get\(|\.pop\(|\[)\s*"(\w+)"', source))
        saving = source[source.find("\ndef _save") :] if "\ndef _save" in source else ""
        found |= set(re.findall(r'\binfo(?:\.get\(|\.pop\(|\[)\s*"(\w+)"', saving))
    return found


def test_options_of_other_formats_pass_in_silence() -> None:
    theirs = _options_of_pillow() - OPTIONS.keys()
    assert {"optimize", "progressive", "keep_rgb", "method", "compress_level"} <= theirs
    theirs |= {"chroma", "decoding_speed", "num_threads", "lossless_jpeg", "qmin", "save_nclx"}
    theirs -= {"append_images", "bbox"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = saved(picture(), **FOCI, subsampling=2, **dict.fromkeys(theirs, 1))
    assert data == saved(picture(), **FOCI, subsampling="4:2:0")


# Types

ALLOWED = """
import numpy as np
from PIL import Image
import aig_codec
from aig_codec import EncodeOptions, SequenceOptions, encode, encode_sequence, explain
from aig_codec.container import Label
from typing import Unpack

a = np.zeros((40, 60, 3), np.uint8)
encode(a, centers=[(1, 2), (3.5, np.float32(4))], radii=[(5, 8), 4], sigmas=[2, (1, 2)], alphas=1)
encode(a, centers=np.zeros((2, 2)), radii=np.zeros((2, 2)), sigmas=[np.eye(2), 1.0], alphas=[0, 1])
encode(a, centers="auto", quality=75.5, effort=np.int64(3), lossless=None, threads=None)
encode(a, centers=lambda image: [(1, 2)], mid="dct", entropy="rans", tune="visual")
encode(a, mask=a[..., 0] > 3, labels=["face", None, {"name": "dog", "score": 0.5}, Label("x")])
encode(a, mask=Image.new("L", (60, 40)), labels=["a", "b"], subsampling="4:4:4", preset="medical")
encode(a, boxes=[(1, 2, 30, 40)], target_size=30_000, labels=("a",))
encode(a, exif=b"x", xmp=memoryview(b"x"), dpi=(300, 300.5), text={"a": "b"}, comment="c")
explain(a, centers=[(1, 2)], exif=bytearray(b"x"))
encode_sequence([a, a], duration=40, loop=0, centers=[[(1, 2)], "auto"], mask=None, comment="x")
encode_sequence((a for _ in range(2)), duration=[40, 50], centers=[(1, 2)], labels=[["a"], None])

def archive(path: str, **options: Unpack[EncodeOptions]) -> bytes:
    return encode(a, **options)

def film(**options: Unpack[SequenceOptions]) -> bytes:
    return encode_sequence([a], **options)

archive("x", quality=3, centers=[(1, 2)])
"""

REFUSED = """
encode(a, center=[(1, 2)])
encode(a, qualtiy=3)
encode(a, quality="x")
encode(a, quality="80")
encode(a, centers=(412, 230))
encode(a, centers="middle")
encode(a, centers=[("a", "b")])
encode(a, boxes=(10, 20, 110, 120))
encode(a, radii=50)
encode(a, labels="face")
encode(a, target_size="30k")
encode(a, target_size=30.5)
encode(a, lossless="no")
encode(a, mid="fog")
encode(a, preset="portrait")
encode(a, effort="high")
encode(a, mask="mask.png")
encode(a, dpi=300)
encode(a, exif="x")
encode(a, text={"a": 1})
explain(a, centre=[(1, 2)])
explain(a, quality="x")
encode_sequence([a], center=[(1, 2)])
encode_sequence([a], quality="x")
encode_sequence([a], duration="x")
archive("x", center=[(1, 2)])
archive("x", quality="x")
"""


def test_type_checkers_refuse_what_is_no_option(tmp_path: Path) -> None:
    source = tmp_path / "options.py"
    source.write_text(ALLOWED + REFUSED)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(source)],
        cwd=ROOT,
        env=dict(os.environ, MYPYPATH="core", NO_COLOR="1"),
        capture_output=True,
        text=True,
    )
    lines = (ALLOWED + REFUSED).splitlines()
    found = {int(n) for n in re.findall(r"options\.py:(\d+): error", done.stdout)}
    wanted = {k for k, line in enumerate(lines, 1) if line in REFUSED.splitlines() and line}
    said = done.stdout + done.stderr
    assert not found - wanted, said
    assert wanted == found, [lines[k - 1] for k in wanted - found]


# Values


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"centers": (412, 230)}, r"centers=\(412, 230\) is one .*write centers=\[\(412, 230\)\]"),
        ({"centers": np.array([5, 6])}, r"write centers=\[\(5, 6\)\]"),
        ({"centers": (1, 2, 3)}, r"list of \(x, y\), not of 3 numbers"),
        ({"centers": "middle"}, "list of .* or 'auto', not 'middle'"),
        ({"centers": [("1", "2")]}, r"center \('1', '2'\) is not a pair"),
        ({"boxes": (10, 20, 50, 35)}, r"write boxes=\[\(10, 20, 50, 35\)\]"),
        ({"boxes": "face"}, r"list of \(left, top, right, bottom\) is needed, not 'face'"),
        ({"boxes": [(30, 20, 10, 10)]}, r"\(30, 20, 10, 10\) holds no pixel.*not sizes"),
        ({**ONE, "radii": 50}, r"radii=50 .*write radii=\[50\]"),
        ({"centers": [(1, 1), (9, 9)], "radii": 50}, r"write radii=\[50, 50\]"),
        ({**ONE, "radii": (5, 8)}, r"2 entries for 1 centers.*write radii=\[\(5, 8\)\]"),
        ({"radii": 50}, r"write radii=\[50\]; and centers"),
        ({**ONE, "labels": "face"}, r"labels='face' .*write labels=\['face'\]"),
        ({**ONE, "labels": {"name": "a"}}, r"write labels=\[\{'name': 'a'\}\]"),
        ({**ONE, "labels": Label("a")}, r"write labels=\[Label\(name='a'"),
        ({"target_size": "30k"}, "not '30k': write target_size=30000"),
        ({"target_size": "1.5MB"}, "write target_size=1500000"),
        ({"target_size": "large"}, r"not 'large'\Z"),
        ({"quality": "80"}, "not '80': write quality=80"),
        ({"quality": 10**400}, "number from 0 to 100"),
        ({"effort": True}, "whole number from 1 to 9, not True"),
        ({"lossless": "no"}, "lossless must be True, False or None, not 'no'"),
        ({"explain": "yes"}, "explain must be True, False or None"),
        ({"mid": "pallete"}, "one of auto, palette.* did you mean 'palette'"),
        ({"entropy": "x" * 1000}, r"entropy 'x+ \.\.\. is not known"),
        ({"dpi": 300}, r"write dpi=\(300, 300\)"),
        ({"text": 5}, "text must be strings by keyword, a mapping, not 5"),
        ({"mask": "mask.png"}, r"write mask=Image.open\('mask.png'\)"),
        ({"mask": np.zeros(PIXELS.shape[:2], float)}, "write mask=mask > 0.5"),
        ({"mask": PIXELS[:, :, :3]}, r"write mask=mask.any\(2\)"),
        ({"mask": PIXELS[:, :, 0].T}, r"write mask=mask.T"),
    ],
    ids=str,
)
def test_values_say_what_to_write_instead(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        aig_codec.encode(PIXELS, **given)
    assert len(str(caught.value)) < 300
    with pytest.raises(ValueError, match=says):
        saved(picture(), **given)


ODD: tuple[Any, ...] = (
    *(float("nan"), float("inf"), -1, 2**70, 10**400, 1j, "1", b"1", True, object(), print),
    *([], (), {}, [None], [[]], range(2), [[float("nan"), 1]], [1j, 2], ..., np.array(None)),
    *(np.array(1j), np.zeros((2, 2, 2)), np.datetime64("2020"), [float("inf")], {1: 2}),
)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_odd_values_are_bad_values(name: str) -> None:
    """Whatever is given, it is stored or refused by one of two kinds of error."""
    beside = ONE if name in ("sigmas", "Sigmas", "alphas", "labels") else {}
    for value in ODD:
        if name == "centers" and callable(value):
            continue  # what a function raises passes
        try:
            data = aig_codec.encode(PIXELS[:24, :40], **{**beside, name: value})
        except (ValueError, TypeError):
            continue
        with aig_codec.open(data) as file:
            file.verify()


@pytest.mark.parametrize(
    ("label", "mapping"),
    [
        (Label("a" * 5000), {"name": "a" * 5000}),
        (Label(None, -5), {"class": -5}),
        (Label(None, 2**31), {"class": 2**31}),
        (Label(None, 1.5), {"class": 1.5}),
        (Label(None, True), {"class": True}),
        (Label(None, None, float("nan")), {"score": float("nan")}),
        (Label(None, None, 1e300), {"score": 1e300}),
        (Label(b"x"), {"name": b"x"}),
        (Label(5), {"name": 5}),
        (Label("\ud800"), {"name": "\ud800"}),
    ],
    ids=repr,
)
def test_labels_are_checked_like_their_mappings(label: Any, mapping: dict[str, Any]) -> None:
    said = []
    for one in (label, mapping):
        with pytest.raises(ValueError, match="label") as caught:
            aig_codec.encode(PIXELS, **ONE, labels=[one])
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_labels_that_can_be_stored() -> None:
    for label in (Label(), Label("\0"), Label("\U0010ffff", np.int64(3), np.float32(0.5))):
        with aig_codec.open(aig_codec.encode(PIXELS, **ONE, labels=[label])) as file:
            assert file.metadata.labels == (label,)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"comment": "a\ud800"}, r"comment .*U\+D800 at 1"),
        ({"text": {"Author": "\udcff"}}, r"text 'Author' .*U\+DCFF at 0"),
        ({"text": {"\udfff": "x"}}, r"a keyword of text .*U\+DFFF"),
        ({**ONE, "labels": ["x\udc00"]}, r"name of a label .*U\+DC00 at 1"),
        ({**ONE, "labels": [{"name": "\udc00"}]}, r"name of a label .*U\+DC00"),
    ],
    ids=ascii,
)
def test_texts_that_files_cannot_hold(given: dict[str, Any], where: str) -> None:
    save: Callable[..., bytes]
    for save, image in ((aig_codec.encode, PIXELS), (saved, picture())):
        with pytest.raises(ValueError, match=where) as caught:
            save(image, **given)
        assert type(caught.value) is ValueError
        str(caught.value).encode()


# Masks with accidental values


def blob(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - width / 2, y - height / 2) < min(height, width) / 3


def test_masks_saved_as_jpeg() -> None:
    height, width = PIXELS.shape[:2]
    sharp = np.where(blob(height, width), 255, 0).astype(np.uint8)
    rng = np.random.default_rng(0)
    noisy = sharp.astype(int)
    where = rng.random(sharp.shape) < 0.05
    noisy[where] = np.abs(noisy[where] - rng.integers(0, 3, where.sum()))
    assert len(np.unique(noisy)) == 6
    with pytest.raises(ValueError, match=r"values 1, 2, 253, 254, 255,.*mask\) >= 128"):
        aig_codec.encode(PIXELS, mask=noisy.astype(np.uint8))
    # As the message says.
    mended = aig_codec.encode(PIXELS, mask=noisy >= 128)
    assert mended == aig_codec.encode(PIXELS, mask=sharp)


@pytest.mark.parametrize("quality", [75, 85, 90, 92, 95])
@pytest.mark.parametrize("shape", ["boxes", "circle"])
def test_masks_from_a_real_jpeg(quality: int, shape: str) -> None:
    height, width = 64, 96
    sharp = Image.fromarray(np.where(blob(height, width), 255, 0).astype(np.uint8))
    if shape == "boxes":
        sharp.paste(0, (0, 0, width, height))
        sharp.paste(255, (16, 16, 48, 40))
        sharp.paste(255, (70, 16, 80, 48))
    stream = io.BytesIO()
    sharp.save(stream, "JPEG", quality=quality)
    pixels = np.zeros((height, width), np.uint8)
    with Image.open(stream) as image:
        values = np.unique(np.asarray(image))
        if len(values) > 33:
            aig_codec.encode(pixels, mask=image)  # shades, of which none is an object
            return
        assert len(values) > 2
        with pytest.raises(ValueError, match="after JPEG"):
            aig_codec.encode(pixels, mask=image)
        wanted = np.asarray(sharp) > 0
        data = aig_codec.encode(pixels, mask=np.asarray(image) >= 128, lossless=False)
        with aig_codec.open(data) as file:
            found = file.core_mask()
    # All that is left of JPEG is at the rim.
    assert np.mean(found != wanted) < 0.01


@pytest.mark.parametrize(
    "values",
    [[1], [255], [1, 2, 3], [7, 200], [1, 255], [100, 255], [64, 128, 255], [1, 2, 100, 254, 255]],
)
def test_numbers_of_objects_stay_numbers(values: list[int]) -> None:
    mask = np.zeros(PIXELS.shape[:2], np.uint8)
    for k, value in enumerate(values):
        mask[:, 3 * k : 3 * k + 2] = value
    if 1 not in values:
        mask[20:40, 40:60] = values[-1]
    with aig_codec.open(aig_codec.encode(PIXELS, mask=mask)) as file:
        assert len(file.centers) == (2 if len(values) == 1 and 1 not in values else len(values[:3]))


def test_classes_with_a_border_are_no_shades() -> None:
    """As in PASCAL VOC, where 255 surrounds the classes."""
    mask = np.zeros(PIXELS.shape[:2], np.uint8)
    mask[2:20, 2:20], mask[2:20, 22:40] = 1, 2
    mask[1, 1:41] = 255
    with aig_codec.open(aig_codec.encode(PIXELS, mask=mask)) as file:
        assert len(file.centers) == 3
