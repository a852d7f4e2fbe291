"""The options of `encode()` and of everything that saves AIG, declared once.

The fields of `EncodeOptions` have a type and an `Option`: a sentence, a range or choices, and the
value that is meant where the option is left out. From these come what type checkers refuse, what
`settings.py` checks, what `help()` shows, the options of the command line, and the table of
docs/options.md.

>>> from typing import Unpack
>>> def archive(path: str, **options: Unpack[EncodeOptions]) -> None: ...
"""

import inspect
import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Protocol,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    TypedDict,
    TypeVar,
    get_args,
)

from ..checking import closest

if TYPE_CHECKING:
    from typing_extensions import Buffer as Buffer

    from ..container import Label
else:
    # What gives its bytes: Python names it from 3.12 on. And what `help` can do without.
    Buffer = Label = Any

T_co = TypeVar("T_co", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])


class Array(Protocol):
    """What NumPy makes an array of: its own, and tensors."""

    def __array__(self) -> Any: ...


class ImageLike(Protocol):
    """An image of Pillow's, and others with NumPy's older protocol."""

    @property
    def __array_interface__(self) -> Any: ...


class Listed(Protocol[T_co]):
    """A list or a tuple, and no text, although that is a sequence of texts."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __getitem__(self, index: SupportsIndex, /) -> T_co: ...
    def __contains__(self, value: object, /) -> bool: ...


#: Python's numbers, NumPy's, and tensors of one.
Number: TypeAlias = SupportsFloat | SupportsIndex
Whole: TypeAlias = SupportsIndex
_Row: TypeAlias = Sequence[Number] | Array
_Rows: TypeAlias = Sequence[_Row] | Array

Centers: TypeAlias = Literal["auto"] | _Rows | Callable[[Any], Any]
Radii: TypeAlias = Sequence[Number | _Row] | Array
Mask: TypeAlias = Array | ImageLike | Sequence[Sequence[int]]
Boxes: TypeAlias = _Rows
Labels: TypeAlias = Listed[str | Mapping[str, object] | Label | None]
Shapes: TypeAlias = Number | Array | Sequence[Number | _Row | Sequence[Sequence[Number]]]
Angles: TypeAlias = Number | Array | Sequence[Number]


@dataclass(frozen=True)
class Option:
    """What is to be known of an option besides its type.

    help: what it means, in Markdown, without capital and full stop. default: what is meant where it
    is left out, unless that depends on the image. low, high: the range of numbers. whole: whether
    they are integers. name, choices: filled in from the declaration.
    """

    help: str
    default: Any = None
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    name: str = ""
    choices: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        """Range or choices, and the default, as texts show them; empty if there are none."""
        parts = []
        if math.isfinite(self.low):
            open_ended = self.high >= 2**40  # no bound that anybody meets
            low, high = _written(self.low), _written(self.high)
            parts.append(f"from {low}" if open_ended else f"{low} to {high}")
        if self.choices:
            parts.append(", ".join(f'`"{choice}"`' for choice in self.choices))
        if self.default is not None:
            plain = isinstance(self.default, (int, float))
            parts.append(f"default {self.default}" if plain else f'default `"{self.default}"`')
        return "; ".join(parts)

    @property
    def meaning(self) -> str:
        """The sentence, with range or choices and the default behind it."""
        return f"{self.help} ({self.limits})" if self.limits else self.help


def _written(value: float) -> str:
    return f"{value:.4f}" if 0 < value < 0.1 else f"{value:.0f}" if value >= 10 else f"{value:g}"


class _Places(TypedDict, total=False):
    """What may differ from frame to frame, as it is for one image."""

    centers: Annotated[
        Centers | None,
        Option(
            "1 to 3 points `(x, y)` around which pixels are exact; or a function of the image that "
            "returns them, or boxes: your detector",
            default="auto",
        ),
    ]
    radii: Annotated[
        Radii | None,
        Option(
            "per center `(core, mid)`, or the core's alone, in pixels where Sigma is 1; left out: "
            "chosen by rate and distortion",
            low=0,
            high=65535,
        ),
    ]
    mask: Annotated[
        Mask | None,
        Option(
            "instead of centers: exact is what is not 0 in an array or image; its values tell "
            "objects apart"
        ),
    ]
    boxes: Annotated[
        Boxes | None,
        Option(
            "instead of centers: exact are rectangles `(left, top, right, bottom)`, right and "
            "bottom exclusive"
        ),
    ]
    labels: Annotated[
        Labels | None,
        Option(
            "per center, box or object of a mask: what it shows, as a name, "
            '`{"name": .., "class": .., "score": ..}`, or `None`'
        ),
    ]


class _PlacesOfFrames(TypedDict, total=False):
    """The same for files of several frames: one for all, or a list with one for each."""

    # One sequence of either, and not one or the other sequence: type checkers need the hint.
    centers: (
        Literal["auto"]
        | Array
        | Callable[[Any], Any]
        | Sequence[Literal["auto"] | _Row | _Rows | None]
        | None
    )
    radii: Radii | Sequence[Radii | None] | None
    mask: Mask | Sequence[Mask | None] | None
    boxes: Boxes | Sequence[Boxes | None] | None
    labels: Labels | Sequence[Labels | None] | None


class _Coding(TypedDict, total=False):
    """How to code, the same for all frames."""

    sigmas: Annotated[
        Shapes | None,
        Option(
            "per center a number, a pair or a diagonal 2x2 array, or a number for all: squares of "
            "the ellipse's relative semi-axes; `Sigmas` works too",
            low=2 ** (-83 / 12),
            high=2 ** (171 / 12),
        ),
    ]
    Sigmas: Annotated[Shapes | None, Option("`sigmas`, as the specification names it")]
    alphas: Annotated[
        Angles | None,
        Option(
            "per center or one for all: how much the angle adds to the distance", low=0, high=2.55
        ),
    ]
    quality: Annotated[
        Number | None, Option("of the lossy tiers, on Pillow's scale", default=75, low=0, high=100)
    ]
    quality_level: Annotated[
        Whole | None,
        Option(
            "instead of `quality`: the same on the specification's scale",
            low=0,
            high=255,
            whole=True,
        ),
    ]
    target_size: Annotated[
        Whole | None,
        Option(
            "instead of a quality: the most bytes that the whole file may take",
            low=1,
            high=2**40,
            whole=True,
        ),
    ]
    target_psnr: Annotated[
        Number | None,
        Option("instead of a quality: dB outside the cores", low=0, high=100),
    ]
    lambda_rd: Annotated[
        Number | None,
        Option(
            "weight of the bits in the search of radii: larger gives smaller cores",
            default=0.02,
            low=0,
            high=1e6,
        ),
    ]
    lossless: Annotated[
        bool | None,
        Option(
            "every pixel exact, or only the cores (`False`); left out: the cores, and everything "
            "where that takes no more bytes"
        ),
    ]
    mid: Annotated[
        Literal["auto", "palette", "dct", "none"] | None,
        Option(
            "how the tier around the cores is coded; `auto`: text and flat graphics are drawn, the "
            "rest transformed",
            default="auto",
        ),
    ]
    coders: Annotated[
        Mapping[str, str] | None,
        Option(
            "other coders by the segment that they are to code, as in "
            '`{"background": "foo"}`; also for `mid` and, of coders that are exact, `core`; those '
            "of other packages are installed beside this one"
        ),
    ]
    palette_space: Annotated[
        Literal["oklab", "hsv"] | None,
        Option('colour space in which palettes are fitted, for `mid="palette"`', default="oklab"),
    ]
    entropy: Annotated[
        Literal["auto", "adaptive", "rans", "golomb", "snappy"] | None,
        Option(
            "entropy coder of the lossy tiers; `snappy` is the original specification's",
            default="auto",
        ),
    ]
    effort: Annotated[
        Whole | None,
        Option(
            "time spent on size; from 7 on the boundary tier is tried, and exact pixels take a "
            "tenth less, but two microseconds each, in decoding too (with 7, if they are at most "
            "300 000); from 8 on palettes are fitted by scikit-learn; arrays on a GPU are "
            "transformed there with 1 to 3",
            default=5,
            low=1,
            high=9,
            whole=True,
        ),
    ]
    tune: Annotated[
        Literal["psnr", "visual"] | None,
        Option(
            "what to optimise: `psnr`, the squared error; `visual`, the visible error: coarser "
            "where it is least visible",
            default="psnr",
        ),
    ]
    subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"] | None,
        Option("of chroma in the lossy tiers", default="auto"),
    ]
    boundary_tau: Annotated[
        Number | None,
        Option("keep errors above it in the band between tiers", low=0, high=255),
    ]
    preset: Annotated[
        Literal["photo", "document", "dataset", "tracking", "medical", "surveillance"] | None,
        Option("settings for an application; other options have precedence over them"),
    ]
    explain: Annotated[
        bool | None,
        Option(
            "whether the choices of the encoder and their reasons are recorded in the file "
            "(`aig info --why`); left out: if it chose foci or level, and the record is small"
        ),
    ]
    threads: Annotated[
        Whole | None,
        Option(
            "how many; left out: the number given to `aig_codec.set_threads`, else `AIG_THREADS`, "
            "else the processors this process may use",
            low=1,
            high=1024,
            whole=True,
        ),
    ]


class _Said(TypedDict, total=False):
    """What a file holds besides pixels."""

    exif: Annotated[Buffer | None, Option("EXIF as bytes; in `save` also `PIL.Image.Exif`")]
    icc_profile: Annotated[Buffer | None, Option("ICC profile as bytes")]
    xmp: Annotated[Buffer | None, Option("XMP as bytes")]
    dpi: Annotated[
        Sequence[Number] | Array | None,
        Option("pixels per inch, `(horizontal, vertical)`", low=0, high=1e6),
    ]
    text: Annotated[Mapping[str, str] | None, Option("texts by keyword")]
    comment: Annotated[str | None, Option("a text; the entry `comment` of `text`")]


class CodingOptions(_Places, _Coding, total=False):
    """Every option of `encode` that says how to code."""


class EncodeOptions(_Places, _Coding, _Said, total=False):
    """Every option of `encode`."""


class SequenceOptions(_PlacesOfFrames, _Coding, _Said, total=False):
    """Every option of `encode_sequence` but duration and loop."""


class FrameOptions(_PlacesOfFrames, _Coding, total=False):
    """Every option of `encode_sequence` that says how to code."""


def _declared(*tables: Any) -> dict[str, Option]:
    found = {}
    for table in tables:
        for name, declared in table.__annotations__.items():
            (option,) = declared.__metadata__
            choices = tuple(
                value
                for kind in get_args(get_args(declared)[0])
                for value in get_args(kind)
                if isinstance(value, str)
            )
            # Of centers, "auto" is one of many values.
            found[name] = replace(option, name=name, choices=choices if len(choices) > 1 else ())
    return found


#: Every option by its name, in the order of texts: where, how, and what else is stored.
OPTIONS: Mapping[str, Option] = _declared(_Places, _Coding, _Said)

#: Those that say how to code.
KEYWORDS: frozenset[str] = frozenset(_declared(_Places, _Coding))

#: Words that are no typing errors, and what is called so here.
_ELSEWHERE = {
    **dict.fromkeys(("focus", "foci", "point", "points", "roi_center"), "centers"),
    **dict.fromkeys(("radius", "core_radius"), "radii"),
    **dict.fromkeys(("bbox", "bboxes", "roi", "rois", "rect", "rects", "rectangles"), "boxes"),
    **dict.fromkeys(("file_size", "filesize", "max_size", "max_bytes"), "target_size"),
    **dict.fromkeys(("icc", "profile"), "icc_profile"),
    "psnr": "target_psnr",
    "lambda": "lambda_rd",
}


def meant(name: str, more: Iterable[str] = ()) -> str | None:
    """The option, of these and `more`, that an unknown one was probably to be."""
    return _ELSEWHERE.get(name.lower()) or closest(name, [*OPTIONS, *more])


def refuse_unknown(function: str, names: Iterable[str], more: Iterable[str] = ()) -> None:
    """Raise TypeError, as Python does, for names that are neither options nor among `more`."""
    unknown = sorted(set(names) - OPTIONS.keys() - set(more))
    if not unknown:
        return
    near = [found for name in unknown if (found := meant(name, more))]
    raise TypeError(
        f"{function}() has no keyword {', '.join(unknown)}"
        + (f": did you mean {', '.join(dict.fromkeys(near))}?" if near else "")
    )


# Texts


def table() -> str:
    """The options as docs/options.md has them, in Markdown."""
    lines = ["| keyword | meaning |", "|---|---|"]
    lines += [f"| `{o.name}` | {o.meaning} |" for o in OPTIONS.values() if o.name != "Sigmas"]
    return "\n".join(lines) + "\n"


def listing(names: Iterable[str] = OPTIONS) -> str:
    """The options as docstrings have them."""
    entries = (f"{name}: {OPTIONS[name].meaning}." for name in names)
    return "\n".join(
        textwrap.fill(entry.replace("`", ""), 96, subsequent_indent="    ", break_on_hyphens=False)
        for entry in entries
    )


def documented(function: F) -> F:
    """Complete the docstring and the signature of a function that takes `**options` of ours, so
    that `help()` and completion name them all."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    names = [name for name in OPTIONS if name not in signature.parameters]
    optional = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=OPTIONS[name].default)
        for name in names
    ]
    # Static checkers see the function's own signature.
    function.__signature__ = signature.replace(parameters=[*own, *optional])  # type: ignore[attr-defined]
    text = inspect.cleandoc(function.__doc__ or "")
    function.__doc__ = f"{text}\n\nOptions:\n\n{listing()}\n"
    return function
