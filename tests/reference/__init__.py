"""A second AIG decoder: slow, plain Python and NumPy, written from docs/format.md alone.

It is the oracle for the kernels, so it shares nothing with them: no code, no tables, no shortcuts.
Numbers in docstrings are sections of docs/format.md.  Whatever it refuses, it refuses with
`BadFile`.
"""

from .binary import BinaryDecoder
from .blocks import (
    BLOCK_BACKGROUND,
    BLOCK_MID,
    DRAWN_HOLE,
    HOLE,
    Block,
    adapted_step,
    base_step,
    blocks_of_square,
    cell_classes,
    coefficient,
    eighth_of_block,
    inverse_transform,
    low_base_step,
    plane_step,
    planes_of,
    step,
    sums_of_pixels,
    transform_matrix,
    weights,
    without_aliases,
)
from .boundary import apply_boundary, boundary_band, decode_residuals
from .container import Focus, frames_of, header_bytes, read_container, sigma_code
from .dct import DctPicture, decode_dct, decode_eighth
from .entropy import SymbolReader, SymbolWriter, read_symbols
from .filters import KnownCells, deblock_columns, interpolate, reconstruct, restore, to_colours
from .geometry import (
    angle,
    class_map,
    classes_of_labels,
    core_pixels,
    fixed_point,
    picture_classes,
    weighted_distance,
)
from .graphic import decode_graphic, graphic_pixels
from .labels import decode_labels
from .lossless import METHODS, bands_of, decode_band, decode_lossless
from .mixed import decode_mixed
from .notation import BadFile, ByteReader, varint
from .palette import decode_palette
from .photo import AliasTable, decode_photo
from .picture import UPTO, decode_file, decode_preview
from .preview import LowCoder, Preview
from .scaled import box_means, decode_scaled
from .snappy import pack_snappy
from .streams import AdaptiveReader, StaticReader, read_streams
from .tiers import busy_of, scan_of

__all__ = [
    "BLOCK_BACKGROUND",
    "BLOCK_MID",
    "DRAWN_HOLE",
    "HOLE",
    "METHODS",
    "UPTO",
    "AdaptiveReader",
    "AliasTable",
    "BadFile",
    "BinaryDecoder",
    "Block",
    "ByteReader",
    "DctPicture",
    "Focus",
    "KnownCells",
    "LowCoder",
    "Preview",
    "StaticReader",
    "SymbolReader",
    "SymbolWriter",
    "adapted_step",
    "angle",
    "apply_boundary",
    "bands_of",
    "base_step",
    "blocks_of_square",
    "boundary_band",
    "box_means",
    "busy_of",
    "cell_classes",
    "class_map",
    "classes_of_labels",
    "coefficient",
    "core_pixels",
    "deblock_columns",
    "decode_band",
    "decode_dct",
    "decode_eighth",
    "decode_file",
    "decode_graphic",
    "decode_labels",
    "decode_lossless",
    "decode_mixed",
    "decode_palette",
    "decode_photo",
    "decode_preview",
    "decode_residuals",
    "decode_scaled",
    "eighth_of_block",
    "fixed_point",
    "frames_of",
    "graphic_pixels",
    "header_bytes",
    "interpolate",
    "inverse_transform",
    "low_base_step",
    "pack_snappy",
    "picture_classes",
    "plane_step",
    "planes_of",
    "read_container",
    "read_streams",
    "read_symbols",
    "reconstruct",
    "restore",
    "scan_of",
    "sigma_code",
    "step",
    "sums_of_pixels",
    "to_colours",
    "transform_matrix",
    "varint",
    "weighted_distance",
    "weights",
    "without_aliases",
]
