"""How hard the encoder for photographs looks for predictors, by effort."""

from typing import NamedTuple

#: Up to this many pixels a region is small, or tiny.
SMALL, TINY = 150_000, 50_000


class Search(NamedTuple):
    """See lossless/predictors.hpp in core/native."""

    candidates: int
    first_stride: int
    predictors: int
    rounds: int
    block_stride: int
    stride: int
    fit_stride: int
    finalists: int
    last_stride: int
    margin: int = 0


_FAST = Search(6, 8, 4, 0, 8, 8, 8, 1, 8)
_QUICK = (
    Search(32, 4, 8, 2, 1, 4, 4, 4, 1),
    Search(6, 8, 4, 1, 1, 8, 8, 2, 4),
    Search(6, 8, 4, 1, 16, 8, 8, 2, 8),
)
_THOROUGH = (
    Search(32, 4, 6, 3, 1, 2, 1, 4, 1),
    Search(32, 4, 8, 3, 1, 4, 2, 4, 1),
    Search(32, 4, 8, 2, 1, 4, 4, 4, 1),
)

#: By effort, the search for tiny, small and larger regions. Small ones cost little time whatever is
#: done to them.
_SEARCHES = {
    1: (_FAST, _FAST, _FAST),
    2: (_FAST, _FAST, _FAST),
    3: _QUICK,
    4: _QUICK,
    5: (
        Search(32, 4, 5, 2, 1, 2, 1, 4, 1, margin=12),
        Search(6, 8, 4, 2, 2, 4, 4, 4, 1, margin=8),
        Search(6, 8, 4, 2, 8, 4, 4, 4, 2, margin=8),
    ),
    6: _THOROUGH,
    7: _THOROUGH,
    8: (
        Search(32, 2, 12, 4, 1, 1, 1, 4, 1),
        Search(32, 2, 16, 3, 1, 2, 1, 4, 1),
        Search(32, 8, 16, 3, 2, 4, 4, 4, 1),
    ),
    9: (
        Search(32, 1, 32, 6, 1, 1, 1, 8, 1),
        Search(32, 1, 32, 6, 1, 1, 1, 8, 1),
        Search(32, 2, 32, 6, 1, 2, 2, 8, 1),
    ),
}


def search_for(effort: int, pixels: int) -> Search:
    """The search for a region of so many pixels."""
    return _SEARCHES[effort][0 if pixels <= TINY else 1 if pixels <= SMALL else 2]
