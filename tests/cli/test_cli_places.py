"""What commands read from and write to: addresses, the standard streams; sizes; `aig verify`; and
what is said of commands that are wrong."""

import argparse
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import run
from support.pillow_files import picture

import aig_codec
from aig_codec.cli.common import size
from aig_codec.cli.places import Place


def piped(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "aig_codec", *arguments], input=data, capture_output=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture().save(tmp_path / "photo.png")
    data = aig_codec.encode(np.asarray(picture()), centers=[(20, 18)], radii=[(8, 12)])
    (tmp_path / "photo.aig").write_bytes(data)
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))

        def do_GET(self) -> None:  # by ranges
            path = Path(self.translate_path(self.path))
            asked = self.headers.get("Range", "")
            if not path.is_file() or not asked:
                super().do_GET()
                return
            first, last = (int(n) for n in asked.removeprefix("bytes=").split("-"))
            data = path.read_bytes()
            if first >= len(data):
                self.send_error(416)
                return
            part = data[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Length", str(len(part)))
            end = first + len(part) - 1
            self.send_header("Content-Range", f"bytes {first}-{end}/{len(data)}")
            self.end_headers()
            self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# Addresses


def test_addresses_are_read(folder: Path, address: str, tmp_path_factory, capsys, monkeypatch):
    here = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(here)
    whole = (folder / "photo.aig").read_bytes()
    code, told, err = run(capsys, "encode", f"{address}/photo.png?size=1", "--quality", 60)
    assert (code, err) == (0, "")
    assert told.startswith("photo.aig: ")
    assert (here / "photo.aig").exists()
    assert run(capsys, "decode", f"{address}/photo.aig")[::2] == (0, "")
    np.testing.assert_array_equal(np.asarray(Image.open("photo.png")), aig_codec.decode(whole))
    code, told, err = run(capsys, "info", f"{address}/photo.aig")
    assert (code, err) == (0, "")
    assert f"{address}/photo.aig: 75 x 50 RGB, {len(whole):,} bytes" in told
    assert "INCOMPLETE" not in told
    for line in (
        ("verify", f"{address}/photo.aig"),
        ("compare", f"{address}/photo.png", f"{address}/photo.aig"),
        ("report", f"{address}/photo.png", f"{address}/photo.aig"),
        ("info", "--why", f"{address}/photo.png"),
        ("thumbnail", f"{address}/photo.aig", "t.png", "16"),
        ("encode", folder / "photo.png", "--mask", f"{address}/photo.png", "-o", "m.aig"),
    ):
        assert run(capsys, *line)[::2] == (0, ""), line
    assert (here / "photo.html").exists()
    code, _, err = run(capsys, "info", f"{address}/none.aig")
    assert (code, f"{address}/none.aig" in err, "404" in err) == (1, True, True)
    code, _, err = run(capsys, "convert", address, "out")
    assert (code, "encode and decode take it" in err) == (2, True)


def test_files_as_file_managers_call_them(tmp_path: Path, capsys) -> None:
    picture().save(tmp_path / "a b.png")
    uri = (tmp_path / "a b.png").as_uri()
    assert "%20" in uri
    assert run(capsys, "encode", uri)[0] == 0
    assert (tmp_path / "a b.aig").exists()


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("a/b.png", "a/b.png", "b.png"),
        ("-", None, ""),
        ("https://example.com/x/%C3%A9.png?a=b#c", None, "é.png"),
        ("s3://bucket/a.aig", None, "a.aig"),
        ("zip://a.aig::b.zip", None, "a.aig"),
        ("https://example.com", None, "picture"),
    ],
)
def test_places(text: str, path: str | None, name: str) -> None:
    place = Place(text)
    assert (place.path, place.name) == (None if path is None else Path(path), name)


# The standard streams


def test_through_a_pipe(folder: Path) -> None:
    png = (folder / "photo.png").read_bytes()
    coded = piped("encode", "-", "--lossless", data=png)
    assert coded.returncode == 0
    assert coded.stderr.startswith(b"standard output: ")
    np.testing.assert_array_equal(aig_codec.decode(coded.stdout), np.asarray(picture()))
    back = piped("decode", "-", data=coded.stdout)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(back.stdout))), picture())
    jpeg = piped("decode", str(folder / "photo.aig"), "-o", "-", "--to", "jpg")
    assert Image.open(io.BytesIO(jpeg.stdout)).format == "JPEG"
    told = piped("info", "-", data=coded.stdout)
    expected = f"standard input: 75 x 50 RGB, {len(coded.stdout):,} bytes"
    assert told.stdout.decode().startswith(expected)
    assert piped("verify", "-", data=coded.stdout).returncode == 0
    assert piped("verify", "-", data=coded.stdout[:-1]).returncode == 1
    assert piped("compare", str(folder / "photo.png"), "-", data=coded.stdout).returncode == 0
    page = piped("report", "-", "-o", "-", data=png)
    assert page.stdout.startswith(b"<!doctype html>")


def test_what_streams_cannot_do(folder: Path, capsys, monkeypatch) -> None:
    png = folder / "photo.png"
    code, _, err = run(capsys, "encode", png, png.with_suffix(".aig"), "-o", "-")
    assert (code, "2 inputs do not go into one" in err) == (2, True)
    code, _, err = run(capsys, "encode", "-", png)
    assert (code, "name a folder with -o" in err) == (2, True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, err = run(capsys, "encode", png, "-o", "-")
    assert (code, out, "terminal" in err) == (2, "", True)


def test_python_m_is_the_command() -> None:
    done = piped("--version")
    assert done.stdout.decode().split() == ["aig", aig_codec.__version__]


# Sizes, and commands that are wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40000", 40_000),
        ("40k", 40_000),
        ("40kb", 40_000),
        ("40KB", 40_000),
        ("1.5 MB", 1_500_000),
        ("40KiB", 40_960),
        ("2mib", 2 * 1024**2),
        ("300b", 300),
        ("1g", 10**9),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "k", "0", "-4k", "4x", "40kk", "1.2.3", "nan", "4 0"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
        size(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("encode a.png --qualtiy 60", "there is no option --qualtiy; did you mean --quality?"),
        ("encode --centre=4,4 a.png", "there is no option --centre; did you mean --center?"),
        ("encode a.png --tune psrn", "psrn is not one of psnr, visual; did you mean psnr?"),
        ("encdoe a.png", "there is no command encdoe; did you mean encode?"),
        ("encode a.png --zzz", "there is no option --zzz ("),
        ("decode a.aig b.aig", "there is no place for 'b.aig'"),
        ("encode a.png --target-size 4x", "'4x' is not a size such as 40kb"),
        ("encode a.png --lossless --quality 3", "--lossless and --quality exclude each other"),
        ("encode a.png --lossless --target-size 3k", "--lossless and --target-size exclude"),
        ("report a.png --lossless --target-psnr 3", "--lossless and --target-psnr exclude"),
        ("convert a b --lossless --quality-level 3", "--lossless and --quality-level exclude"),
    ],
)
def test_a_wrong_command_gets_one_line(capsys, line: str, words: str) -> None:
    code, out, err = run(capsys, *line.split())
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("aig: error: ")
    assert err.count("\n") == 1


def test_a_black_mask_is_refused(folder: Path, capsys) -> None:
    black = folder / "black.png"
    Image.new("L", (75, 50)).save(black)
    code, _, err = run(capsys, "encode", folder / "photo.png", "--mask", black, "--force")
    assert (code, f"{black}: is black everywhere" in err) == (2, True)


def test_of_several_frames_it_is_said_that_one_is_looked_at(folder: Path, capsys) -> None:
    movie = folder / "movie.aig"
    frames = [np.asarray(picture())] * 2
    movie.write_bytes(aig_codec.encode_sequence(frames, lossless=True))
    for line in (("compare", folder / "photo.png", movie), ("report", movie)):
        code, _, err = run(capsys, *line)
        assert code == 0
        assert err == f"aig: note: {movie}: has 2 frames, of which this is about the first\n"


# verify


def test_verify_says_what_is_damaged(folder: Path, capsys) -> None:
    path = folder / "photo.aig"
    with aig_codec.open(path) as file:
        rows = {s.name: file.data_start + s.offset for s in file.segments}
    whole = path.read_bytes()
    assert run(capsys, "verify", path) == (0, f"{path}: sound, {len(rows)} parts\n", "")
    assert run(capsys, "verify", path, "--quiet") == (0, "", "")
    for name, offset in rows.items():
        damaged = bytearray(whole)
        damaged[offset] ^= 1
        path.write_bytes(damaged)
        code, told, err = run(capsys, "verify", path, "--quiet")
        assert (code, err) == (1, "")
        expected = (
            f"{path}: damaged, 1 of {len(rows)} parts\n  checksum of the {name} does not match\n"
        )
        assert told == expected
    path.write_bytes(whole[: rows["preview"] + 1])
    (found,) = json.loads(run(capsys, "verify", path, "--json")[1])
    assert not found["sound"]
    behind = [name for name, offset in rows.items() if offset >= rows["preview"]]
    assert [any(name in words for words in found["damage"]) for name in behind] == [True] * len(
        behind
    )
    assert not any("core" in words for words in found["damage"])


def test_verify_looks_at_every_frame_and_file(folder: Path, capsys) -> None:
    movie = folder / "movie.aig"
    frames = [np.asarray(picture("RGB", 75 + k)) for k in range(3)]
    data = bytearray(aig_codec.encode_sequence(frames, lossless=True))
    with aig_codec.open(bytes(data)) as file:
        starts = file.frame_table.offsets
        parts = sum(len(file.frame(k).segments) for k in range(3))
    data[starts[2] - 1] ^= 1  # the last byte of frame 1
    data[-1] ^= 1
    movie.write_bytes(data)
    code, told, err = run(capsys, "verify", folder / "photo.png", movie, folder / "photo.aig")
    assert code == 1
    assert err == f"aig: error: {folder / 'photo.png'}: not an AIG file\n"
    lines = told.splitlines()
    assert lines[0] == f"{movie}: damaged, 2 of {parts} parts"
    assert [line.split(":")[0] for line in lines[1:3]] == ["  frame 1", "  frame 2"]
    assert "sound" in lines[3]
    data[starts[1]] ^= 1  # the magic of frame 1
    movie.write_bytes(data)
    code, told, _ = run(capsys, "verify", movie)
    assert code == 1
    assert "frame 1: not an AIG file" in told
    assert "frame 2: checksum" in told
