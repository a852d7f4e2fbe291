"""AIG codec: focus-first images. `encode`, `decode` and `open` are most of the API; `progressive`
looks at files that are still arriving, `decode_batch` and `loader` fill the memory of a GPU,
`AIGProcessor` runs models on what is in focus first, and `encode_sequence` and `join` make files of
several frames.

Importing this package costs nothing: NumPy and the native kernels come with the first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors, limits
from .errors import (
    AigError,
    CorruptError,
    DeviceError,
    LimitError,
    NotAigError,
    TruncatedError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from .apps.processor import AIGProcessor, Findings
    from .container import join
    from .decoder.file import AigFile, Core, decode, open, progressive
    from .devices.batches import decode_batch, loader
    from .encoder.options import EncodeOptions, SequenceOptions
    from .encoder.pipeline import encode, explain
    from .encoder.sequence import encode_sequence
    from .threads import default_threads, set_threads

__version__ = "0.1.0"

__all__ = [
    "AIGProcessor",
    "AigError",
    "AigFile",
    "Core",
    "CorruptError",
    "DeviceError",
    "EncodeOptions",
    "Findings",
    "LimitError",
    "NotAigError",
    "SequenceOptions",
    "TruncatedError",
    "UnsupportedError",
    "decode",
    "decode_batch",
    "default_threads",
    "encode",
    "encode_sequence",
    "errors",
    "explain",
    "join",
    "limits",
    "loader",
    "open",
    "progressive",
    "set_threads",
]

_HOMES = {
    "encode": "encoder.pipeline",
    "explain": "encoder.pipeline",
    "EncodeOptions": "encoder.options",
    "SequenceOptions": "encoder.options",
    "encode_sequence": "encoder.sequence",
    "default_threads": "threads",
    "set_threads": "threads",
    "join": "container",
    "decode": "decoder.file",
    "decode_batch": "devices.batches",
    "loader": "devices.batches",
    "open": "decoder.file",
    "progressive": "decoder.file",
    "AigFile": "decoder.file",
    "Core": "decoder.file",
    "AIGProcessor": "apps.processor",
    "Findings": "apps.processor",
}


#: Modules that users import from here, wherever they lie.
_MODULES = {"detections": "encoder.detections", "gpu": "devices.gpu"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
