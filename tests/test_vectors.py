"""Every frozen file through every way of decoding."""

import io

import numpy as np
import pytest
import reference
import vectors

import aig_codec

HASHES = {
    (name, tier): digest
    for name, tier, digest in (
        line.split() for line in (vectors.FOLDER / "hashes.txt").read_text().splitlines()
    )
}
FILES = sorted(path.stem for path in vectors.FOLDER.glob("*.aig"))


def test_every_file_has_its_hashes() -> None:
    assert {name for name, _ in HASHES} == set(FILES)
    assert set(vectors.CASES) <= set(FILES)


@pytest.mark.parametrize("simd", ["plain", "vector", "auto"], indirect=True)
@pytest.mark.parametrize("name", FILES)
def test_decodes_as_it_always_did(name: str, simd: str) -> None:
    path = vectors.FOLDER / f"{name}.aig"
    for tier in vectors.TIERS:
        for threads in (1, 3):
            decoded = aig_codec.decode(path, upto=tier, threads=threads)
            assert vectors.hash_of(decoded) == HASHES[name, tier], tier


@pytest.mark.parametrize("name", FILES)
def test_the_reference_decoder_agrees(name: str) -> None:
    data = (vectors.FOLDER / f"{name}.aig").read_bytes()
    for tier in vectors.TIERS:
        decoded = aig_codec.decode(data, upto=tier)
        assert np.array_equal(reference.decode_file(data, tier).reshape(decoded.shape), decoded)


@pytest.mark.parametrize("name", FILES)
def test_cores_are_those_of_the_drawing(name: str) -> None:
    picture, height, width, channels, _ = vectors.CASES[name]
    pixels = picture(height, width, channels)
    with aig_codec.open(vectors.FOLDER / f"{name}.aig") as file:
        classes = file.regions().class_map()
        exact = (classes > 0) & (classes < 5)
        decoded = file.decode().reshape(pixels.shape)
        assert exact.any()
        assert np.array_equal(decoded[exact], pixels[exact])


def methods_of(name: str) -> set[int]:
    """Of all bands of its lossless segments (format.md, 7.1.1)."""
    container = reference.read_container((vectors.FOLDER / f"{name}.aig").read_bytes())
    methods = set()
    for segment in container.segments:
        if segment.coder == "lossless":
            source = reference.ByteReader(container.read(segment))
            lengths = [source.varint() for _ in range(source.varint())]
            methods |= {source.take(length)[0] for length in lengths}
    return methods


def nested_of(name: str) -> set[int]:
    """Of the bands within the bands of its core."""
    container = reference.read_container((vectors.FOLDER / f"{name}.aig").read_bytes())
    source = reference.ByteReader(container.read(container.find("core", 0)))
    lengths = [source.varint() for _ in range(source.varint())]
    methods = set()
    for band in [reference.ByteReader(source.take(length)) for length in lengths]:
        if band.take(1)[0] != 34:  # a table, or colours, stand before it
            band.take(band.varint())
        methods.add(band.take(1)[0])
    return methods


def test_every_method_of_the_lossless_coder_is_frozen() -> None:
    assert set().union(*map(methods_of, FILES)) == {
        *(0, 1, 2, 3, 4, 6, 7, 9, 10, 14),
        *(16, 18, 20, 22),
        *(32, 33, 34),
    }
    assert nested_of("v7-ycc") == {35}
    assert nested_of("v7-ycc-strong") == {0}
    for name in ("v7-mixed-ycc", "v7-mixed-indexed", "v7-mixed-ranks"):
        assert nested_of(name) == {16}
    assert nested_of("v7-mixed-cutout") == {9}


@pytest.mark.parametrize("name", FILES)
def test_through_pillow_and_imageio(name: str) -> None:
    import imageio.v3 as iio
    from PIL import Image, ImageFile

    import imageio_aig  # noqa: F401
    import pillow_aig  # noqa: F401

    data = (vectors.FOLDER / f"{name}.aig").read_bytes()
    expected = HASHES[name, "full"]
    pixels = aig_codec.decode(data)
    assert vectors.hash_of(pixels) == expected
    if pixels.dtype == np.uint16 and pixels.ndim == 3:  # Pillow has the high bytes alone
        expected = vectors.hash_of((pixels >> 8).astype(np.uint8))
    with Image.open(io.BytesIO(data)) as image:
        assert vectors.hash_of(np.asarray(image)) == expected
    parser = ImageFile.Parser()
    for i in range(0, len(data), 100):
        parser.feed(data[i : i + 100])
    assert vectors.hash_of(np.asarray(parser.close())) == expected
    assert vectors.hash_of(iio.imread(data, extension=".aig", index=0)) == HASHES[name, "full"]


@pytest.mark.parametrize("name", vectors.FRAMES)
def test_frames_decode_as_they_always_did(name: str) -> None:
    data = (vectors.FOLDER / f"{name}.aig").read_bytes()
    keywords = vectors.CASES[name][-1]
    found = reference.frames_of(data)
    assert len(found) == vectors.FRAMES[name]
    assert [duration for _, duration in found] == keywords["duration"]
    with aig_codec.open(data) as file:
        assert list(file.durations) == keywords["duration"]
        assert (file.n_frames, file.loop) == (vectors.FRAMES[name], keywords["loop"])
        assert file.text == {"comment": keywords["comment"]}
        for k, (own, _) in enumerate(found):
            frame = file.frame(k)
            assert frame.info()["labels"] == [{"name": "one"}]
            decoded = frame.decode()
            assert vectors.hash_of(decoded) == HASHES[name, f"frame{k}" if k else "full"]
            np.testing.assert_array_equal(reference.decode_file(own, "full"), decoded)
