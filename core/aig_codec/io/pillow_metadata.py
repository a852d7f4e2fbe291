"""Metadata of other formats: what Pillow found in a file, as AIG stores it, and what is lost."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

#: What a TIFF file says that EXIF says by the same numbers: description, maker, software, times,
#: people, rights, GPS. The rest of its tags say how its pixels are stored.
_TIFF_AS_EXIF = frozenset(
    (269, 270, 271, 272, 274, 285, 305, 306, 315, 316, 700, 33432, 34665, 34853)
)

#: How the pixels of a TIFF file are stored, or what has a place of its own in AIG.
_TIFF_OF_PIXELS = frozenset(
    (
        *range(254, 267),
        *(273, 277, 278, 279, 280, 281, 282, 283, 284, 286, 287, 290, 291, 292, 293, 296, 297),
        *(301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338, 339),
        *(340, 341, 342, 343, 347, *range(512, 522), 529, 530, 531, 532, 34675),
    )
)

#: Entries that Pillow shows as text of PNG files, and elsewhere too.
_ELSEWHERE = ("XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type APP1")

#: Gamma and chromaticities of sRGB, as PNG writes them.
_SRGB_GAMMA = 0.45455
_SRGB_POINTS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)

#: Number of the IPTC record among Photoshop's resources.
_IPTC = 0x0404


def words_of(image: "Image.Image") -> tuple[dict[str, Any], list[str]]:
    """What a file says in words, as keywords of `encode`, and what of it is lost."""
    text: dict[str, str] = {}
    entries = getattr(image, "text", None)
    for key, value in entries.items() if isinstance(entries, dict) else ():
        if key not in _ELSEWHERE:
            text[str(key)] = str(value)
    comment: Any = image.info.get("comment")
    if isinstance(comment, bytes):
        # JPEG and GIF say nothing of the encoding.
        try:
            comment = comment.decode()
        except UnicodeDecodeError:
            comment = comment.decode("latin-1")
    found: dict[str, Any] = {}
    if text:
        found["text"] = text
    if isinstance(comment, str) and comment:
        found["comment"] = comment.rstrip("\0")
    photoshop = image.info.get("photoshop")
    lost = isinstance(photoshop, dict) and photoshop.get(_IPTC)
    return found, ["its IPTC record was left out"] if lost else []


def metadata_of(image: "Image.Image") -> tuple[dict[str, Any], list[str]]:
    """EXIF, profile, XMP and resolution of an image that has been loaded, as keywords of `encode`,
    and what else it has and AIG cannot store."""
    found: dict[str, Any] = {}
    # A profile that says how to print in CMYK says nothing about RGB.
    names = ("exif", "xmp") if image.mode == "CMYK" else ("exif", "icc_profile", "xmp")
    for name in names:
        value = image.info.get(name)
        if name == "xmp" and not value:
            value = image.info.get("XML:com.adobe.xmp")
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes) and value:
            found[name] = value
    lost = []
    if image.format == "TIFF":
        found |= _exif_of_tiff(image)
        tags = sorted(set(getattr(image, "tag_v2", ())) - _TIFF_AS_EXIF - _TIFF_OF_PIXELS)
        if tags:
            lost.append(f"its TIFF tags {', '.join(map(str, tags))} were left out")
    elif "exif" not in found and any(key in image.info for key in _ELSEWHERE[1:]):
        exif = image.getexif()
        if exif:
            found["exif"] = exif.tobytes()
    lost += _lost_colours(image, "icc_profile" in found)
    dpi = _dpi(image)
    return found if dpi is None else {**found, "dpi": dpi}, lost


def _exif_of_tiff(image: "Image.Image") -> dict[str, bytes]:
    from PIL import Image

    exif = Image.Exif()
    own = image.getexif()
    for tag in _TIFF_AS_EXIF - {700}:
        # Those of EXIF itself and of GPS are folders: where they lie in the file says nothing.
        value: Any = own.get_ifd(tag) if tag in (34665, 34853) else own.get(tag)
        if value:
            exif[tag] = value
    return {"exif": exif.tobytes()} if len(exif) else {}


def _lost_colours(image: "Image.Image", has_profile: bool) -> list[str]:
    """What a PNG file says of its colours, other than that they are those of sRGB."""
    if has_profile or "srgb" in image.info:
        return []
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    other_gamma = isinstance(gamma, float) and abs(gamma - _SRGB_GAMMA) > 0.005
    other_points = isinstance(points, tuple) and any(
        abs(a - b) > 0.005 for a, b in zip(points, _SRGB_POINTS, strict=False)
    )
    if other_gamma or other_points:
        return ["its gamma and chromaticities, which are not those of sRGB, were left out"]
    return []


def _dpi(image: "Image.Image") -> tuple[float, float] | None:
    try:
        x, y = (float(v) for v in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # Some cameras write 0 or nonsense, which is no reason to refuse their pictures.
    return (x, y) if 0 < x <= 1e6 and 0 < y <= 1e6 and math.isfinite(x * y) else None
