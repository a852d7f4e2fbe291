"""The page of `aig report`."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import pictures

import aig_codec
from aig_codec import cli


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a <b> & c.png"
    Image.fromarray(pictures.grainy(200, 240, 3, 5)).save(path)
    return path


def run(capsys, *arguments):
    code = cli.main(["report", *map(str, arguments)])
    return code, *capsys.readouterr()


class Page(HTMLParser):
    """What a page consists of; every tag that is opened must be closed."""

    VOID = frozenset(("meta", "img", "input", "br"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            assert found["alt"]
            self.images.append(found["src"])
        self.addresses += [v for k, v in attrs if k in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def pixels(source: str) -> np.ndarray:
    data = base64.b64decode(source.partition("base64,")[2])
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_a_page_needs_nothing_else(photo: Path, capsys) -> None:
    code, out, err = run(
        capsys, photo, "--center", "100,90", "--radius", "30,40", "--label", "<dog>"
    )
    assert (code, err) == (0, "")
    target = photo.with_suffix(".html")
    assert out.startswith(str(target))
    text = target.read_text()
    page = Page(text)
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert "http" not in text
    assert 'name="viewport"' in text
    words = " ".join(page.words)
    for expected in ("a <b> & c.png", "<dog>", "240 x 200", "cores, bit-exact", "JPEG", "WebP"):
        assert expected in words
    original, decoded, drawn, error, first_crop, own_crop, *_ = map(pixels, page.images)
    np.testing.assert_array_equal(original, pictures.grainy(200, 240, 3, 5))
    # The middle of the core: equal in the picture, black in the map, and not covered by its mark.
    np.testing.assert_array_equal(decoded[100:106, 90:96], original[100:106, 90:96])
    assert error[100:106, 100:106].max() == 0
    assert (drawn != original).any()
    np.testing.assert_array_equal(first_crop, original[: len(first_crop), : first_crop.shape[1]])
    assert own_crop.shape == first_crop.shape


def test_decisions_are_called_by_their_name(photo: Path, tmp_path: Path, capsys) -> None:
    """Every kind of segment has a name of its own, and only what stands beside the picture is
    "profile, EXIF and the like"."""
    coded = tmp_path / "x.aig"
    data = aig_codec.encode(pictures.grainy(200, 240, 3, 5), explain=True, exif=b"Exif", xmp=b"XMP")
    coded.write_bytes(data)
    with aig_codec.open(data) as file:
        told = {kind: file.bytes_for(kind) for kind in ("decisions", "exif", "xmp")}
    assert told["decisions"] > 0
    assert run(capsys, photo, coded)[0] == 0
    words = " ".join(Page(photo.with_suffix(".html").read_text()).words)
    assert f"what the encoder chose, and why {told['decisions']:,} " in words
    assert f"profile, EXIF, XMP and text {told['exif'] + told['xmp']} " in words


def test_crops_are_one_to_one(photo: Path, capsys) -> None:
    """A pixel of the picture is a pixel of the page, whatever its width."""
    assert run(capsys, photo, "--center", "100,90", "--radius", "30")[0] == 0
    text = photo.with_suffix(".html").read_text()
    crops = text[text.index('<div class="crops">') :]
    sizes = re.findall(r'src="([^"]*)" width="(\d+)" height="(\d+)"', crops)
    assert len(sizes) >= 3
    for source, width, height in sizes:
        assert pixels(source).shape[:2] == (int(height), int(width))
    style = text[text.index("<style>") : text.index("</style>")]
    (rule,) = re.findall(r"\.crops img\{([^}]*)\}", style)
    assert "max-width:none" in rule
    assert not re.search(r"(?<!-)width", rule)
    # What does not fit stands below, and is not made smaller.
    assert "flex-wrap:wrap" in style


def test_rivals_have_no_more_bytes(photo: Path, capsys) -> None:
    coded = photo.with_suffix(".aig")
    coded.write_bytes(aig_codec.encode(pictures.grainy(200, 240, 3, 5), quality=60))
    assert run(capsys, photo, coded)[0] == 0
    page = Page(photo.with_suffix(".html").read_text())
    rows = re.findall(r"(AIG|JPEG|WebP|AVIF)\s+([\d,]+)", " ".join(page.words))
    sizes = {name: int(size.replace(",", "")) for name, size in rows}
    assert sizes["AIG"] == coded.stat().st_size
    assert all(0.5 * sizes["AIG"] < size <= sizes["AIG"] for size in sizes.values())


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_kinds_of_pictures(tmp_path: Path, capsys, channels: int) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(pictures.grainy(60, 80, channels, 5).squeeze()).save(path)
    assert run(capsys, path)[0] == 0
    Page((tmp_path / "a.html").read_text())
    assert run(capsys, path, "--lossless", "--force")[0] == 0
    words = " ".join(Page((tmp_path / "a.html").read_text()).words)
    assert "every pixel is exact" in words


def test_what_cannot_be_shown(photo: Path, tmp_path: Path, capsys) -> None:
    coded = tmp_path / "other.aig"
    coded.write_bytes(aig_codec.encode(pictures.grainy(20, 30, 3)))
    deep = tmp_path / "deep.png"
    Image.fromarray(np.zeros((5, 5), np.uint16)).save(deep)
    for arguments, code, words in (
        ((photo, coded), 1, "not of the same size"),
        ((photo, photo), 1, "not an AIG file"),
        ((photo, coded, "--quality", 3), 2, "not coded yet"),
        ((deep,), 1, "16 bits"),
        ((photo, "-o", photo), 1, "input itself"),
    ):
        found, _, err = run(capsys, *arguments)
        assert (found, words in err) == (code, True), err
    assert not list(tmp_path.glob("*.html"))
