"""The errors of AIG files, one per thing that the caller can do about them.

Bad arguments are `ValueError`; everything wrong with a file is an `AigError`, which is an
`OSError` so that programs written for Pillow or for plain files already handle it.
"""


class AigError(OSError):
    """Something is wrong with an AIG file."""


class NotAigError(AigError):
    """The bytes are not an AIG file: try another decoder."""


class TruncatedError(AigError):
    """The file ends before what was asked for: fetch more bytes, or ask for less (`upto=`).

    needed: how many bytes from the start of the file would do, where that is known, else 0.
    """

    needed: int = 0


class CorruptError(AigError):
    """The bytes contradict themselves or their checksum: fetch them again.

    `decode(..., strict=False)` gives what the undamaged segments hold.
    """


class UnsupportedError(AigError):
    """The file needs something that this version does not know: upgrade."""


class LimitError(AigError):
    """The file claims more than `aig_codec.limits` allows: raise the limit if you trust it."""


class DeviceError(RuntimeError):
    """The GPU that was asked for is not there, or is too small: leave out `device=`, or install
    what the message names. Nothing is wrong with the file."""


class MissingCoderWarning(UserWarning):
    """A coder is not installed that the file needs for more than cores and preview: install what
    the message names."""
