"""Segment kinds, one row each: all that the package needs to know of them (format.md, 4).

A segment holds pixels of some classes, a map that says which pixels others hold, or bytes beside
the picture. Adding a kind is adding a row here, its text in docs/format.md, and a coder that
carries it.
"""

from enum import Enum
from typing import NamedTuple

#: Classes of pixels: those of the background, of the core of focus k (CORE + k), of its mid tier
#: (MID + k), and of screen content (format.md, 5).
BACKGROUND, CORE, MID, SCREEN_CONTENT = 0, 1, 5, 8
#: The last classes of cores and of the mid tier.
CORE_LAST, MID_LAST = 4, 7

#: What `decode(upto=)` may name, and what a picture that is still arriving goes through, in order.
STAGES = ("core", "preview", "mid", "full")


class Role(Enum):
    """What the bytes of a segment are about.

    MAP: which pixels other segments hold. EXACT: pixels that nothing painted later may change.
    LF_IMAGE: the picture at 1/8, which every other lossy segment is painted over. PIXELS: pixels of
    some classes, painted over what is there. ALPHA: the alpha outside the cores. RESIDUAL: what is
    to be added to the complete reconstruction, and to that alone. ANCILLARY: bytes beside the
    picture, stored as they are.
    """

    MAP = "map"
    EXACT = "exact"
    LF_IMAGE = "LF image"
    PIXELS = "pixels"
    ALPHA = "alpha"
    RESIDUAL = "residual"
    ANCILLARY = "ancillary"


class Kind(NamedTuple):
    """A row of the table.

    stage: the first of STAGES that needs the segment, None for ancillary bytes. classes: first and
    last class of the pixels that it holds, where these are known beforehand. z: place in the order
    of painting, from below to the top. title: what people read, in charts and legends.
    """

    name: str
    role: Role
    title: str
    stage: str | None = None
    classes: tuple[int, int] | None = None
    z: int = 0

    @property
    def is_painted(self) -> bool:
        """Whether it shows in the picture."""
        return self.role not in (Role.MAP, Role.ANCILLARY)

    @property
    def is_scaled(self) -> bool:
        """Whether pictures of a smaller scale show it as its coder decodes it at that scale.

        Exact pixels are averaged and blended in; residuals are left out (format.md, 8.1).
        """
        return self.role in (Role.LF_IMAGE, Role.PIXELS, Role.ALPHA)


#: Every kind, in the order of the file: a prefix of the file is a coarser picture. A kind's place
#: is its number in packed tables of contents, so new ones go to the end.
TABLE = (
    Kind("map", Role.MAP, "map of the cores", "core"),
    Kind("core", Role.EXACT, "cores, bit-exact", "core", (CORE, CORE_LAST), z=9),
    Kind("tiles", Role.MAP, "map of the screen content", "preview"),
    Kind("preview", Role.LF_IMAGE, "1/8 image", "preview", z=0),
    Kind("alpha", Role.ALPHA, "alpha", "mid", z=2),
    Kind("drawn", Role.PIXELS, "screen content", "mid", (SCREEN_CONTENT, SCREEN_CONTENT), z=4),
    Kind("mid", Role.PIXELS, "mid tier", "mid", (MID, MID_LAST), z=3),
    Kind("background", Role.PIXELS, "background", "full", (BACKGROUND, BACKGROUND), z=1),
    Kind("boundary", Role.RESIDUAL, "residuals between tiers", "full", z=8),
    Kind("icc", Role.ANCILLARY, "ICC colour profile"),
    Kind("exif", Role.ANCILLARY, "EXIF"),
    Kind("xmp", Role.ANCILLARY, "XMP"),
    Kind("text", Role.ANCILLARY, "text"),
    Kind("decisions", Role.ANCILLARY, "what the encoder chose, and why"),
    Kind("frames", Role.ANCILLARY, "where other frames lie"),
)

#: The names alone, and the rows by name.
KINDS = tuple(kind.name for kind in TABLE)
OF_NAME = {kind.name: kind for kind in TABLE}

#: The kinds that each stage adds to the one before it.
ADDED_AT = {stage: tuple(kind.name for kind in TABLE if kind.stage == stage) for stage in STAGES}


def named(*roles: Role) -> frozenset[str]:
    """The names of all kinds of some roles."""
    return frozenset(kind.name for kind in TABLE if kind.role in roles)


#: The names of all kinds that are needed for each stage.
NEEDED_FOR = {
    stage: frozenset(name for before in STAGES[: k + 1] for name in ADDED_AT[before])
    for k, stage in enumerate(STAGES)
}

#: Kinds that only pictures with lossy tiers have.
OF_LOSSY = frozenset(kind.name for kind in TABLE if kind.stage not in (None, "core"))
MAPS, ANCILLARY = named(Role.MAP), named(Role.ANCILLARY)
#: What has to be there for the smallest scale.
SMALLEST = named(Role.EXACT, Role.LF_IMAGE)
