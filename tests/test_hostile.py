"""Files that were cut, damaged or forged: error kinds, never a crash, never a changed core."""

import io
import random

import numpy as np
import pytest
import reference
from support.files import payloads, reseal
from support.pictures import LOSSY_ENTROPIES
from support.pictures import mixed as photo
from support.tiers import mostly_slow

import aig_codec
from aig_codec import errors
from aig_codec.coders import lossless

KEYWORDS = {
    "centers": [(14, 12), (34, 22)],
    "radii": [(6, 10), (5, 9)],
    "quality": 60,
}


def small_file(channels: int = 3, **more: object) -> tuple[np.ndarray, bytes]:
    pixels = photo(37, 49, channels)
    keywords = KEYWORDS | more
    if more.keys() & {"mask", "boxes"}:
        keywords = {n: v for n, v in keywords.items() if n not in ("centers", "sigmas", "radii")}
    return pixels, aig_codec.encode(pixels, **keywords)


def core_is_exact(pixels: np.ndarray, data: bytes, decoded: np.ndarray) -> bool:
    from aig_codec import geometry
    from aig_codec.container import read_prologue

    classes = geometry.Regions(read_prologue(data).metadata).class_map()
    core = (classes >= 1) & (classes < 5)
    return bool(np.array_equal(decoded[core], pixels[core]))


@pytest.mark.parametrize(
    "more",
    mostly_slow(
        [
            {},
            {"mid": "palette", "boundary_tau": 2},
            {"entropy": "snappy"},
            {"lossless": True},
            {"boxes": [(3, 4, 20, 22), (25, 9, 40, 37), (2, 30, 11, 35)]},
        ],
        {},
        {"lossless": True},
    ),
    ids=str,
)
def test_truncation_at_every_byte(more: dict[str, object]) -> None:
    _, data = small_file(4, **more)
    complete = aig_codec.decode(data)
    for n in range(len(data)):
        kind = errors.NotAigError if n == 0 else errors.TruncatedError
        with pytest.raises(kind):
            aig_codec.decode(data[:n])
    assert np.array_equal(aig_codec.decode(data), complete)
    assert np.array_equal(aig_codec.decode(data + b"trailing"), complete)


def test_prefixes_give_what_they_hold() -> None:
    pixels, data = small_file()
    with aig_codec.open(data) as file:
        start = len(data) - file.bytes_for("full")
        ends = {s.name: start + s.end for s in file.segments}
    cut = aig_codec.decode(data[: ends["core 1"]], strict=False)
    assert core_is_exact(pixels, data, cut)
    assert np.array_equal(cut, aig_codec.decode(data, upto="core"))
    cut = aig_codec.decode(data[: ends["preview"]], strict=False)
    assert np.array_equal(cut, aig_codec.decode(data, upto="preview"))
    cut = aig_codec.decode(data[: ends["mid"]], strict=False)
    assert np.array_equal(cut, aig_codec.decode(data, upto="mid"))
    # One byte less, and the segment is not there.
    cut = aig_codec.decode(data[: ends["preview"] - 1], strict=False)
    assert np.array_equal(cut, aig_codec.decode(data, upto="core"))


@pytest.mark.slow
def test_changed_bytes_are_noticed_and_the_core_survives() -> None:
    pixels, data = small_file(mid="palette", boundary_tau=2)
    with aig_codec.open(data) as file:
        start = len(data) - file.bytes_for("full")
        core_end = start + file.bytes_for("core")
    rng = random.Random(1)
    for _ in range(1500):
        mutated = bytearray(data)
        for _ in range(rng.choice((1, 1, 1, 4))):
            mutated[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        if mutated == data:
            continue
        with pytest.raises(errors.AigError):
            aig_codec.decode(bytes(mutated))
        if mutated[:core_end] == data[:core_end]:
            lenient = aig_codec.decode(bytes(mutated), strict=False)
            assert core_is_exact(pixels, data, lenient)
            assert np.array_equal(
                aig_codec.decode(bytes(mutated), upto="core"), aig_codec.decode(data, upto="core")
            )


@pytest.mark.parametrize("entropy", mostly_slow(LOSSY_ENTROPIES, "adaptive"))
@pytest.mark.parametrize("mid", mostly_slow(["dct", "palette"], "dct"))
def test_forged_payloads_with_right_checksums(entropy: str, mid: str) -> None:
    """Damage that no checksum shows reaches the kernels; they must stay inside their arrays."""
    pixels, data = small_file(4, entropy=entropy, mid=mid, boundary_tau=2)
    parts = payloads(data)
    rng = random.Random(entropy + mid)
    for key, payload in parts.items():
        for _ in range(60):
            forged = bytearray(payload)
            action = rng.randrange(4)
            if action == 0:
                forged = forged[: rng.randrange(len(forged) + 1)]
            elif action == 1:
                forged += rng.randbytes(rng.randrange(1, 9))
            elif action == 2:
                forged = bytearray(rng.randbytes(rng.randrange(60)))
            else:
                for _ in range(rng.randrange(1, 4)):
                    forged[rng.randrange(len(forged))] = rng.randrange(256)
            sealed = reseal(data, {key: bytes(forged)})
            for strict in (True, False):
                try:
                    decoded = aig_codec.decode(sealed, strict=strict)
                except errors.AigError:
                    assert strict, "lenient decoding of a sound container must not fail"
                    continue
                assert decoded.shape == pixels.shape
                if key[0] != "core":
                    assert core_is_exact(pixels, data, decoded)


def test_damaged_background_is_reported_by_name() -> None:
    pixels, data = small_file()
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(errors.CorruptError, match="background"):
        aig_codec.decode(damaged)
    with aig_codec.open(damaged) as file:
        decoded = file.decode(strict=False)
        assert [type(p) for p in file.problems] == [errors.CorruptError] * 2
        assert "checksum of the background" in str(file.problems[0])
        assert "1 of 1 groups" in str(file.problems[1])
        assert np.array_equal(decoded, file.decode("mid"))
    assert core_is_exact(pixels, data, decoded)


@pytest.mark.parametrize("threads", [1, 3])
def test_damage_in_one_band_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(lossless.codec, "_BAND_PIXELS", 500)
    monkeypatch.setattr(lossless.codec, "_GRAPHIC_BAND_PIXELS", 500)
    pixels = photo(64, 49, 3)
    data = aig_codec.encode(pixels, lossless=True)
    payload = payloads(data)["core", 0]
    rows = reference.bands_of(np.ones((64, 49), bool), payload[0])
    assert len(rows) == 4
    assert np.array_equal(aig_codec.decode(data, threads=threads), pixels)
    source = reference.ByteReader(payload)
    *_, last = [source.varint() for _ in range(5)]
    damaged = reseal(data, {("core", 0): payload[:-last] + b"\x0f" + payload[1 - last :]})
    with pytest.raises(errors.CorruptError):
        aig_codec.decode(damaged, threads=threads)
    lenient = aig_codec.decode(damaged, strict=False, threads=threads)
    assert np.array_equal(lenient[: rows[-1].start], pixels[: rows[-1].start])


def test_lossless_version_1_is_refused_by_name() -> None:
    _, data = small_file()
    with aig_codec.open(data) as file:
        older = tuple(s._replace(version=1) if s.kind == "core" else s for s in file.segments)
    with pytest.raises(errors.UnsupportedError, match=r"coder lossless version 1 .* core 0"):
        aig_codec.decode(_with_segments(data, older))


def test_unknown_coders_and_kinds_are_refused_by_name() -> None:
    _, data = small_file()
    with aig_codec.open(data) as file:
        segments = file.segments
    for version in (1, 2, 4):
        other = tuple(
            s._replace(version=version) if s.kind == "background" else s for s in segments
        )
        forged = _with_segments(data, other)
        wanted = rf"coder dct version {version} .* background"
        with pytest.raises(errors.UnsupportedError, match=wanted):
            aig_codec.decode(forged)
        assert np.array_equal(
            aig_codec.decode(forged, upto="mid"), aig_codec.decode(data, upto="mid")
        )
        lenient = aig_codec.decode(forged, strict=False)
        assert np.array_equal(lenient, aig_codec.decode(data, upto="mid"))
    strange = (*segments[:-1], segments[-1]._replace(kind="depth"))
    with pytest.raises(errors.UnsupportedError, match="depth"):
        aig_codec.decode(_with_segments(data, strange))


def _with_segments(data: bytes, segments: tuple) -> bytes:
    from dataclasses import replace

    from aig_codec.container import pack_prologue, read_prologue

    prologue = read_prologue(data)
    head = pack_prologue(replace(prologue.metadata, segments=segments))
    return head + data[prologue.data_start :]


def test_claims_do_not_decide_what_is_allocated() -> None:
    """A segment may claim a terabyte; only what the file holds is read."""
    _, data = small_file()
    with aig_codec.open(data) as file:
        segments = file.segments
    forged = _with_segments(data, (*segments[:-1], segments[-1]._replace(length=2**39)))

    class Meter(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Meter.largest = max(Meter.largest, size or 0)
            return super().read(size)

    with aig_codec.open(Meter(forged)) as file, pytest.raises(errors.TruncatedError):
        file.decode()
    assert Meter.largest <= 2**20


def test_random_bytes_are_not_images() -> None:
    rng = random.Random(3)
    for _ in range(300):
        noise = rng.randbytes(rng.randrange(200))
        with pytest.raises(errors.AigError):
            aig_codec.decode(noise)
        with pytest.raises(errors.AigError):
            aig_codec.decode(b"AIG2" + noise)
