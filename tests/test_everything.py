"""All keywords together: whatever `encode` returns can be opened, and its cores are exact.

`python tests/test_everything.py 10` goes on for ten minutes, with other pictures and keywords each
time.
"""

import sys
import time
from typing import Any

import numpy as np
import vectors
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

import aig_codec
from aig_codec.container import Label
from aig_codec.encoder.settings import KEYWORDS

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

#: What is drawn below, and by which part.
OF_PLACES = {"centers", "sigmas", "Sigmas", "alphas", "radii", "mask", "boxes", "labels"}
OF_RATES = {"quality", "quality_level", "target_size", "target_psnr", "lossless"}
CODING: dict[str, st.SearchStrategy[Any]] = {
    "mid": st.sampled_from(["auto", "palette", "dct", "none"]),
    "coders": st.sampled_from(
        [{"mid": "palette"}, {"mid": "lossless", "background": "dct"}, {"core": "lossless"}]
    ),
    "palette_space": st.sampled_from(["oklab", "hsv"]),
    "entropy": st.sampled_from(["auto", "adaptive", "rans", "golomb", "snappy"]),
    "tune": st.sampled_from(["psnr", "visual"]),
    "subsampling": st.sampled_from(["auto", "4:2:0", "4:4:4"]),
    "boundary_tau": st.floats(0, 255),
    "lambda_rd": st.floats(0, 1),
    "preset": st.sampled_from(["photo", "document", "dataset", "tracking", "medical"]),
}
ANY_BITS: dict[str, st.SearchStrategy[Any]] = {
    "effort": st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8]),
    "explain": st.booleans(),
    "threads": st.integers(1, 3),
}
BESIDE: dict[str, st.SearchStrategy[Any]] = {
    "exif": st.binary(max_size=40),
    "icc_profile": st.binary(max_size=40),
    "xmp": st.binary(max_size=40),
    "dpi": st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)),
    "text": st.dictionaries(texts, texts, max_size=3),
    "comment": texts,
}


def test_every_keyword_is_drawn() -> None:
    assert OF_PLACES | OF_RATES | set(CODING) | set(ANY_BITS) == KEYWORDS


@st.composite
def pictures(draw: st.DrawFn, bits: int | None = None) -> np.ndarray:
    """uint8 or uint16 (H, W[, C]), most of them small, some of them thin."""
    height, width = draw(
        st.one_of(
            st.tuples(st.integers(1, 70), st.integers(1, 70)),
            st.sampled_from([(1, 700), (700, 1), (2, 400), (300, 3), (16, 16), (64, 128)]),
        )
    )
    channels = draw(st.integers(1, 4))
    kind = draw(st.sampled_from(["noise", "constant", "drawing", "sketch", "landscape", "two"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    if kind == "noise":
        picture = rng.integers(0, 256, (height, width, channels), np.uint8)
    elif kind == "constant":
        picture = np.full((height, width, channels), rng.integers(256), np.uint8)
    elif kind == "two":
        picture = np.where(rng.random((height, width, 1)) < 0.1, 255, 0) * np.ones(channels, int)
        picture = picture.astype(np.uint8)
    else:
        picture = getattr(vectors, kind)(height, width, channels)
    if (bits or draw(st.sampled_from([8, 8, 8, 16]))) == 16:
        picture = picture.astype(np.uint16) * draw(st.sampled_from([257, 256, 1]))
    return picture[..., 0] if channels == 1 and draw(st.booleans()) else picture


@st.composite
def options_for(draw: st.DrawFn, picture: np.ndarray) -> dict[str, Any]:
    """Keywords that go together, for a picture."""
    height, width = picture.shape[:2]
    options: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=ANY_BITS | BESIDE))
    place = draw(st.sampled_from(["none", "auto", "centers", "centers", "mask", "boxes"]))
    n = draw(st.integers(1, 3))
    sigma = st.floats(0.0085, 19000, allow_subnormal=False)
    pair = st.tuples(sigma, sigma)
    if place == "auto":
        options["centers"] = "auto"
    elif place == "centers":
        point = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1))
        options["centers"] = draw(st.lists(point, min_size=n, max_size=n))
        each = st.one_of(sigma, pair, pair.map(np.diag))
        name = draw(st.sampled_from(["sigmas", "Sigmas", ""]))
        if name:
            options[name] = draw(st.lists(each, min_size=n, max_size=n))
        if draw(st.booleans()):
            alpha = st.floats(0, 2.55)
            options["alphas"] = draw(st.one_of(alpha, st.lists(alpha, min_size=n, max_size=n)))
        if picture.itemsize == 1 and draw(st.booleans()):
            radii = st.tuples(st.floats(0, 90), st.floats(0, 65535)).map(sorted)
            options["radii"] = draw(st.lists(radii, min_size=n, max_size=n))
    elif place == "mask":
        rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        mask = rng.integers(0, draw(st.sampled_from([2, 5, 40])), (height, width))
        mask[rng.random((height, width)) < draw(st.sampled_from([0.1, 0.9, 0.99]))] = 0
        mask[rng.integers(height), :] = draw(st.integers(1, 2))
        options["mask"] = mask.astype(draw(st.sampled_from([bool, np.uint8, np.int32])))
    elif place == "boxes":
        edge = st.integers(0, max(height, width))
        boxes = draw(st.lists(st.tuples(edge, edge, edge, edge), min_size=1, max_size=5))
        options["boxes"] = [
            (x % width, y % height, x % width + 1 + w, y % height + 1 + h) for x, y, w, h in boxes
        ]
        n = min(len(boxes), 3)
    if place in ("centers", "boxes") and draw(st.booleans()):
        named = st.builds(
            Label,
            st.none() | texts,
            st.none() | st.integers(0, 2**31 - 1),
            st.none() | st.floats(-1e9, 1e9),
        )
        label = st.none() | texts | named | named.map(Label.to_json)
        options["labels"] = draw(st.lists(label, min_size=n, max_size=n))
    if picture.itemsize == 2:
        return options | draw(st.sampled_from([{}, {"lossless": True}]))
    options |= draw(st.fixed_dictionaries({}, optional=CODING))
    if "mid" in options.get("coders", ()):
        options.pop("mid", None)
    rate = draw(st.sampled_from(["", "quality", "quality_level", "target_size", "target_psnr"]))
    ranges = {
        "quality": st.floats(0, 100),
        "quality_level": st.integers(0, 255),
        "target_size": st.integers(200, 5000),
        "target_psnr": st.floats(0, 100),
    }
    if rate:
        options[rate] = draw(ranges[rate])
    exact = [None, False] if rate.startswith("target") else [None, None, False, True]
    lossless = draw(st.sampled_from(exact))
    return options if lossless is None else options | {"lossless": lossless}


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[np.ndarray], dict[str, Any], dict[str, Any]]:
    """Frames, keywords of `encode` and of what is about several frames."""
    first = draw(pictures())
    options = draw(options_for(first))
    if draw(st.integers(0, 4)):
        return [first], options, {}
    count = draw(st.integers(1, 3))
    about: dict[str, Any] = {"loop": draw(st.sampled_from([None, 0, 7, 65535]))}
    if draw(st.booleans()):
        time = st.integers(0, 2**32 - 1)
        about["duration"] = draw(st.one_of(time, st.lists(time, min_size=count, max_size=count)))
    return [np.roll(first, k, 1) for k in range(count)], options, about


def _asked_for(picture: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """Pixels that were asked to be exact, and are easily told: bool (H, W)."""
    height, width = picture.shape[:2]
    asked = np.zeros((height, width), bool)
    if options.get("lossless") or picture.itemsize == 2:
        asked[:] = True
    if "mask" in options:
        asked |= options["mask"] != 0
    for left, top, right, bottom in options.get("boxes", ()):
        asked[top:bottom, left:right] = True
    if "radii" in options and not np.any(options.get("alphas", 0)):
        y, x = np.indices(asked.shape)
        sigmas = options.get("sigmas", options.get("Sigmas"))
        if sigmas is None and "preset" not in options:
            for (cx, cy), (core, _) in zip(options["centers"], options["radii"], strict=True):
                asked |= (x - cx) ** 2 + (y - cy) ** 2 <= core**2
    return asked


def _check(picture: np.ndarray, file: aig_codec.AigFile, options: dict[str, Any]) -> None:
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    flat = picture.reshape(*picture.shape[:2], channels)
    decoded = file.decode().reshape(flat.shape)
    assert decoded.dtype == picture.dtype
    exact = file.core_mask()
    asked = _asked_for(picture, options)
    if "alphas" not in options or not {"preset"} & set(options):
        assert not (asked & ~exact).any()
    np.testing.assert_array_equal(decoded[exact], flat[exact])
    seen = np.zeros(exact.shape, bool)
    for core in file.cores():
        h, w = core.mask.shape
        window = slice(core.top, core.top + h), slice(core.left, core.left + w)
        own = core.pixels.reshape(h, w, channels)
        np.testing.assert_array_equal(own[core.mask], flat[window][core.mask])
        seen[window] |= core.mask
    np.testing.assert_array_equal(seen, exact)
    assert file.preview().shape[:2] == tuple(-(-n // 8) for n in picture.shape[:2])
    if options.get("lossless") is False and picture.itemsize == 1:
        assert file.metadata.shape != "all" or asked.all()


def check_call(call: tuple[list[np.ndarray], dict[str, Any], dict[str, Any]]) -> None:
    frames, options, about = call
    try:
        if len(frames) > 1 or about:
            data = aig_codec.encode_sequence(frames, **options, **about)
        else:
            data = aig_codec.encode(frames[0], **options)
    except ValueError as error:
        assume("cannot be reached" not in str(error))
        raise
    with aig_codec.open(data) as file:
        assert file.n_frames == len(frames)
        file.verify()
        assert all(d.lines() for d in file.decisions)
        if "comment" in options:
            assert file.text["comment"] == options["comment"]
        for name in ("exif", "icc_profile", "xmp"):
            assert (getattr(file, name) or b"") == options.get(name, b"")
        for k, picture in enumerate(frames):
            _check(picture, file.frame(k) if k else file, options)


RULES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    # A call that fails is small as it is, and shrinking it takes minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

test_whatever_is_encoded_can_be_opened_and_its_cores_are_exact = RULES(given(calls())(check_call))


def main(minutes: float) -> None:
    """Go on with other examples until the time is over."""
    end, rounds = time.monotonic() + 60 * minutes, 0
    rules = settings(RULES, max_examples=200, derandomize=False, database=None)
    while time.monotonic() < end:
        seed(time.time_ns())(rules(given(calls())(check_call)))()
        rounds += 1
        print(f"{200 * rounds} calls", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
