"""Values that callers gave, checked one by one. An error says what was given, what is allowed and,
where one can tell, what to write instead."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Longest text of a value in a message.
_MOST_SHOWN = 60

#: How alike two names are (twice the letters in common over all letters) that one may stand for the
#: other: "centre" for "centers", "box" for "boxes".
_NEAR = 0.75

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kMG]?)(i?)B?\s*\Z", re.IGNORECASE)
_FACTORS = {
    "k": 1000,
    "m": 1000**2,
    "g": 1000**3,
    "ki": 1024,
    "mi": 1024**2,
    "gi": 1024**3,
}


def shown(value: Any) -> str:
    """A value as messages show it: its repr on one line, not too long; of arrays what they are."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape and dtype is not None:
        return f"an array of shape {tuple(shape)} and dtype {dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 4] + " ..."


def as_float(value: Any) -> float | None:
    """The number that a value is, be it Python's, NumPy's or a tensor of one; None if it is none.

    Truth values, texts and complex numbers are none.
    """
    kind, dtype = type(value), getattr(getattr(value, "dtype", None), "kind", "f")
    has_axes = bool(getattr(value, "ndim", None))
    if isinstance(value, (bool, str, bytes)) or has_axes or dtype not in "iuf":
        return None
    if not hasattr(kind, "__float__") and not hasattr(kind, "__index__"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None


def number(name: str, value: Any, low: float, high: float) -> float:
    """A number in a range, both ends included. Raises ValueError."""
    found = as_float(value)
    if found is None:
        raise ValueError(
            f"{name} must be a number from {low:g} to {high:g}, not {shown(value)}"
            + _number_to_write(name, value)
        )
    if not low <= found <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, not {shown(value)}")
    return found


def integer(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in a range, both ends included. Raises ValueError."""
    found = as_float(value)
    if found is None or not math.isfinite(found) or found != int(found):
        raise ValueError(
            f"{name} must be a whole number from {low} to {high}, not {shown(value)}"
            + _number_to_write(name, value)
        )
    if not low <= found <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {shown(value)}")
    return int(found)


def _number_to_write(name: str, value: Any) -> str:
    """What to write instead of a number, or a size, in quotes."""
    said = _SIZE.match(value) if isinstance(value, str) and name.isidentifier() else None
    if said is None:
        return ""
    found = float(said[1]) * _FACTORS[(said[2] + said[3]).lower()] if said[2] else float(said[1])
    return f": write {name}={int(found) if found == int(found) else found}"


def flag(name: str, value: Any) -> bool:
    """True or False. Raises ValueError for everything else, above all for texts such as "no"."""
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if isinstance(value, bool) or (kind == "b" and not getattr(value, "ndim", 0)):
        return bool(value)
    if as_float(value) in (0.0, 1.0):
        return bool(value)
    raise ValueError(f"{name} must be True, False or None, not {shown(value)}")


def choice(name: str, value: Any, known: Sequence[str]) -> str:
    """One of the names that are known. Raises ValueError."""
    if isinstance(value, str) and value in known:
        return value
    near = closest(value, known) if isinstance(value, str) else None
    raise ValueError(
        f"{name} {shown(value)} is not known; one of {', '.join(known)} is"
        + (f": did you mean {near!r}?" if near else "")
    )


def text(name: str, value: str) -> str:
    """A text, if files can hold it. Raises ValueError."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half of a surrogate pair (U+{ord(value[error.start]):04X} at "
            f"{error.start}), which UTF-8 cannot store; where it stands for a byte of another "
            "encoding, decode that with errors='replace'"
        ) from error
    return value


def rows(name: str, values: Any, form: str) -> list[tuple[float, ...]]:
    """Rows of so many finite numbers as `form` names, such as "(x, y)". Raises ValueError."""
    count = form.count(",") + 1
    one = name.removesuffix("es") if name == "boxes" else name.removesuffix("s")
    if not is_list(values):
        raise ValueError(
            f"{name} is of the wrong type: a list of {form} is needed, not {shown(values)}"
        )
    given = list(values)
    plain = [as_float(v) for v in given]
    if given and None not in plain:
        if len(given) == count:
            row = ", ".join(f"{v:g}" for v in plain)
            raise ValueError(
                f"{name}={shown(values)} is one {one} and no list of them: write {name}=[({row})]"
            )
        raise ValueError(f"{name} must be a list of {form}, not of {len(given)} numbers")
    return [_row(one, entry, form, count) for entry in given]


def _row(one: str, entry: Any, form: str, count: int) -> tuple[float, ...]:
    while getattr(entry, "ndim", 0) > 1 and len(entry) == 1:
        entry = entry[0]
    numbers = [as_float(v) for v in entry] if is_list(entry) else []
    found = tuple(v for v in numbers if v is not None and math.isfinite(v))
    if len(found) != len(numbers) or len(found) != count:
        pair = "a pair " if count == 2 else ""
        raise ValueError(f"{one} {shown(entry)} is not {pair}{form}")
    return found


def is_list(value: Any) -> bool:
    """Whether a value is a list, a tuple, an array or the like: neither text nor mapping."""
    if isinstance(value, (str, bytes, bytearray, Mapping)) or getattr(value, "ndim", 1) == 0:
        return False
    return isinstance(value, Iterable) or hasattr(value, "__array__")


def closest(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near."""
    from difflib import get_close_matches

    lower: dict[str, str] = {}
    for one in known:
        lower.setdefault(one.lower(), one)
    near = get_close_matches(name.lower(), lower, 1, _NEAR)
    return lower[near[0]] if near else None
