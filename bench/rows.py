"""The raw figures: one row for every measurement, on disk as soon as it is there."""

import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

Row = TypeVar(
    "Row",
    "FocusRow",
    "SpeedRow",
    "LosslessRow",
    "EllipseRow",
    "OverheadRow",
    "ThreadsRow",
    "PointRow",
    "ScaleRow",
    "ReadingRow",
)


@dataclass(frozen=True)
class FocusRow:
    """A point of a ladder: bytes of the whole, distortion outside the core, exactness inside."""

    image: str
    megapixels: float
    core_share: float
    codec: str
    setting: str
    bytes: int
    psnr: float
    ssim: float
    rim_psnr: float
    exact: bool


@dataclass(frozen=True)
class SpeedRow:
    """Median times of a codec on an image; PSNR is outside the core that was given."""

    image: str
    megapixels: float
    codec: str
    setting: str
    bytes: int
    psnr: float
    exact: bool
    encode_ms: float
    decode_ms: float
    runs: int


@dataclass(frozen=True)
class LosslessRow:
    """A lossless codec on a whole image: bytes, and median times where they were taken (else 0)."""

    image: str
    megapixels: float
    codec: str
    setting: str
    bytes: int
    exact: bool
    encode_ms: float = 0.0
    decode_ms: float = 0.0
    encode_runs: int = 0
    decode_runs: int = 0


@dataclass(frozen=True)
class EllipseRow:
    """The foci of an image coded without loss, and nothing else: all their pixels and bytes."""

    image: str
    codec: str
    setting: str
    pixels: int
    bytes: int
    exact: bool


@dataclass(frozen=True)
class OverheadRow:
    """An ellipse around another: bytes of the small one and of both, each coded alone.

    own_bits are what the small one's pixels take in the stream of both, large_bits what all
    pixels take there; the rest of that stream belongs to no pixel.
    """

    image: str
    codec: str
    small_pixels: int
    large_pixels: int
    small_bytes: int
    large_bytes: int
    own_bits: float
    large_bits: float
    exact: bool


@dataclass(frozen=True)
class ThreadsRow:
    """Median time to decode an image in some threads."""

    image: str
    megapixels: float
    codec: str
    threads: int
    decode_ms: float
    runs: int


@dataclass(frozen=True)
class PointRow:
    """A trial of a codec on an image, all of which is judged.

    rung is the rate in bits per pixel that it is the nearest trial to, 0 if to none; only these
    have MS-SSIM and SSIMULACRA2, and not for all codecs (else NaN). exact is about AIG's focus.
    """

    image: str
    megapixels: float
    codec: str
    setting: str
    rung: float
    bytes: int
    psnr: float
    ms_ssim: float
    ssimulacra2: float
    exact: bool


@dataclass(frozen=True)
class ScaleRow:
    """A codec at a quality on an image: bytes, PSNR and SSIM outside AIG's focus."""

    image: str
    megapixels: float
    codec: str
    setting: str
    bytes: int
    psnr: float
    ssim: float


@dataclass(frozen=True)
class ReadingRow:
    """A task on a file: its median time, the bytes that it read, those that they are held against
    (or 0), and the PSNR of what came out where that is the question (else 0)."""

    image: str
    megapixels: float
    task: str
    codec: str
    ms: float
    bytes: int
    of: int
    psnr: float


@dataclass(frozen=True)
class DecisionRow:
    """A question to the encoder about an image: what it answered, and what that is held against."""

    image: str
    megapixels: float
    task: str
    what: str
    value: float
    against: float


@dataclass(frozen=True)
class ModelRow:
    """What a detector of keypoints finds again in a coded image: the share of the original's, in
    the focus and outside."""

    image: str
    rate: float
    codec: str
    bytes: int
    inside: float
    outside: float


class Log:
    """A CSV file that grows row by row; what was in it before is replaced."""

    def __init__(self, path: Path, kind: type) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, [field.name for field in fields(kind)])
        self._writer.writeheader()

    def append(self, row: Any) -> None:
        """Write a row and make sure that it survives a stop."""
        values = {k: round(v, 5) if isinstance(v, float) else v for k, v in asdict(row).items()}
        self._writer.writerow(values)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._file.close()


class Growing:
    """A log that keeps rows of an earlier run, if keeps is given: of the images that are measured
    again those of some codecs, of all others every one.

    Whatever stops the run, rows that were to be kept are not lost: those of images that it did
    not come to are written at the end.
    """

    def __init__(self, path: Path, kind: Any, keeps: Callable[[str], bool] | None) -> None:
        self._waiting: dict[str, list[Any]] = {}
        for row in read(path, kind) if keeps else ():
            self._waiting.setdefault(row.image, []).append(row)
        self._keeps = keeps
        self._written: set[tuple[str, str, str]] = set()
        self._begun: list[str] = []
        self._log = Log(path, kind)

    def kept(self, image: str) -> list[Any]:
        """What there is of an image, whose turn it is."""
        self._begun.append(image)
        rows = self._waiting.get(image, [])
        rows[:] = [row for row in rows if self._keeps and self._keeps(row.codec)]
        return list(rows)

    def append(self, row: Any) -> None:
        """Write a row and make sure that it survives a stop."""
        self._written.add((row.image, row.codec, row.setting))
        self._log.append(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        stopped = error[0] is not None
        done = set(self._begun[:-1] if stopped else self._begun)
        for row in (row for rows in self._waiting.values() for row in rows):
            if row.image not in done and (row.image, row.codec, row.setting) not in self._written:
                self._log.append(row)
        self._log.__exit__(*error)


_PARSERS: dict[Any, Any] = {str: str, int: int, float: float, bool: lambda text: text == "True"}


def read(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of a log; none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            kind(**{f.name: _PARSERS[f.type](row[f.name]) for f in fields(kind)})
            for row in csv.DictReader(file)
        ]
