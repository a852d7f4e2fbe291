"""The file around the pixels: 34-byte header, metadata, table of contents. Never sees pixels.

Imports nothing heavier than json and snappy, so that sniffing and `Image.open` stay cheap.
"""

from .header import HEADER_SIZE, MAGIC, Header
from .metadata import Focus, Metadata, Prologue, pack_prologue, read_prologue
from .toc import CODERS, KINDS, Segment

__all__ = [
    "CODERS",
    "HEADER_SIZE",
    "KINDS",
    "MAGIC",
    "Focus",
    "Header",
    "Metadata",
    "Prologue",
    "Segment",
    "pack_prologue",
    "read_prologue",
]
