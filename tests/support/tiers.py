"""Which cases of a long test the quick tier runs as well (CONTRIBUTING.md, tiers of tests)."""

from collections.abc import Iterable
from typing import Any

import pytest


def mostly_slow(values: Iterable[Any], *quick: Any) -> list[Any]:
    """All values for `parametrize`; every one that is not named here is `slow`."""
    values = list(values)
    missing = [value for value in quick if value not in values]
    if missing:
        raise ValueError(f"{missing} are none of {values}")
    return [
        value if value in quick else pytest.param(value, marks=pytest.mark.slow) for value in values
    ]
