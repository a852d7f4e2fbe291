"""The fixed 34-byte header: enough to sniff a file and see where its focus is (format.md, 2).

Nothing in it is needed for decoding: the metadata repeats every number exactly, and a reader
only checks that the two agree.
"""

import math
import struct
from dataclasses import dataclass

from ..errors import CorruptError, NotAigError, TruncatedError, UnsupportedError

MAGIC = b"AIG2"
HEADER_SIZE = 34
MAX_CENTERS = 3

#: Bit 0 of the compression flag: multi-center radial similarity compression.
FLAG_RSC = 0x01

#: Smallest and largest Sigma that the one-byte code can carry (codes 1 and 255).
MIN_SIGMA = 2.0 ** ((1 - 84) / 12)
MAX_SIGMA = 2.0 ** ((255 - 84) / 12)


def sigma_from_code(code: int) -> float:
    """Sigma of a header byte: ``2 ** ((code - 84) / 12)``; code 84 is 1.0, code 0 is unset."""
    return math.exp2((code - 84) / 12)


def float32_from_code(code: int) -> float:
    """The largest float32 that is not above the Sigma of a header byte, 1..255.

    Exact, because files leave out a Sigma that is this: with ``code - 84 = 12 e + k``, 0 <= k < 12,
    it is ``m * 2 ** (e - 23)`` with the largest m of ``m ** 12 <= 2 ** (12 * 23 + k)``.
    """
    e, k = divmod(code - 84, 12)
    target = 1 << (12 * 23 + k)
    m = round(2.0 ** (23 + k / 12)) + 1
    while m**12 > target:
        m -= 1
    return math.ldexp(m, e - 23)


def sigma_to_code(sigma: float) -> int:
    """Smallest code 1..255 whose Sigma is not below `sigma`: the header never shrinks a focus.

    Exact, because readers compare the result: the least e with ``sigma ** 12 <= 2 ** e``, plus 84.
    """
    numerator, denominator = (n**12 for n in sigma.as_integer_ratio())
    exponent = numerator.bit_length() - denominator.bit_length() - 1
    while numerator << max(0, -exponent) > denominator << max(0, exponent):
        exponent += 1
    return min(max(84 + exponent, 1), 255)


@dataclass(frozen=True)
class Header:
    """The fields of the header, as stored.

    centers: (x, y) pixels, int16. max_radii: uint16, r_mid rounded up. quality_level: 0..255.
    sigma_codes: logarithmic bytes of (Sigma_x, Sigma_y). alpha_codes: alpha x 100.
    """

    centers: tuple[tuple[int, int], ...]
    max_radii: tuple[int, ...]
    quality_level: int
    sigma_codes: tuple[tuple[int, int], ...]
    alpha_codes: tuple[int, ...]

    def pack(self) -> bytes:
        """The 34 bytes of this header."""
        n = len(self.centers)
        body = struct.pack(
            f">4sB{2 * n}h{n}HBB{2 * n}B{n}B",
            MAGIC,
            n,
            *(v for center in self.centers for v in center),
            *self.max_radii,
            FLAG_RSC,
            self.quality_level,
            *(c for pair in self.sigma_codes for c in pair),
            *self.alpha_codes,
        )
        return body.ljust(HEADER_SIZE, b"\0")

    @classmethod
    def unpack(cls, data: bytes) -> "Header":
        """Read the header at the start of `data`.

        Raises `NotAigError` without the magic, `TruncatedError` below 34 bytes, `CorruptError`
        for impossible fields and `UnsupportedError` for an unknown compression flag.
        """
        if data[:4] != MAGIC[: len(data[:4])] or not data:
            raise NotAigError("not an AIG file: it does not start with the magic 'AIG2'")
        if len(data) < HEADER_SIZE:
            raise TruncatedError(f"file ends inside the {HEADER_SIZE}-byte header")
        n = data[4]
        if not 1 <= n <= MAX_CENTERS:
            raise CorruptError(f"header claims {n} centers; 1 to {MAX_CENTERS} are allowed")
        fields = struct.unpack_from(f">{2 * n}h{n}HBB{2 * n}B{n}B", data, 5)
        xy, radii = fields[: 2 * n], fields[2 * n : 3 * n]
        flag, level = fields[3 * n : 3 * n + 2]
        sigmas, alphas = fields[3 * n + 2 : 5 * n + 2], fields[5 * n + 2 :]
        if flag != FLAG_RSC:
            raise UnsupportedError(f"compression flag 0x{flag:02x} is not known (0x01 is)")
        if any(data[7 + 9 * n : HEADER_SIZE]):
            raise CorruptError("header padding is not zero")
        return cls(
            centers=tuple(zip(xy[::2], xy[1::2], strict=True)),
            max_radii=tuple(radii),
            quality_level=level,
            sigma_codes=tuple(zip(sigmas[::2], sigmas[1::2], strict=True)),
            alpha_codes=tuple(alphas),
        )
