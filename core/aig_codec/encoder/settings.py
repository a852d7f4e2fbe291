"""The keywords of `encode()` and `save()`, checked and completed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checking
from ..checking import as_float, is_list, shown
from ..container.header import MAX_CENTERS, MAX_SIGMA, MIN_SIGMA
from ..container.kinds import Role, named
from ..container.metadata import MAX_NAME, MAX_RADIUS, MAX_SCORE, RADIUS_STEP, Label
from . import masks, options
from .options import OPTIONS, refuse_unknown

#: The specification's application settings, and three for everyday work: any keyword, and `sigma`
#: and `alpha` for all centers. Explicit keywords win over them.
PRESETS: dict[str, dict[str, Any]] = {
    "photo": {"quality": 75, "tune": "visual"},
    "document": {"quality": 85, "lambda_rd": 0.05, "subsampling": "4:4:4"},
    "dataset": {"quality": 85, "lambda_rd": 0.01, "effort": 7},
    "tracking": {"sigma": (2.0, 1.5), "alpha": 0.05, "quality_level": 200, "lambda_rd": 0.01},
    "medical": {"sigma": (3.0, 3.0), "alpha": 0.02, "quality_level": 240, "lambda_rd": 0.005},
    "surveillance": {"sigma": (1.0, 1.0), "alpha": 0.15, "quality_level": 96, "lambda_rd": 0.05},
}

#: The names of all keywords that `parse` knows.
KEYWORDS = options.KEYWORDS

MIDS = OPTIONS["mid"].choices
PALETTE_SPACES = OPTIONS["palette_space"].choices
ENTROPIES = OPTIONS["entropy"].choices
TUNES = OPTIONS["tune"].choices
SUBSAMPLINGS = OPTIONS["subsampling"].choices

DEFAULT_QUALITY = OPTIONS["quality"].default
DEFAULT_LAMBDA = OPTIONS["lambda_rd"].default
#: What steers the tiers with loss, which images of 16 bits have not.
OF_LOSSY_TIERS = (
    *("quality", "quality_level", "target_size", "target_psnr", "lambda_rd", "preset", "radii"),
    *("mid", "coders", "palette_space", "entropy", "tune", "subsampling", "boundary_tau"),
)
#: The kinds of segments whose coder may be asked for by name; those of them that are exact.
CHOOSABLE = ("mid", "background", "core")
_EXACT_KINDS = named(Role.EXACT)
#: What says how good the lossy tiers are to be.
_RATES = {"quality", "quality_level", "target_size", "target_psnr"}
#: What asks for a size or an error instead of a quality.
_TARGETS = {"target_size", "target_psnr"}
#: What `mask` and `boxes` say in another way.
_PLACES = ("boxes", "centers", "sigmas", "alphas", "radii")
#: Mid radius over core radius where only the core's is given.
MID_RATIO = 1.25


@dataclass(frozen=True)
class Settings:
    """What the encoder is asked for, every value checked; None means that the encoder chooses."""

    centers: tuple[tuple[int, int], ...] | None
    sigmas: tuple[tuple[float, float], ...] | None
    sigma: tuple[float, float]
    alpha_codes: tuple[int, ...] | None
    alpha_code: int
    radii: tuple[tuple[float, float], ...] | None
    labels: tuple[Label | None, ...]
    cores: masks.CoreMap | None
    #: Whether Sigma was given, if only by a preset.
    shaped: bool
    target_size: int | None
    target_psnr: float | None
    explain: bool | None
    quality_level: int
    lambda_rd: float
    lossless: bool
    #: Whether a picture that takes no more bytes without loss may be stored so: not if that was
    #: ruled out, nor if tiers were asked for that need some.
    may_be_exact: bool
    mid: str
    #: By kind of segment, the coders that were asked for by name.
    coders: Mapping[str, str]
    palette_space: str
    entropy: str
    effort: int
    tune: str
    subsampling: str
    boundary_tau: float | None
    threads: int | None

    def sigma_of(self, k: int) -> tuple[float, float]:
        """Diagonal of Sigma of center k."""
        return self.sigmas[k] if self.sigmas else self.sigma

    def alpha_code_of(self, k: int) -> int:
        """Alpha x 100 of center k."""
        return self.alpha_codes[k] if self.alpha_codes else self.alpha_code


def level_from_quality(quality: float) -> int:
    """Quality level 0..255 of Pillow's scale 0..100."""
    return round(quality * 255 / 100)


def parse(
    width: int,
    height: int,
    keywords: Mapping[str, Any],
    bits: int = 8,
) -> Settings:
    """Check the keywords of `encode` for an image of this size and of so many bits per sample.

    Raises ValueError that says what is allowed, and TypeError for a keyword that there is not.
    """
    refuse_unknown("encode", keywords)
    # None stands for what is left out, whatever the option.
    keywords = {n: v for n, v in keywords.items() if v is not None and n in KEYWORDS}
    if bits != 8:
        keywords = _lossless_only(bits, keywords)
    preset = keywords.get("preset")
    if preset is not None:
        keywords = _completed(keywords, PRESETS[checking.choice("preset", preset, tuple(PRESETS))])
    try:
        wanted = _parse(width, height, **keywords)
    except (TypeError, OverflowError) as error:
        # NumPy and the builtins say so when a value is of no use at all.
        raise ValueError(f"an argument is of the wrong type: {error}") from error
    _require_depth(wanted.coders, bits)
    return wanted


def _require_depth(coders: Mapping[str, str], bits: int) -> None:
    from ..coders import registry

    for name in coders.values():
        coder = registry.find(name)
        if coder is not None and bits not in coder.depths:
            raise ValueError(f"coder {name} does not take samples of {bits} bits")


def _parse(
    width: int,
    height: int,
    *,
    centers: Any = None,
    sigmas: Any = None,
    Sigmas: Any = None,
    alphas: Any = None,
    radii: Any = None,
    mask: Any = None,
    boxes: Any = None,
    labels: Any = None,
    quality: Any = None,
    quality_level: Any = None,
    target_size: Any = None,
    target_psnr: Any = None,
    explain: Any = None,
    lambda_rd: Any = None,
    lossless: Any = None,
    mid: Any = None,
    palette_space: Any = None,
    entropy: Any = None,
    effort: Any = None,
    tune: Any = None,
    subsampling: Any = None,
    boundary_tau: Any = None,
    preset: Any = None,
    coders: Any = None,
    threads: Any = None,
) -> Settings:
    if sigmas is not None and Sigmas is not None:
        raise ValueError("give sigmas or Sigmas, not both")
    sigmas = Sigmas if sigmas is None else sigmas
    if quality is not None and quality_level is not None:
        raise ValueError("give quality (0..100) or quality_level (0..255), not both")
    rates = {"quality": quality, "quality_level": quality_level}
    rates |= {"target_size": target_size, "target_psnr": target_psnr}
    given = [name for name, value in rates.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"give one of {', '.join(given)}, not {len(given)} of them")
    lossless = None if lossless is None else checking.flag("lossless", lossless)
    if lossless and set(given) & _TARGETS:
        raise ValueError(f"{given[0]} is for pictures with some loss: leave out lossless")
    base = {} if preset is None else PRESETS[preset]

    cores = None
    if mask is not None or boxes is not None:
        both = {"boxes": boxes if mask is not None else None, "radii": radii, "alphas": alphas}
        named = None if isinstance(centers, str) and centers == "auto" else centers
        masks.require_alone({"centers": named, "sigmas": sigmas, **both}, _PLACES)
        if mask is not None:
            cores = masks.from_mask(mask, width, height)
        else:
            cores = masks.from_boxes(boxes, width, height)
    points = _centers(centers, width, height)
    shaped = sigmas is not None or "sigma" in base
    if points is None and is_list(sigmas) and np.shape(sigmas) == (2,):
        one_sigma, sigmas = sigmas, None  # one pair for all that will be found
    elif sigmas is None or as_float(sigmas) is None:
        one_sigma = base.get("sigma", (1.0, 1.0))
    else:
        one_sigma, sigmas = sigmas, None
    if alphas is None or as_float(alphas) is None:
        one_alpha = base.get("alpha", 0.0)
    else:
        one_alpha, alphas = alphas, None
    n = cores.cores if cores else len(points) if points else 0
    per_center = {"sigmas": sigmas, "alphas": alphas, "radii": radii, "labels": labels}
    lists = {name: _per_center(name, v, n) for name, v in per_center.items() if v is not None}
    if quality is not None:
        level = level_from_quality(_number("quality", quality))
    elif quality_level is not None:
        level = _integer("quality_level", quality_level)
    else:
        level = level_from_quality(DEFAULT_QUALITY)
    chosen = {"mid": mid, "palette_space": palette_space, "entropy": entropy}
    chosen |= {"tune": tune, "subsampling": subsampling}
    names = {name: _choice(name, value) for name, value in chosen.items()}
    chosen_coders = {} if coders is None else _coders(coders)
    if "mid" in chosen_coders and mid is not None:
        raise ValueError("give mid or coders={'mid': ..}, not both")
    tiers_asked = boundary_tau is not None or {names["mid"], names["entropy"]} != {"auto"}
    tiers_asked = tiers_asked or bool(set(chosen_coders) - _EXACT_KINDS)
    return Settings(
        centers=points,
        sigmas=tuple(map(_sigma, lists["sigmas"])) if "sigmas" in lists else None,
        sigma=_sigma(one_sigma),
        alpha_codes=tuple(map(_alpha, lists["alphas"])) if "alphas" in lists else None,
        alpha_code=_alpha(one_alpha),
        radii=tuple(map(_radii, lists["radii"])) if "radii" in lists else None,
        labels=tuple(map(_label, lists.get("labels", ()))),
        cores=cores,
        shaped=shaped,
        target_size=None if target_size is None else _integer("target_size", target_size),
        target_psnr=None if target_psnr is None else _number("target_psnr", target_psnr),
        explain=None if explain is None else checking.flag("explain", explain),
        quality_level=level,
        lambda_rd=_number("lambda_rd", lambda_rd),
        lossless=bool(lossless),
        may_be_exact=lossless is None and not tiers_asked,
        **names,
        coders=chosen_coders,
        effort=_integer("effort", effort),
        boundary_tau=None if boundary_tau is None else _number("boundary_tau", boundary_tau),
        threads=None if threads is None else _integer("threads", threads),
    )


def _completed(keywords: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """The keywords, and what a preset says where they are silent."""
    given = {name for name, value in keywords.items() if value is not None}
    if given & _RATES:
        given |= _RATES
    return {**keywords, **{n: v for n, v in base.items() if n in KEYWORDS and n not in given}}


def _lossless_only(bits: int, keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords for samples that are stored without loss, whether that was said or not.

    Who asks for some loss gets an error and no larger file than expected. With lossless=True there
    is no such mistake, and keywords of the lossy tiers mean as little as for 8 bits.
    """
    lossless = keywords.get("lossless")
    asked = []
    if lossless is None:
        asked = asks_for_loss(keywords)
    elif not lossless:
        asked = ["lossless=False"]
    if asked:
        raise ValueError(
            f"samples of {bits} bits are stored without loss: leave out {', '.join(asked)}"
        )
    return {**keywords, "lossless": True}


def asks_for_loss(keywords: Mapping[str, Any]) -> list[str]:
    """The keywords that steer the lossy tiers and are given."""
    return [name for name in OF_LOSSY_TIERS if _differs(name, keywords.get(name))]


def _differs(name: str, value: Any) -> bool:
    """Whether a value asks for anything but the default, which is None or a string."""
    if isinstance(value, str):
        return bool(value != OPTIONS[name].default)
    if isinstance(value, Mapping):
        return not _EXACT_KINDS.issuperset(value)
    return value is not None


def _coders(values: Any) -> dict[str, str]:
    """Coders by kind of segment, each of them there and fit for it. Raises ValueError."""
    from ..coders import registry

    if not isinstance(values, Mapping):
        raise ValueError(f"coders={shown(values)} is not names by kind, as in {{'mid': 'foo'}}")
    found = {}
    for kind, name in values.items():
        checking.choice("a kind in coders", kind, CHOOSABLE)
        coder = registry.find(name) if isinstance(name, str) else None
        if coder is None or kind not in coder.carries:
            there = ", ".join(registry.names_for(kind))
            raise ValueError(f"coders: {shown(name)} is not one for {kind}; there are {there}")
        found[kind] = coder.name
    return found


def _number(name: str, value: Any) -> float:
    option = OPTIONS[name]
    return checking.number(
        name, option.default if value is None else value, option.low, option.high
    )


def _integer(name: str, value: Any) -> int:
    option = OPTIONS[name]
    value = option.default if value is None else value
    return checking.integer(name, value, int(option.low), int(option.high))


def _choice(name: str, value: Any) -> str:
    option = OPTIONS[name]
    return checking.choice(name, option.default if value is None else value, option.choices)


def _centers(centers: Any, width: int, height: int) -> tuple[tuple[int, int], ...] | None:
    if centers is None or (isinstance(centers, str) and centers == "auto"):
        return None
    if isinstance(centers, str):
        raise ValueError(f"centers must be a list of (x, y) or 'auto', not {shown(centers)}")
    points = checking.rows("centers", centers, "(x, y)")
    if not 1 <= len(points) <= MAX_CENTERS:
        raise ValueError(f"{len(points)} centers were given; 1 to {MAX_CENTERS} are allowed")
    out = []
    for point in points:
        x, y = (math.floor(v + 0.5) for v in point)
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"center ({x}, {y}) lies outside the {width} x {height} image")
        out.append((x, y))
    return tuple(out)


def _per_center(name: str, values: Any, n: int) -> list[Any]:
    """The entries of an option that has one for each center. Raises ValueError."""
    number = as_float(values)
    if number is not None or not is_list(values) or isinstance(values, Label):
        # Of these one is meant for all, or for the only one.
        fits = number is not None or name == "labels"
        raise ValueError(
            f"{name}={shown(values)} is of the wrong type: a list with an entry for each center "
            "is needed"
            + (f": write {name}=[{', '.join([shown(values)] * max(n, 1))}]" if fits else "")
            + ("" if n else "; and centers, which it needs")
        )
    entries: list[Any] = list(values)
    if not n:
        raise ValueError(f"{name} per center need centers: give those too")
    if len(entries) != n:
        pair = n == 1 and len(entries) == 2 and name in ("radii", "sigmas")
        flat = pair and all(as_float(v) is not None for v in entries)
        raise ValueError(
            f"{name} has {len(entries)} entries for {n} centers; one for each is needed"
            + (f": write {name}=[{tuple(entries)!r}]" if flat else "")
        )
    return entries


def _sigma(value: Any) -> tuple[float, float]:
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Sigma must be a number, a pair or a diagonal 2 x 2 array, not {shown(value)}"
        ) from error
    if array.shape == (2, 2):
        if array[0, 1] or array[1, 0]:
            raise ValueError("Sigma must be diagonal")
        array = array.diagonal()
    if array.shape not in ((), (1,), (2,)):
        raise ValueError(
            f"Sigma must be a number, a pair or a diagonal 2 x 2 array, not {shown(value)}"
        )
    x, y = np.broadcast_to(array, (2,)).tolist()
    for v in (x, y):
        if not v > 0:
            raise ValueError(f"Sigma must be above 0, not {v!r}")
        if not MIN_SIGMA <= v <= MAX_SIGMA:
            raise ValueError(f"Sigma must be from {MIN_SIGMA:.4f} to {MAX_SIGMA:.0f}, not {v!r}")
    return _float32(x), _float32(y)


def _float32(value: float) -> float:
    """The least float32 that is not below `value`: the pixels asked for stay inside."""
    rounded = np.float32(value)
    if rounded < value:
        rounded = np.nextafter(rounded, np.float32(np.inf))
    return float(rounded)


def _alpha(value: Any) -> int:
    return round(_number("alphas", value) * 100)


def parse_dpi(value: Any) -> tuple[float, float] | None:
    """Pixels per inch, (horizontal, vertical), or None. Raises ValueError."""
    if value is None:
        return None
    one = as_float(value)
    if one is not None:
        raise ValueError(f"dpi must be a pair of numbers: write dpi=({one:g}, {one:g})")
    pair = list(value) if is_list(value) else []
    if len(pair) != 2:
        raise ValueError(f"dpi must be a pair of numbers, not {shown(value)}")
    return _number("dpi", pair[0]), _number("dpi", pair[1])


def _label(value: Any) -> Label | None:
    """A label from a name, a mapping with "name", "class" and "score", or a Label, or None."""
    if value is None:
        return None
    if isinstance(value, str):
        value = {"name": value}
    elif isinstance(value, Label):
        value = {"name": value.name, "class": value.class_id, "score": value.score}
    if not isinstance(value, Mapping) or not value.keys() <= {"name", "class", "score"}:
        raise ValueError(
            "a label is a name, or a mapping with some of 'name', 'class' and 'score', "
            f"not {shown(value)}"
        )
    name, class_id, score = (value.get(key) for key in ("name", "class", "score"))
    if name is not None and (not isinstance(name, str) or len(name) > MAX_NAME):
        raise ValueError(
            f"the name of a label is a text of at most {MAX_NAME} letters, not {shown(name)}"
        )
    return Label(
        None if name is None else checking.text("the name of a label", name),
        None if class_id is None else checking.integer("class of a label", class_id, 0, 2**31 - 1),
        None
        if score is None
        else checking.number("score of a label", score, -MAX_SCORE, MAX_SCORE),
    )


def parse_text(text: Mapping[str, str] | None, comment: str | None) -> dict[str, str]:
    """What a file shall say in words, by keyword. Raises ValueError."""
    if not isinstance(text, Mapping | None):
        raise ValueError(f"text must be strings by keyword, a mapping, not {shown(text)}")
    found = dict(text or {})
    if comment is not None:
        found["comment"] = comment
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(
                "text must be strings by keywords that are strings, not "
                f"{shown(value)} by {shown(key)}"
            )
        checking.text("a keyword of text", key)
        checking.text("comment" if key == "comment" else f"text {shown(key)}", value)
    return found


def _radii(value: Any) -> tuple[float, float]:
    one = as_float(value)
    if one is not None:
        value = (one, min(one * MID_RATIO, MAX_RADIUS))
    entries = list(value) if is_list(value) else []
    if len(entries) != 2:
        raise ValueError(f"radii of a center must be (core, mid) or one number, not {shown(value)}")
    core, mid = (round_radius(_number("radii", v)) for v in entries)
    if mid < core:
        raise ValueError(f"mid radius {mid:g} is below the core radius {core:g}")
    return core, mid


def round_radius(value: float) -> float:
    """Round up to a radius that a file can hold: the pixels asked for stay inside."""
    return min(math.ceil(value / RADIUS_STEP - 1e-9) * RADIUS_STEP, MAX_RADIUS)
