"""Files of several frames: in the container, in Pillow, in imageio."""

import io
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageSequence
from support.files import reseal
from support.pillow_files import picture, saved

import aig_codec
import imageio_aig  # noqa: F401 - registers AIG with imageio
from aig_codec.container import Frames
from aig_codec.errors import CorruptError, TruncatedError

CENTERS = [[(20, 18)], [(30, 20), (58, 30)], [(40, 25)]]
RADII = [[(8, 12)], [(5, 9), (6, 7)], [(8, 8)]]


def frames(count: int = 3, width: int = 75, height: int = 50) -> list[np.ndarray]:
    """Pictures of a moving scene."""
    scene = np.asarray(picture("RGB", width + 8 * count, height))
    return [np.ascontiguousarray(scene[:, 8 * k : 8 * k + width]) for k in range(count)]


def movie(**more: object) -> bytes:
    keywords = {"centers": CENTERS, "radii": RADII, "duration": [40, 50, 60], "loop": 0} | more
    return aig_codec.encode_sequence(frames(), **keywords)


def alone(k: int) -> np.ndarray:
    """What frame k is when it is encoded by itself."""
    return aig_codec.decode(aig_codec.encode(frames()[k], centers=CENTERS[k], radii=RADII[k]))


# The codec


def test_every_frame_is_what_it_would_be_alone() -> None:
    data = movie()
    with aig_codec.open(data) as file:
        assert (file.n_frames, file.durations, file.loop) == (3, (40, 50, 60), 0)
        for k in range(3):
            frame = file.frame(k)
            assert frame.centers == CENTERS[k]
            np.testing.assert_array_equal(frame.decode(), alone(k))
            np.testing.assert_array_equal(aig_codec.decode(data, frame=k), alone(k))
        file.verify()
        for k in (-1, 3):
            with pytest.raises(EOFError, match=f"no frame {k}"):
                file.frame(k)


def test_one_image_is_an_ordinary_file() -> None:
    one = frames(1)
    keywords = {"centers": [(20, 18)], "radii": [(8, 12)]}
    assert aig_codec.encode_sequence(one, **keywords) == aig_codec.encode(one[0], **keywords)
    with aig_codec.open(aig_codec.encode(one[0])) as file:
        assert (file.n_frames, file.durations, file.loop) == (1, (0,), None)
        assert file.frame(0).centers == file.centers


def test_frames_may_differ_in_size_and_kind() -> None:
    images = [np.asarray(picture("RGB")), np.asarray(picture("L", 31, 20))]
    deep = (np.asarray(picture("L", 9, 7)).astype(np.uint16) * 257).astype(np.uint16)
    data = aig_codec.encode_sequence(iter([*images, deep]))
    shapes = [aig_codec.decode(data, frame=k).shape for k in range(3)]
    assert shapes == [(50, 75, 3), (20, 31), (7, 9)]
    np.testing.assert_array_equal(aig_codec.decode(data, frame=2), deep)


def test_a_reader_that_knows_no_frames_has_the_first_one() -> None:
    data = movie()
    with aig_codec.open(data) as file:
        end = file.data_start + file.segments[-1].end
    np.testing.assert_array_equal(aig_codec.decode(data[:end]), alone(0))


def test_joining_decodes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [
        aig_codec.encode(image, centers=CENTERS[k], radii=RADII[k])
        for k, image in enumerate(frames())
    ]
    monkeypatch.setattr(aig_codec.AigFile, "decode", None)
    joined = aig_codec.join([own[0] + b"rest", *own[1:]], [40, 50, 60], 0)
    assert joined == movie()
    with pytest.raises(ValueError, match="several frames"):
        aig_codec.join([own[0], joined], [0, 0])
    for durations, loop, words in (
        ([1], None, "1 durations for 3"),
        ([1, 2, -3], None, "milliseconds"),
        ([1, 2, 3], 65536, "loop"),
    ):
        with pytest.raises(ValueError, match=words):
            aig_codec.join(own, durations, loop)
    with pytest.raises(ValueError, match="0 frames"):
        aig_codec.join([], [])
    for durations, loop in (([1, 2.5, 3], None), ([1, 2, 3], 1.5)):
        with pytest.raises(TypeError, match="integer"):
            aig_codec.join(own, durations, loop)


def test_what_belongs_to_the_file_is_stored_once() -> None:
    data = movie(exif=b"Exif\0\0II*\0", comment="a scene", dpi=(72, 72))
    assert data.count(b"Exif\0\0") == 1
    with aig_codec.open(data) as file:
        assert file.text == {"comment": "a scene"}
        assert file.metadata.dpi == (72, 72)
        for k in range(3):
            assert file.frame(k).exif == b"Exif\0\0II*\0"
            assert file.frame(k).text == {"comment": "a scene"}
            assert file.frame(k).dpi == (72, 72)
            assert file.frame(k).metadata.has("exif") == (k == 0)


def test_keywords_by_frame() -> None:
    same_for_all = aig_codec.encode_sequence(frames(), centers=[(20, 18), (58, 30)])
    mixed = aig_codec.encode_sequence(
        frames(),
        centers=[[(20, 18)], "auto", np.array([[40, 25]])],
        labels=[["cat"], None, [{"name": "dog", "score": 0.5}]],
    )
    with aig_codec.open(same_for_all) as file:
        assert [file.frame(k).centers for k in range(3)] == [[(20, 18), (58, 30)]] * 3
    with aig_codec.open(mixed) as file:
        assert [file.frame(k).centers for k in (0, 2)] == [[(20, 18)], [(40, 25)]]
        labels = [file.frame(k).info()["labels"] for k in (0, 2)]
        assert labels == [[{"name": "cat"}], [{"name": "dog", "score": 0.5}]]
    for wrong in (CENTERS[:2], [*CENTERS, CENTERS[0]]):
        with pytest.raises(ValueError, match="centers has"):
            aig_codec.encode_sequence(frames(), centers=wrong)
    with pytest.raises(ValueError, match=r"frame 1: center .* outside"):
        aig_codec.encode_sequence(frames(), centers=[[(1, 1)], [(500, 1)], [(1, 1)]])


def test_seeking_reads_one_frame_and_no_other() -> None:
    data = movie()

    class Counting(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.read_bytes += len(found)
            return found

    source = Counting(data)
    with aig_codec.open(source) as file:
        first = source.read_bytes
        frame = file.frame(2)
        frame.core(0)
        length = len(data) - file.frame_table.offsets[2]
    # The table, and one read that has the frame's own beginning.
    assert source.read_bytes - first <= 3 * 12 + min(2048, length) + frame.bytes_for("core")


def test_frames_over_http(tmp_path: Path) -> None:
    (tmp_path / "movie.aig").write_bytes(movie())

    class Ranges(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            whole = (tmp_path / "movie.aig").read_bytes()
            part = whole[int(first) : int(last) + 1]
            self.send_response(206 if part else 416)
            last = int(first) + len(part) - 1
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_address[1]}/movie.aig"
            np.testing.assert_array_equal(aig_codec.decode(address, frame=2), alone(2))
        finally:
            server.shutdown()
            thread.join()


# Strangers


def _table(data: bytes, change: bytes) -> bytes:
    """A file with another frame table of the same length."""
    with aig_codec.open(data) as file:
        end = file.data_start + next(s for s in file.segments if s.kind == "frames").end
    return reseal(data[:end], {("frames", None): change}) + data[end:]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0, 1), (2**40, 1), (9, 1)], "frame 1 claims"),
        ([(5, 1), (9, 1), (9, 1)], "frame 0 claims"),
        ([(0, 1), (0, 1), (9, 1)], "frame 1 claims"),
        ([(0, 1), (9, 1)], "24 bytes for 3 frames"),
        ([(0, 1)] + [(9, 1)] * 3, "48 bytes for 3 frames"),
    ],
)
def test_tables_that_cannot_be_are_refused(rows: list[tuple[int, int]], words: str) -> None:
    data = _table(movie(), b"".join(struct.pack(">QI", *row) for row in rows))
    with aig_codec.open(data) as file:
        file.decode()
        with pytest.raises(CorruptError, match=words):
            file.frame(1)
    with pytest.raises(OSError, match=words):
        Image.open(io.BytesIO(data))


def test_frames_are_checked_like_files() -> None:
    data = movie()
    with aig_codec.open(data) as file:
        second, third = file.frame_table.offsets[1:]
    damaged = bytearray(data)
    damaged[second] ^= 1
    with aig_codec.open(bytes(damaged)) as file:
        np.testing.assert_array_equal(file.decode(), alone(0))
        with pytest.raises(aig_codec.NotAigError):
            file.frame(1)
        np.testing.assert_array_equal(file.frame(2).decode(), alone(2))
        with pytest.raises(aig_codec.NotAigError):
            file.verify()
    with Image.open(io.BytesIO(bytes(damaged))) as image:
        with pytest.raises(OSError, match="frame 1"):
            image.seek(1)
        # What fails changes nothing.
        assert image.tell() == 0
        assert np.array_equal(np.asarray(image), alone(0))
        image.seek(2)
        assert np.array_equal(np.asarray(image), alone(2))
    with aig_codec.open(data[: third + 10]) as file, pytest.raises(TruncatedError):
        file.frame(2)


def test_frames_have_no_frames() -> None:
    inner = movie()
    with aig_codec.open(inner) as file:
        end = file.frame_table.offsets[1]
    table = struct.pack(">QIQI", 0, 0, len(inner), 0)
    outer = aig_codec.join([aig_codec.encode(frames()[0])] * 2, [0, 0])
    with aig_codec.open(outer) as file:
        start = file.frame_table.offsets[1]
    nested = reseal(outer[:start], {("frames", None): table}) + inner
    assert end < len(inner)
    with aig_codec.open(nested) as file, pytest.raises(CorruptError, match="of its own"):
        file.frame(1)
    with Image.open(io.BytesIO(nested)) as image:
        with pytest.raises(OSError, match="of its own"):
            image.seek(1)
        assert np.array_equal(np.asarray(image), aig_codec.decode(outer))


def test_the_table_and_the_count_belong_together() -> None:
    data = movie()
    with aig_codec.open(data) as file:
        end = file.data_start + file.segments[-1].end
    for frames_said, words in (
        (None, "which such an image has not"),
        (Frames(1, None), "count"),
        (Frames(2**20 + 1, None), "count"),
        (Frames(3, -1), "loop"),
        (Frames(3, 65536), "loop"),
    ):
        with pytest.raises(CorruptError, match=words):
            aig_codec.open(reseal(data[:end], {}, frames=frames_said))
    plain = aig_codec.encode(frames()[0])
    with pytest.raises(CorruptError, match="lacks the frames"):
        aig_codec.open(reseal(plain, {}, frames=Frames(2, None)))


@pytest.mark.slow
def test_truncated_at_every_byte() -> None:
    data = aig_codec.encode_sequence([f[:20, :30] for f in frames()], duration=7, quality=20)
    with aig_codec.open(data) as file:
        offsets = (*file.frame_table.offsets, len(data))
    whole = [aig_codec.decode(data, frame=k) for k in range(3)]
    for n in range(len(data)):
        for k in range(3):
            try:
                found = aig_codec.decode(data[:n], frame=k)
            except (TruncatedError, aig_codec.NotAigError):
                assert n < offsets[k + 1]
            else:
                np.testing.assert_array_equal(found, whole[k])


# Pillow


def gif(path: Path) -> Path:
    images = [Image.fromarray(f).quantize(32) for f in frames()]
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=[40, 50, 60], loop=3, disposal=2
    )
    return path


def test_pillow_saves_and_seeks(tmp_path: Path) -> None:
    images = [Image.fromarray(f) for f in frames()]
    path = tmp_path / "movie.aig"
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=[40, 50, 60],
        loop=0,
        centers=CENTERS,
        radii=RADII,
    )
    assert path.read_bytes() == movie()
    with Image.open(path) as image:
        assert (image.n_frames, image.is_animated, image.tell()) == (3, True, 0)
        assert image.info["loop"] == 0
        for k in (0, 2, 1, 1, 0):
            image.seek(k)
            assert image.tell() == k
            assert image.info["duration"] == (40, 50, 60)[k]
            assert image.info["aig"]["centers"] == CENTERS[k]
            assert np.array_equal(np.asarray(image), alone(k))
        for k in (-1, 3):
            with pytest.raises(EOFError):
                image.seek(k)
        assert image.tell() == 0
    with Image.open(path) as image:
        image.verify()


def test_append_images_alone_means_all(tmp_path: Path) -> None:
    one, two = (Image.fromarray(f) for f in frames(2))
    explicit = saved(one, save_all=True, append_images=[two])
    with Image.open(io.BytesIO(explicit)) as image:
        assert image.n_frames == 2
        assert image.info["duration"] == 0
        assert "loop" not in image.info


def test_animations_of_other_formats(tmp_path: Path) -> None:
    with Image.open(gif(tmp_path / "a.gif")) as original:
        original.seek(1)
        data = saved(original, save_all=True, lossless=True)
        assert original.tell() == 1
        with Image.open(io.BytesIO(data)) as image:
            assert (image.n_frames, image.info["loop"]) == (3, 3)
            for k, frame in enumerate(ImageSequence.Iterator(image)):
                original.seek(k)
                assert frame.info["duration"] == original.info["duration"]
                assert np.array_equal(np.asarray(frame), np.asarray(original.convert(frame.mode)))
        # And out again.
        with Image.open(io.BytesIO(data)) as image:
            image.save(tmp_path / "b.gif", save_all=True)
        with Image.open(tmp_path / "b.gif") as back:
            assert back.n_frames == 3


def test_frames_of_other_sizes_and_modes_load(tmp_path: Path) -> None:
    data = saved(picture("RGB"), save_all=True, append_images=[picture("L", 31, 20)])
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        image.seek(1)
        assert (image.size, image.mode) == ((31, 20), "L")
        image.load()
        image.seek(0)
        assert (image.size, image.mode) == ((75, 50), "RGB")
        image.draft(None, (20, 20))
        assert image.size == (38, 25)
        image.seek(1)
        assert image.size == (31, 20)
        assert image.copy().size == (31, 20)


def test_a_single_frame_has_the_same_interface() -> None:
    with Image.open(io.BytesIO(saved(picture()))) as image:
        assert (image.n_frames, image.is_animated, image.tell()) == (1, False, 0)
        assert "duration" not in image.info
        image.seek(0)
        with pytest.raises(EOFError):
            image.seek(1)


def test_cut_files_have_their_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    data = movie()
    with aig_codec.open(data) as file:
        table = next(s for s in file.segments if s.kind == "frames")
        start = file.data_start + table.offset
    with Image.open(io.BytesIO(data[: start + 5])) as image:
        assert image.n_frames == 3
        with pytest.raises(OSError, match="ends before its frame table"):
            image.seek(1)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data[: start + 5])) as image:
        assert np.array_equal(np.asarray(image), alone(0))


def test_the_parser_shows_the_first_frame() -> None:
    parser = ImageFile.Parser()
    data = movie()
    for i in range(0, len(data), 500):
        parser.feed(data[i : i + 500])
    assert np.array_equal(np.asarray(parser.close()), alone(0))


# imageio


def test_imageio_stacks(tmp_path: Path) -> None:
    path = tmp_path / "movie.aig"
    keywords = {"centers": CENTERS, "radii": RADII, "duration": [40, 50, 60], "loop": 0}
    iio.imwrite(path, np.stack(frames()), **keywords)
    assert path.read_bytes() == movie()
    stack = iio.imread(path)
    np.testing.assert_array_equal(stack, np.stack([alone(k) for k in range(3)]))
    np.testing.assert_array_equal(iio.imread(path, index=...), stack)
    np.testing.assert_array_equal(iio.imread(path, index=1), alone(1))
    np.testing.assert_array_equal(iio.imread(path, index=-1), alone(2))
    for k, image in enumerate(iio.imiter(path)):
        np.testing.assert_array_equal(image, alone(k))
    assert k == 2
    properties = iio.improps(path)
    assert (properties.shape, properties.n_images, properties.is_batch) == ((3, 50, 75, 3), 3, True)
    assert iio.improps(path, index=2).shape == (50, 75, 3)
    metadata = iio.immeta(path)
    assert (metadata["n_frames"], metadata["duration"], metadata["loop"]) == (3, [40, 50, 60], 0)
    assert iio.immeta(path, index=1)["duration"] == 50
    assert iio.immeta(path, index=1)["aig"]["centers"] == CENTERS[1]
    with pytest.raises(ValueError, match="no image 3"):
        iio.imread(path, index=3)


def test_imageio_writes_frame_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "movie.aig"
    with iio.imopen(path, "w") as file:
        for k, image in enumerate(frames()):
            file.write(image, centers=CENTERS[k], radii=RADII[k], duration=40 + 10 * k, loop=0)
        assert not path.exists()
    assert path.read_bytes() == movie()
    assert iio.imwrite("<bytes>", frames(), extension=".aig")[:4] == b"AIG2"

    def stop_in_the_middle() -> None:
        with iio.imopen(tmp_path / "other.aig", "w") as file:
            file.write(frames()[0])
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        stop_in_the_middle()
    assert not (tmp_path / "other.aig").exists()


@pytest.mark.parametrize("wrong", [{"loop": 1.5}, {"loop": -1}, {"duration": float("inf")}])
def test_what_is_wrong_with_the_whole_leaves_no_file(tmp_path: Path, wrong: dict) -> None:
    path = tmp_path / "movie.aig"
    with pytest.raises((ValueError, TypeError), match=r"loop|milliseconds|integer"):
        iio.imwrite(path, np.stack(frames()), **wrong)
    assert not path.exists()
    images = [Image.fromarray(f) for f in frames()]
    with pytest.raises(ValueError, match=r"loop|milliseconds|integer"):
        images[0].save(path, save_all=True, append_images=images[1:], **wrong)
    assert not path.exists()


def test_imageio_does_not_stack_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mixed.aig"
    path.write_bytes(aig_codec.encode_sequence([np.zeros((4, 5), "u1"), np.zeros((6, 5), "u1")]))
    with pytest.raises(ValueError, match="do not stack"):
        iio.imread(path)
    assert iio.imread(path, index=1).shape == (6, 5)


def test_metadata_goes_round(tmp_path: Path) -> None:
    path, again = tmp_path / "movie.aig", tmp_path / "again.aig"
    path.write_bytes(movie(xmp=b"<x/>", comment="a scene", text={"Author": "somebody"}))
    iio.imwrite(again, iio.imread(path), metadata=iio.immeta(path))
    before, after = iio.immeta(path), iio.immeta(again)
    for key in ("xmp", "comment", "text", "duration", "loop", "n_frames"):
        assert after[key] == before[key]


def test_limits_of_what_is_kept_beside_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader would refuse is not written, and what a file claims is not read."""
    frame = np.zeros((4, 4, 3), np.uint8)
    data = aig_codec.encode(frame, lossless=True, icc_profile=b"x" * 50)
    monkeypatch.setattr(aig_codec.limits, "max_ancillary", 30)
    with aig_codec.open(data) as file, pytest.raises(aig_codec.LimitError, match="icc of 50 bytes"):
        _ = file.icc_profile
    with pytest.raises(ValueError, match="frame table of"):
        aig_codec.encode_sequence([frame] * 9, lossless=True)
