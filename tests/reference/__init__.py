"""A second AIG decoder: slow, plain Python and NumPy, written from docs/format.md alone.

It is the oracle for the kernels, so it shares nothing with them: no code, no tables, no shortcuts.
Numbers in docstrings are sections of docs/format.md.  Whatever it refuses, it refuses with
`BadFile`.
"""

from .binary import BinaryDecoder
from .boundary import apply_boundary, boundary_band, decode_residuals
from .container import Focus, header_bytes, read_container, sigma_code
from .dct import (
    BLOCK_BACKGROUND,
    BLOCK_MID,
    HOLE,
    SCAN,
    TRANSFORM,
    base_step,
    block_classes,
    dc_step,
    decode_ac,
    decode_dc,
    eighth,
    planes_of,
    reconstruct,
    steps,
    to_colours,
)
from .entropy import SymbolReader, SymbolWriter, read_symbols
from .geometry import (
    angle,
    class_map,
    core_pixels,
    fixed_point,
    picture_classes,
    weighted_distance,
)
from .graphic import decode_graphic, graphic_pixels
from .lossless import METHODS, bands_of, decode_band, decode_lossless
from .notation import BadFile, ByteReader, varint
from .palette import decode_palette
from .photo import AliasTable, decode_photo
from .picture import UPTO, decode_file, decode_preview
from .snappy import pack_snappy

__all__ = [
    "BLOCK_BACKGROUND",
    "BLOCK_MID",
    "HOLE",
    "METHODS",
    "SCAN",
    "TRANSFORM",
    "UPTO",
    "AliasTable",
    "BadFile",
    "BinaryDecoder",
    "ByteReader",
    "Focus",
    "SymbolReader",
    "SymbolWriter",
    "angle",
    "apply_boundary",
    "bands_of",
    "base_step",
    "block_classes",
    "boundary_band",
    "class_map",
    "core_pixels",
    "dc_step",
    "decode_ac",
    "decode_band",
    "decode_dc",
    "decode_file",
    "decode_graphic",
    "decode_lossless",
    "decode_palette",
    "decode_photo",
    "decode_preview",
    "decode_residuals",
    "eighth",
    "fixed_point",
    "graphic_pixels",
    "header_bytes",
    "pack_snappy",
    "picture_classes",
    "planes_of",
    "read_container",
    "read_symbols",
    "reconstruct",
    "sigma_code",
    "steps",
    "to_colours",
    "varint",
    "weighted_distance",
]
