"""The conformance suite of coders: what every coder must hold, whoever wrote it.

    from aig_codec.testing import check_coder
    check_coder(MyCoder())

Files are written with the coder, for regions of every shape, and read whole, by every prefix, by
windows, at smaller scales, damaged, and with several threads. An AssertionError says what does not
hold, and of which file.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .coders import registry
from .coders.base import SCALES, Coder, MapCoder, Pixels
from .container import Segment, read_prologue
from .container.kinds import OF_NAME, STAGES, Role
from .container.metadata import packed
from .decoder.file import AigFile, shrink
from .decoder.file import open as open_file
from .encoder.pipeline import encode
from .encoder.settings import CHOOSABLE
from .errors import AigError

U8 = NDArray[np.uint8]

#: Pictures of so many pixels at most are checked in all modes, at all scales, for all masks.
_SMALL_PIXELS = 3000

#: Of a picture of so many pixels a file is cut at every byte.
_SOME_PIXELS = 300

#: (height, width) of the pictures, up to two megapixels.
SIZES = ((1, 1), (1, 70), (70, 1), (17, 23), (40, 56), (1250, 1600))


class Written(NamedTuple):
    """A file with segments of the coder, what it shows, and which pixels must be exact."""

    name: str
    data: bytes
    pixels: Pixels
    exact: NDArray[np.bool_]


@contextmanager
def registered(*coders: Coder) -> Iterator[None]:
    """Have coders known as if their packages were installed, for as long as this lasts."""
    before = dict(registry.known)
    for coder in coders:
        registry.check(coder)
        registry.known[coder.name] = coder
    try:
        yield
    finally:
        registry.known.clear()
        registry.known.update(before)


def check_coder(
    coder: Coder, sizes: Sequence[tuple[int, int]] = SIZES, modes: Sequence[int] = (1, 2, 3, 4)
) -> None:
    """Check a coder. Raises AssertionError.

    sizes: (height, width) of the pictures. modes: how many channels they have.
    """
    with registered(coder):
        if isinstance(coder, MapCoder):
            check_maps(coder, sizes)
        kinds = [OF_NAME[kind] for kind in sorted(coder.carries)]
        found: set[str] = set()
        for written in files(coder, sizes, modes):
            own = {s.kind for s in _segments(written.data, coder)}
            # Of each kind a file of some size is cut at every byte, others here and there.
            first = written.exact.size >= _SOME_PIXELS and not own <= found
            found |= own if first else set()
            check_file(coder, written, everywhere=first)
        # What no picture shows by itself, or of these modes has.
        apart = {k.name for k in kinds if k.role in (Role.ANCILLARY, Role.MAP)}
        if not any(channels in (2, 4) for channels in modes):
            apart.add("alpha")
        missing = coder.carries - apart - found
        assert not missing, f"no file was written whose {sorted(missing)} {coder.name} codes"


def check_file(coder: Coder, written: Written, *, everywhere: bool = True) -> None:
    """Check all that holds for one file. everywhere: whether it is cut at every byte."""
    whole = check_whole(written)
    check_prefixes(written, everywhere=everywhere)
    check_windows(written, whole)
    check_scales(coder, written, whole)
    check_damage(coder, written)


# Files


def files(
    coder: Coder, sizes: Sequence[tuple[int, int]], modes: Sequence[int]
) -> Iterator[Written]:
    """Files that have segments of a coder, for regions of every shape."""
    for height, width in sizes:
        for channels in modes if height * width <= _SMALL_PIXELS else modes[-1:]:
            pixels = picture(height, width, channels)
            for name, mask in masks(height, width):
                for kind, keywords in _ways(coder):
                    own, core = pixels, mask
                    if "deep" in kind:
                        own = pixels.astype(np.uint16) * 257 - pixels // 3
                    if "drawn" in kind:
                        own = _drawing(max(height, 128), max(width, 160), channels)
                        core = np.zeros(own.shape[:2], bool)
                        core[:8, :8] = True
                    data = encode(own, mask=core, **{"effort": 3, **keywords})
                    if _segments(data, coder):
                        exact = np.ones(core.shape, bool) if keywords.get("lossless") else core
                        label = f"{coder.name} for {kind}, {own.shape}, {name}"
                        yield Written(label, data, own, exact)
                if height * width > _SMALL_PIXELS:
                    break


def _ways(coder: Coder) -> Iterator[tuple[str, dict[str, Any]]]:
    """What to ask the encoder for, so that the coder has work, by kinds of segments."""
    lossy: dict[str, Any] = {"lossless": False, "quality": 50}
    for kind in CHOOSABLE:
        if kind in coder.carries:
            yield kind, {**lossy, "coders": {kind: coder.name}}
    if 16 in coder.depths and "core" in coder.carries:
        yield "deep core", {"lossless": True, "coders": {"core": coder.name}}
    if registry.is_built_in(coder.name):
        yield "preview", lossy
        yield "boundary", {**lossy, "boundary_tau": 3}
        yield "mid palette", {**lossy, "mid": "palette", "entropy": "golomb"}
        yield "drawn tiles", {**lossy, "mid": "auto"}
        yield "core alone", {"lossless": True}
        yield "core alone, strong", {"lossless": True, "effort": 8}


def picture(height: int, width: int, channels: int) -> U8:
    """Ramps, edges and some noise, of integers alone: uint8 (H, W, C)."""
    y, x = np.indices((height, width)).astype(np.int64)
    noise = ((x * 374761393 + y * 668265263) >> 7) % 16
    steps = np.where((x // 9 + y // 7) % 4 == 0, 90, 0)
    planes = [(3 * x + 2 * y + noise) % 256, (x + steps) % 256, (2 * y + noise) % 200, 255 - x % 99]
    chosen = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return np.stack([planes[c] for c in chosen], -1).astype(np.uint8)


def _drawing(height: int, width: int, channels: int) -> U8:
    """Something like text, in two colours."""
    y, x = np.indices((height, width)).astype(np.int64)
    glyph = np.array([0x799F9, 0xF171F, 0x69996, 0x9ACA9])[(x // 6 * 5 + y // 8 * 3) % 4]
    ink = (x % 6 < 4) & (y % 8 < 5) & (glyph >> (4 * np.minimum(y % 8, 4) + x % 6) & 1 > 0)
    planes = [np.where(ink, 20, 240), np.where(ink, 30, 250), np.where(ink, 90, 244), 0 * x + 200]
    chosen = {1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return np.stack([planes[c] for c in chosen], -1).astype(np.uint8)


def masks(height: int, width: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Cores of every shape, so that what lies around them has every shape as well."""
    y, x = np.indices((height, width))
    yield "a disc", (x - width // 3) ** 2 + (y - height // 3) ** 2 <= (min(height, width) // 4) ** 2
    if height * width < 30:
        return
    one = np.zeros((height, width), bool)
    one[height // 2, width // 2] = True
    yield "one pixel", one
    yield "a ring", (np.hypot(x - width / 2, y - height / 2) % 9).astype(int) == 4
    yield "rows", y % 3 == 1 if height > 1 else x % 3 == 1
    yield "scattered", (x * 7 + y * 13) % 11 == 0
    yield "all but a pixel", ~one


# What must hold


def check_whole(written: Written) -> U8:
    """The same bytes give the same pixels, whatever the threads; exact ones are the original's."""
    whole = _decoded(written.data, threads=1)
    assert whole.shape[:2] == written.pixels.shape[:2], f"{written.name}: its size is another"
    for threads in (1, 3):
        again = _decoded(written.data, threads=threads)
        assert np.array_equal(whole, again), f"{written.name}: {threads} threads decode otherwise"
    _check_exact(written, whole, "")
    stages = [stage for stage, _ in _stages(written.data)]
    assert stages[-1] == STAGES[-1], f"{written.name}: its last stage is {stages[-1]}"
    return whole


def check_prefixes(written: Written, *, everywhere: bool = True) -> None:
    """However few bytes there are: an error of the file, or exact cores; if lenient, a picture."""
    data = written.data
    start = read_prologue(data).data_start
    step = 1 if everywhere else max(1, len(data) // 12)
    for end in range(start, len(data), step):
        what = f"of {end} bytes"
        _check_answers(written, data[:end], what, strict=False)
    for end in (start, (start + len(data)) // 2, len(data) - 1):
        _check_answers(written, data[:end], f"of {end} bytes", strict=True)


def check_windows(written: Written, whole: U8) -> None:
    """A window is the crop of the whole picture, at every scale."""
    height, width = whole.shape[:2]
    windows = {
        (0, 0, width, height),
        (width // 3, height // 3, width // 3 + 1, height // 3 + 1),
        (width // 2, 0, width, max(1, height // 2)),
    }
    for scale in SCALES if height * width <= _SMALL_PIXELS else SCALES[:2]:
        shown = whole if scale == 1 else _decoded(written.data, scale=scale)
        for left, top, right, bottom in windows:
            crop = _decoded(written.data, scale=scale, region=(left, top, right, bottom))
            own = shown[top // scale : -(-bottom // scale), left // scale : -(-right // scale)]
            what = f"{written.name}: ({left}, {top}, {right}, {bottom}) at scale {scale}"
            assert np.array_equal(crop, own), f"{what} is not the crop"


def check_scales(coder: Coder, written: Written, whole: U8) -> None:
    """Smaller pictures are means where a coder does not serve their scale."""
    metadata = read_prologue(written.data).metadata
    for scale in SCALES[1:]:
        shown = _decoded(written.data, scale=scale)
        size = tuple(-(-n // scale) for n in whole.shape[:2])
        assert shown.shape[:2] == size, f"{written.name}: at scale {scale} it is {shown.shape}"
        if not registry.paints(metadata, metadata.segments, scale):
            means = shrink(whole, scale)
            assert np.array_equal(shown, means), f"{written.name}: no mean at scale {scale}"


def check_damage(coder: Coder, written: Written) -> None:
    """Whatever the coder's segments hold: an error of the file, or a picture whose cores by other
    coders are exact."""
    rng = np.random.default_rng(5)
    for segment in _segments(written.data, coder):
        start = read_prologue(written.data).data_start + segment.offset
        payload = written.data[start : start + segment.length]
        for what, other in _damaged(payload, rng):
            data = resealed(written.data, segment, other)
            for strict in (True, False):
                touched = OF_NAME[segment.kind].role in (Role.EXACT, Role.MAP)
                _check_answers(
                    written,
                    data,
                    f"whose {segment.name} is {what}",
                    strict=strict,
                    exact=not touched,
                )


def _damaged(payload: bytes, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "longer", payload + b"\0"
    yield "cut", payload[: len(payload) // 2]
    yield "noise", rng.bytes(len(payload))
    for _ in range(4):
        changed = bytearray(payload)
        if changed:
            at = int(rng.integers(len(changed)))
            changed[at] ^= 1 << int(rng.integers(8))
            yield f"changed in byte {at}", bytes(changed)


def check_maps(coder: MapCoder, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """Maps come back as they were, and damaged ones are maps or errors."""
    rng = np.random.default_rng(3)
    for height, width in sizes:
        for _, mask in masks(height, width):
            for count in (1, 3):
                labels = (mask * rng.integers(1, count + 1, mask.shape)).astype(np.uint8)
                payload = coder.encode_map(labels, count)
                back = coder.decode_map(payload, height, width, count)
                assert np.array_equal(back, labels), f"{coder.name}: a map came back otherwise"
                for what, other in _damaged(payload, rng):
                    try:
                        found = coder.decode_map(other, height, width, count)
                    except AigError:
                        continue
                    good = found.shape == labels.shape and int(found.max(initial=0)) <= count
                    assert good, f"{coder.name}: {what}, it gave a label above {count}"


def resealed(data: bytes, segment: Segment, payload: bytes) -> bytes:
    """The file with another payload in a segment, and every checksum right."""
    prologue = read_prologue(data)
    rows, body, offset = [], [], 0
    for s in prologue.metadata.segments:
        start = prologue.data_start + s.offset
        own = payload if s == segment else data[start : start + s.length]
        rows.append(s._replace(offset=offset, length=len(own), crc32=zlib.crc32(own)))
        body.append(own)
        offset += len(own)
    return packed(replace(prologue.metadata, segments=tuple(rows))) + b"".join(body)


def _segments(data: bytes, coder: Coder) -> list[Segment]:
    return [s for s in read_prologue(data).metadata.segments if s.coder == coder.name]


def _decoded(data: bytes, **how: Any) -> U8:
    with open_file(data) as file:
        found: U8 = file.decode(**how)
        return found


def _stages(data: bytes) -> list[tuple[str, U8]]:
    with open_file(data) as file:
        return list(file.stages())


def _check_exact(written: Written, found: U8, what: str) -> None:
    own = written.pixels.reshape(found.shape)
    same = np.array_equal(found[written.exact], own[written.exact])
    assert same, f"{written.name}{what}: its exact pixels are others"


def _check_answers(
    written: Written, data: bytes, what: str, *, strict: bool, exact: bool = True
) -> None:
    """Every question about a file that may be damaged has an answer, or an error of the file."""

    def core(file: AigFile) -> None:
        for one in file.cores():
            h, w = one.mask.shape
            own = written.pixels[one.top : one.top + h, one.left : one.left + w]
            own = own.reshape(one.pixels.shape)
            same = np.array_equal(one.pixels[one.mask], own[one.mask])
            assert same or not exact, f"{written.name} {what}: a core is not exact"

    def whole(file: AigFile) -> None:
        found: U8 = file.decode(strict=strict)
        assert found.shape[:2] == written.pixels.shape[:2], f"{written.name} {what}: another size"
        if exact and (strict or not file.problems):
            _check_exact(written, found, f" {what}")

    questions: list[Callable[[AigFile], Any]] = [core, whole]
    if strict:
        questions += [lambda f: f.decode(scale=2), lambda f: f.decode(region=(0, 0, 1, 1))]
    for question in questions:
        try:
            with open_file(data) as file:
                question(file)
        except AigError:
            pass
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(
                f"{written.name} {what}: {type(error).__name__} instead of an error of the file"
            ) from error
