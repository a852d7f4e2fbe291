"""Bytes as they are: ancillary segments."""

from ..container.kinds import ANCILLARY
from ..container.toc import RAW
from ..errors import CorruptError
from .base import Coder, Decoder, EncodeJob, Encoder, View


class RawCoder(Coder):
    """Codes nothing: the payload is what it is about."""

    name, version = RAW
    carries = ANCILLARY

    def encoder(self, job: EncodeJob) -> Encoder:
        """There are no pixels in it."""
        raise TypeError("ancillary segments are not made of pixels")

    def decoder(self, view: View) -> Decoder:
        """There are no pixels in it."""
        raise CorruptError("ancillary segments have no pixels")
