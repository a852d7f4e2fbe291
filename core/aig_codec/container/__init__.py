"""The file around the pixels: 34-byte header, metadata, table of contents. Never sees pixels.

Imports nothing heavier than json and snappy, so that sniffing and `Image.open` stay cheap.
"""

from .header import HEADER_SIZE, MAGIC, Header
from .kinds import KINDS
from .metadata import (
    DeclaredCoder,
    Focus,
    Frames,
    Label,
    Metadata,
    Prologue,
    pack_prologue,
    pack_text,
    read_prologue,
    read_text,
)
from .sequence import FrameTable, inherits, join, picture_length, read_table
from .toc import Segment

__all__ = [
    "HEADER_SIZE",
    "KINDS",
    "MAGIC",
    "DeclaredCoder",
    "Focus",
    "FrameTable",
    "Frames",
    "Header",
    "Label",
    "Metadata",
    "Prologue",
    "Segment",
    "inherits",
    "join",
    "pack_prologue",
    "pack_text",
    "picture_length",
    "read_prologue",
    "read_table",
    "read_text",
]
