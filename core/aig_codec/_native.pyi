"""Kernels of aig_codec; what each does is said where it is declared, in core/native/*.hpp.

Arrays are C-contiguous. Class maps, block classes and bands are uint8 (H, W); pixels are uint8
(H, W[, C]); levels are int16 (blocks high, blocks wide, 64); steps are int32 (64,). A symbol stream
is (symbols uint8, contexts uint8, raw bits); reading one takes (kind, coded, raw) instead.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
Symbols = tuple[U8, U8, bytes]
Pixels = U8 | U16

PALETTE_CONTEXTS: int
BOUNDARY_CONTEXTS: int

def simd() -> str: ...
def choose_simd(name: str) -> None: ...

# Geometry
def classify(left: int, top: int, height: int, width: int, foci: I64) -> U8: ...
def assign(height: int, width: int, foci: I64) -> tuple[U8, NDArray[np.uint32]]: ...

# Entropy coders
def rans_encode(symbols: U8, contexts: U8, n_contexts: int) -> bytes: ...
def rice_encode(symbols: U8, contexts: U8, n_contexts: int) -> bytes: ...
def decode_symbols(kind: int, coded: bytes, raw: bytes, contexts: U8, n_contexts: int) -> U8: ...

# Lossless
def photo_encode(
    pixels: U8 | U16,
    channel: int,
    planes: int,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    search: Sequence[int],
    bias: bool,
) -> bytes: ...
def photo_decode(
    coded: bytes,
    pixels: U8 | U16,
    channel: int,
    planes: int,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
) -> None: ...
def photo_costs(
    pixels: U8,
    channel: int,
    planes: int,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    search: Sequence[int],
    bias: bool,
) -> NDArray[np.float32]: ...
def graphic_encode(pixels: U8, map: U8, first: int, last: int, top: int, bottom: int) -> bytes: ...
def graphic_encode_near(
    pixels: U8,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    per_bit: int,
    most: int,
) -> tuple[bytes, NDArray[np.float32]]: ...
def graphic_decode(
    coded: bytes, pixels: U8, map: U8, first: int, last: int, top: int, bottom: int
) -> None: ...
def repetition(pixels: U8, map: U8, first: int, last: int, top: int, bottom: int) -> float: ...
def is_grey(pixels: U8 | U16, map: U8, first: int, last: int, top: int, bottom: int) -> bool: ...
def make_grey(pixels: U8 | U16, map: U8, first: int, last: int, top: int, bottom: int) -> None: ...
def lossless_statistics(pixels: U8) -> NDArray[np.uint32]: ...
def region_extent(map: U8, first: int, last: int) -> tuple[int, int, int]: ...
def paste(source: U8, map: U8, first: int, last: int, left: int, top: int, target: U8) -> None: ...

# Smaller scales
def shrink(pixels: Pixels, scale: int) -> Pixels: ...
def add_to_boxes(
    pixels: U8,
    map: U8,
    first: int,
    last: int,
    left: int,
    top: int,
    scale: int,
    box_left: int,
    box_top: int,
    sums: U32,
    counts: U32,
) -> None: ...
def blend_boxes(
    sums: U32,
    counts: U32,
    scale: int,
    box_left: int,
    box_top: int,
    width: int,
    height: int,
    target: U8,
) -> None: ...

# Palette
def palette_fit(pixels: U8, limit: int, rounds: int) -> U8: ...
def palette_assign(pixels: U8, palette: U8) -> U8: ...
def palette_encode(indices: U8, map: U8, first: int, last: int) -> Symbols: ...
def palette_decode(
    kind: int, coded: bytes, raw: bytes, indices: U8, map: U8, first: int, last: int, size: int
) -> None: ...

# Planes and blocks
def classify_blocks(map: U8, footprint: int, mid_is_hole: bool, mid_is_finer: bool) -> U8: ...
def fill_hidden(pixels: U8, map: U8, footprint: int, mid_is_hole: bool) -> None: ...
def block_costs(pixels: U8, background: I32, mid: I32) -> NDArray[np.float32]: ...

# Lossy tiers
HIGH_CONTEXTS: int
LOW_CONTEXTS: int

class StaticTables:
    def __init__(self, kind: int, coded: bytes, n_contexts: int) -> None: ...
    def encode(self, symbols: U8, contexts: U8) -> bytes: ...

def static_tables(
    kind: int, symbols: Sequence[U8], contexts: Sequence[U8], n_contexts: int
) -> bytes: ...

class LossyEncoder:
    def __init__(
        self,
        width: int,
        height: int,
        colour: bool,
        subsampled: bool,
        luma: U8,
        chroma: U8,
        steps: Sequence[int],
        matrix: int,
        largest: int,
        chooses: bool,
        halves: bool,
        rebuild: bool,
        lambda_: float,
        exact: bool,
    ) -> None: ...
    @property
    def groups(self) -> int: ...
    @property
    def group_rows(self) -> int: ...
    @property
    def regions(self) -> int: ...
    def region_of(self, group: int) -> int: ...
    def sample(self, row: int, pixels: U8, again: bool = False) -> None: ...
    def adapt(self, strength: float) -> None: ...
    def search(self, group: int) -> None: ...
    def encode_region(self, region: int) -> tuple[bytes, bytes]: ...
    def encode_group(self, group: int, tier: int) -> tuple[bytes, bytes]: ...
    def region_symbols(self, region: int) -> Symbols: ...
    def rebuild(self, group: int) -> None: ...
    def group_symbols(self, group: int, tier: int) -> Symbols: ...
    def fit(self, tier: int, deblocking: int) -> NDArray[np.int8]: ...
    def counts(self, tier: int) -> tuple[U32, U32]: ...

class LossyDecoder:
    def __init__(
        self,
        width: int,
        height: int,
        colour: bool,
        subsampled: bool,
        luma: U8,
        chroma: U8,
        steps: Sequence[int],
        matrix: int,
        adaptation: bool,
    ) -> None: ...
    @property
    def groups(self) -> int: ...
    @property
    def group_rows(self) -> int: ...
    @property
    def regions(self) -> int: ...
    def region_of(self, group: int) -> int: ...
    def has_tier(self, group: int, tier: int) -> bool: ...
    def read_region(
        self, region: int, tables: StaticTables | None, raw: bytes, coded: bytes
    ) -> None: ...
    def start(self, log: int = 0) -> None: ...
    def read_group(
        self, group: int, tier: int, tables: StaticTables | None, raw: bytes, coded: bytes
    ) -> None: ...
    def interpolate(
        self, first_row: int, last_row: int, left: int = 0, right: int = -1
    ) -> None: ...
    def set_filters(self, tier: int, deblocking: int, taps: NDArray[np.int8] | None) -> None: ...
    def rows(
        self, first_row: int, last_row: int, pixels: U8, left: int = 0, right: int = -1
    ) -> None: ...
    def scaled_rows(self, first_row: int, last_row: int, pixels: U8) -> None: ...
    def preview(self, pixels: U8) -> None: ...

# Boundary
def boundary_band(map: U8, radius: int) -> U8: ...
def boundary_encode(original: U8, decoded: U8, band: U8, tau: int) -> Symbols: ...
def boundary_decode(
    kind: int, coded: bytes, raw: bytes, pixels: U8, colours: int, band: U8
) -> None: ...

# Cores of any shape, and tiles
TILE: int

def label_map_encode(labels: U8, n: int) -> bytes: ...
def label_map_decode(coded: bytes, height: int, width: int, n: int) -> U8: ...
def classify_labels(labels: U8, reach2: Sequence[int]) -> U8: ...
def components(mask: U8) -> tuple[I32, int]: ...
def mark_drawn(drawn: U8, keep_mid: bool, map: U8) -> None: ...
def repeated_by_tile(pixels: U8, map: U8) -> U8: ...
