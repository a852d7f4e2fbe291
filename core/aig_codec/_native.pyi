"""Kernels of aig_codec; what each does is said where it is declared, in core/native/*.hpp.

Arrays are C-contiguous. Class maps, block classes and bands are uint8 (H, W); pixels are uint8
(H, W[, C]); levels are int16 (blocks high, blocks wide, 64); steps are int32 (64,). `coder` is the
number of an entropy coder; a payload is read from (coder, coded symbols, raw bits).
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
Pixels = U8 | U16

PALETTE_CONTEXTS: int
BOUNDARY_CONTEXTS: int

def simd() -> str: ...
def choose_simd(name: str) -> None: ...

# Geometry
def classify(left: int, top: int, height: int, width: int, foci: I64) -> U8: ...
def assign(height: int, width: int, foci: I64) -> tuple[U8, NDArray[np.uint32]]: ...

# Entropy coders
class WrittenStream:
    def __init__(self) -> None: ...  # refused: kernels alone make one
    @property
    def symbols(self) -> U8: ...
    @property
    def contexts(self) -> U8: ...
    @property
    def raw(self) -> bytes: ...

class SharedTables:
    def __init__(self, coder: int, coded: bytes, n_contexts: int) -> None: ...
    def lookup(self) -> tuple[NDArray[np.uint16], U8]: ...

def write_symbols(
    coder: int, symbols: U8, contexts: U8, n_contexts: int, raw: bytes = b""
) -> WrittenStream: ...
def pack_streams(
    coder: int, streams: Sequence[WrittenStream], n_contexts: int
) -> tuple[bytes, list[tuple[bytes, bytes]]]: ...
def pack_payload(coder: int, stream: WrittenStream, n_contexts: int) -> bytes: ...
def decode_symbols(coder: int, coded: bytes, raw: bytes, contexts: U8, n_contexts: int) -> U8: ...

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
def mixed_encode(
    pixels: U8 | U16,
    channels: Sequence[int],
    alpha: bool,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    shift: int = ...,
) -> bytes: ...
def mixed_decode(
    coded: bytes,
    pixels: U8 | U16,
    channels: Sequence[int],
    alpha: bool,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
) -> None: ...
def mixed_training(pixels: U8) -> NDArray[np.float64]: ...
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
def graphic_encode(
    pixels: U8,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    matches: bool = ...,
) -> bytes: ...
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
    coded: bytes,
    pixels: U8,
    map: U8,
    first: int,
    last: int,
    top: int,
    bottom: int,
    matches: bool = ...,
) -> None: ...
def recurrence(
    pixels: U8, map: U8, first: int, last: int, top: int, bottom: int
) -> tuple[int, int, int, int, bool]: ...
def repetition(pixels: U8, map: U8, first: int, last: int, top: int, bottom: int) -> float: ...
def is_grey(pixels: U8 | U16, map: U8, first: int, last: int, top: int, bottom: int) -> bool: ...
def make_grey(pixels: U8 | U16, map: U8, first: int, last: int, top: int, bottom: int) -> None: ...
def lossless_statistics(pixels: U8) -> NDArray[np.uint32]: ...
def region_extent(map: U8, first: int, last: int) -> tuple[int, int, int]: ...
def paste(source: U8, map: U8, first: int, last: int, left: int, top: int, target: U8) -> None: ...
def gather(source: U8, map: U8, first: int, last: int) -> tuple[NDArray[np.int64], U8]: ...

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
def palette_fit(pixels: U8, limit: int, rounds: int, oklab: bool = True) -> U8: ...
def palette_assign(pixels: U8, palette: U8) -> U8: ...
def palette_encode(indices: U8, map: U8, first: int, last: int, coder: int) -> WrittenStream: ...
def palette_decode(
    coder: int, coded: bytes, raw: bytes, indices: U8, map: U8, first: int, last: int, size: int
) -> None: ...

# Planes and blocks
def classify_blocks(map: U8, footprint: int, mid_is_hole: bool, mid_is_finer: bool) -> U8: ...
def fill_hidden(pixels: U8, map: U8, footprint: int, mid_is_hole: bool) -> None: ...
def block_costs(pixels: U8, background: I32, mid: I32) -> NDArray[np.float32]: ...

# Lossy tiers
HIGH_CONTEXTS: int
LOW_CONTEXTS: int

def scan(shape: int) -> NDArray[np.int16]: ...
def coefficient_weights(matrix: int) -> U8: ...
def transform_basis() -> NDArray[np.int8]: ...

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
        alone: bool,
    ) -> None: ...
    @property
    def groups(self) -> int: ...
    @property
    def group_rows(self) -> int: ...
    @property
    def regions(self) -> int: ...
    def region_of(self, group: int) -> int: ...
    def sample(self, row: int, pixels: U8, again: bool = False) -> None: ...
    def adapt(self, strength: float, variances: NDArray[np.int32] | None = None) -> None: ...
    def accept(self, group: int, shapes: U8, levels: NDArray[np.int16]) -> None: ...
    @property
    def adaptations(self) -> NDArray[np.int8]: ...
    @property
    def thresholds(self) -> NDArray[np.float32]: ...
    def search(self, group: int) -> None: ...
    def encode_region(self, region: int, coder: int) -> WrittenStream: ...
    def encode_group(self, group: int, tier: int, coder: int) -> WrittenStream: ...
    def rebuild(self, group: int) -> None: ...
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
    def read_region(self, region: int, tables: SharedTables, raw: bytes, coded: bytes) -> None: ...
    def start(self, log: int = 0) -> None: ...
    def hold(self, first_row: int, last_row: int, log: int = 0) -> None: ...
    def read_group(
        self, group: int, tier: int, tables: SharedTables, raw: bytes, coded: bytes
    ) -> None: ...
    def read_coefficients(
        self, group: int, tier: int, tables: SharedTables, raw: bytes, coded: bytes
    ) -> tuple[NDArray[np.uint16], NDArray[np.int16], tuple[int, int, int]]: ...
    def cells(self, plane: int) -> tuple[U8, NDArray[np.int16], U8]: ...
    @property
    def adaptations(self) -> NDArray[np.int8]: ...
    @property
    def filters(self) -> NDArray[np.int32]: ...
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
def boundary_encode(original: U8, decoded: U8, band: U8, tau: int, coder: int) -> WrittenStream: ...
def boundary_decode(
    coder: int, coded: bytes, raw: bytes, pixels: U8, colours: int, band: U8
) -> None: ...

# Cores of any shape, and tiles
TILE: int

def label_map_encode(labels: U8, n: int) -> bytes: ...
def label_map_decode(coded: bytes, height: int, width: int, n: int) -> U8: ...
def boundary_correct(
    coder: int, coded: bytes, raw: bytes, pixels: U8, colours: int, map: U8, radius: int
) -> None: ...
def classify_labels(labels: U8, reach2: Sequence[int]) -> U8: ...
def components(mask: U8) -> tuple[I32, int]: ...
def mark_drawn(drawn: U8, keep_mid: bool, map: U8) -> None: ...
def repeated_by_tile(pixels: U8, map: U8) -> U8: ...
def transform_costs_by_tile(pixels: U8, wanted: U8, steps: I32) -> NDArray[np.float32]: ...
def squared_error(a: U8, b: U8, colours: int, map: U8) -> tuple[int, int]: ...

# Saliency
def cell_means(pixels: U8, step: int) -> NDArray[np.float32]: ...
