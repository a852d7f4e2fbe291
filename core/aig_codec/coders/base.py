"""What a coder is: a region of pixels to segments and back.

Whoever adds one writes a `Coder`, or, where one payload holds the pixels of some classes, the two
methods of a `RegionCoder`, and registers it (`coders.registry`). Everything around it is done for
it: its place in the file, checksums, the order of painting, windows, smaller scales, damage.

A picture's facts are whatever has the attributes of `Facts`: the encoder's plan, or a file's
metadata. Nothing here knows either of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ..container import DeclaredCoder
from ..container.kinds import OF_NAME, Role
from ..errors import AigError, CorruptError
from ..geometry import Window, outside_cores
from ..threads import Job, Workers, finish
from .substreams import PartialSegment

U8 = NDArray[np.uint8]
Pixels = NDArray[Any]  # uint8 or uint16

#: A segment's bytes; or, of coders whose segments consist of parts, the means to read some of them.
Payload = bytes | PartialSegment

#: All scales at which pictures are shown.
SCALES = (1, 2, 4, 8)


class Facts(Protocol):
    """What encoder and decoder know of a picture before any segment.

    The qualities and what follows them are of the DCT coder: files of this container version keep
    them in their metadata. Other coders keep their parameters in their own segments.
    """

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def mode(self) -> str: ...
    @property
    def channels(self) -> int: ...
    @property
    def bits(self) -> int: ...
    @property
    def quality_level(self) -> int: ...
    @property
    def mid_level(self) -> int: ...
    @property
    def qp_table_id(self) -> int: ...
    @property
    def subsampling(self) -> str: ...
    @property
    def mid(self) -> str: ...


def colours_of(channels: int) -> int:
    """How many of so many channels are colours: alpha is none."""
    return 3 if channels >= 3 else 1


@dataclass(frozen=True)
class CodedSegment:
    """A segment that has no place in a file yet. center: of cores, the number of the focus.
    version: of the coder, if an older one can decode the segment; else the coder's own."""

    kind: str
    coder: str
    payload: bytes
    center: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class EncodeJob:
    """What an encoder is given.

    pixels: uint8 or uint16 (H, W, C), without alpha unless the segment is a core's, alpha alone for
    that kind. class_map: uint8 (H, W). kinds: the segments that are wanted. classes: first and last
    class of the pixels that they hold. quality_level: 0..255. lam: what a bit is worth in squared
    error. effort: 1..9. entropy: name of the entropy coder, or "auto". center: of a core, the
    number of its focus. options: of one coder alone.
    """

    pixels: Pixels
    class_map: U8
    kinds: tuple[str, ...]
    classes: tuple[int, int]
    quality_level: int
    lam: float
    effort: int
    entropy: str
    workers: Workers
    facts: Facts
    center: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


class Costs(Protocol):
    """What an encoder expects: bits and squared error by tile of TILE x TILE pixels, float32
    (ceil(H / TILE), ceil(W / TILE)) each."""

    bits: NDArray[np.float32]
    error: NDArray[np.float32]


class Encoder(ABC):
    """One job on its way; made by `Coder.encoder`."""

    def costs(self) -> Costs | None:
        """What coding takes by tile, to choose between coders; None if that is not known."""
        return None

    @abstractmethod
    def segments(self) -> list[CodedSegment]:
        """The segments, in any order; one coder may write several kinds."""


class View:
    """What decoders know of the picture that is being put together.

    facts: the picture's. scale: 1, 2, 4 or 8. window: the pixels that are wanted, in the whole
    picture, or None for all. keeps: whether it is going to be shown more than once. strict: whether
    damage ends it.
    """

    def __init__(
        self,
        facts: Facts,
        class_map: U8 | None,
        workers: Workers,
        *,
        scale: int = 1,
        window: Window | None = None,
        keeps: bool = False,
        strict: bool = True,
    ) -> None:
        self.facts, self.workers, self.scale, self.window = facts, workers, scale, window
        self.keeps, self.strict = keeps, strict
        self._class_map = class_map

    @property
    def class_map(self) -> U8:
        """Class of every pixel, uint8 (H, W); not to be changed."""
        assert self._class_map is not None
        return self._class_map

    @property
    def rows(self) -> tuple[int, int] | None:
        """The first row that is wanted and the one behind the last, or None for all."""
        return None if self.window is None else (self.window.top, self.window.bottom)

    @property
    def colours(self) -> int:
        """Channels without alpha."""
        return colours_of(self.facts.channels)


class Canvas(Protocol):
    """Where decoders paint, on the host or on a device.

    pixels: (H, W, C) at the view's scale, of NumPy where `on_host`. in_place: whether a decoder may
    decode straight into them.
    """

    on_host: bool
    in_place: bool
    pixels: Any

    def put(self, over: U8, first: int, last: int) -> None:
        """Paint the pixels of some classes: uint8 (H, W, colours)."""

    def put_alpha(self, alpha: U8) -> None:
        """Set the alpha of all pixels: uint8 (H, W, 1)."""

    def add(self, residuals: NDArray[np.int16]) -> None:
        """Add to the colours of all pixels: int16 (H, W, colours); results are cut to 0..255."""


class Decoder(ABC):
    """Segments of one coder on their way into a picture; made by `Coder.decoder`."""

    @abstractmethod
    def add(self, kind: str, payload: Payload) -> None:
        """Take a segment. Raises CorruptError, having taken what can be used."""

    @abstractmethod
    def paint(self, canvas: Canvas) -> None:
        """Paint what has been taken, over what is there. May be called again with another canvas.

        Raises CorruptError where the segments are not what they should be; what has been painted by
        then is thrown away.
        """

    def damaged(self) -> list[AigError]:
        """What turned out to be damaged while the rest was painted, each of it once."""
        return []


class Coder(ABC):
    """A way of coding, as the registry knows it.

    name, version: as in the table of contents. older: versions that are read too. carries: the
    kinds of segments that it may code. exact: whether decoding gives the very pixels, so that it
    may code cores. parts: whether its segments have checksums of their own inside, so that they may
    be read in pieces, and used where they are damaged. joint: whether all its segments of a picture
    belong to one decoder. scales: those that its decoder paints itself; at others pictures are
    means of the whole one. depths: bits per sample. devices: where it can decode, besides having
    the results copied there. get: of coders from elsewhere, a line for people who lack it.
    optional: whether cores and preview are good enough without it.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    older: ClassVar[tuple[int, ...]] = ()
    carries: ClassVar[frozenset[str]] = frozenset()
    exact: ClassVar[bool] = False
    parts: ClassVar[bool] = False
    joint: ClassVar[bool] = False
    scales: ClassVar[frozenset[int]] = frozenset((1,))
    depths: ClassVar[frozenset[int]] = frozenset((8,))
    devices: ClassVar[frozenset[str]] = frozenset(("cpu",))
    get: ClassVar[str] = ""
    optional: ClassVar[bool] = False

    @abstractmethod
    def encoder(self, job: EncodeJob) -> Encoder:
        """Begin to encode."""

    @abstractmethod
    def decoder(self, view: View) -> Decoder:
        """Something that takes this coder's segments: one of them, or all if `joint`."""

    def memory(self, facts: Facts, keeps: bool) -> int:
        """Bytes that decoding takes beside the picture, at most, for pixels outside the cores."""
        pixel = colours_of(facts.channels) * facts.bits // 8
        return 2 * facts.width * facts.height * pixel

    @property
    def declared(self) -> DeclaredCoder:
        """What files say of it that need it."""
        return DeclaredCoder(self.name, self.version, self.get, self.optional)


class RegionCoder(Coder):
    """A coder of one payload for the pixels of some classes, whatever their shape."""

    #: Whether it decodes into pixels that have an alpha as well, which it leaves alone.
    beside_alpha: ClassVar[bool] = False

    @abstractmethod
    def encode_region(self, job: EncodeJob) -> bytes:
        """The payload of the pixels whose class in `job.class_map` is within `job.classes`."""

    @abstractmethod
    def start_decoding(
        self,
        payload: bytes,
        pixels: Pixels,
        class_map: U8,
        first: int,
        last: int,
        workers: Workers,
        rows: tuple[int, int] | None = None,
    ) -> Sequence[Job[None]]:
        """Begin to write the pixels of classes first..last into `pixels`; others keep their values.

        pixels: uint8 or uint16 (H, W, C). rows: if not all are wanted, the first and the one behind
        the last; more may be written. The jobs, or this call, raise CorruptError where the payload
        does not describe exactly this region.
        """

    def encoder(self, job: EncodeJob) -> Encoder:
        """An encoder of one segment."""
        return _RegionEncoder(self, job)

    def decoder(self, view: View) -> Decoder:
        """A decoder of one segment."""
        return _RegionDecoder(self, view)


class _RegionEncoder(Encoder):
    def __init__(self, coder: RegionCoder, job: EncodeJob) -> None:
        self._coder, self._job = coder, job

    def segments(self) -> list[CodedSegment]:
        (kind,) = self._job.kinds
        payload = self._coder.encode_region(self._job)
        return [CodedSegment(kind, self._coder.name, payload, self._job.center)]


class _RegionDecoder(Decoder):
    """Decodes straight into the picture where that may be, else beside it."""

    def __init__(self, coder: RegionCoder, view: View) -> None:
        self._coder, self._view = coder, view
        self._payload = b""
        self._classes = (0, 0)
        #: What has been decoded already, where it is kept.
        self._over: U8 | None = None
        self._alpha: U8 | None = None

    def add(self, kind: str, payload: Payload) -> None:
        if not isinstance(payload, bytes):
            raise TypeError(f"the {kind} cannot be read in parts")
        row = OF_NAME[kind]
        if row.role is Role.ALPHA:
            self._decode_alpha(payload)
            return
        assert row.classes is not None
        self._payload, self._classes = payload, row.classes

    def _decode_alpha(self, payload: bytes) -> None:
        view, facts = self._view, self._view.facts
        alpha = np.full((facts.height, facts.width, 1), 255, np.uint8)
        outside = outside_cores(view.class_map)
        finish(self._coder.start_decoding(payload, alpha, outside, 1, 1, view.workers))
        self._alpha = alpha

    def paint(self, canvas: Canvas) -> None:
        view, facts = self._view, self._view.facts
        if self._alpha is not None:
            canvas.put_alpha(self._alpha)
            return
        alone = self._coder.beside_alpha or (canvas.in_place and view.colours == facts.channels)
        if canvas.on_host and alone:
            self._decode(canvas.pixels)
            return
        over = self._over
        if over is None:
            over = np.zeros((facts.height, facts.width, view.colours), np.uint8)
            self._decode(over)
            if not canvas.in_place:
                self._over = over
        canvas.put(over, *self._classes)

    def _decode(self, pixels: Pixels) -> None:
        view = self._view
        finish(
            self._coder.start_decoding(
                self._payload,
                pixels,
                view.class_map,
                *self._classes,
                view.workers,
                view.rows,
            )
        )


class MapCoder(Coder):
    """A coder of maps, which say which pixels other segments hold."""

    @abstractmethod
    def encode_map(self, labels: U8, count: int) -> bytes:
        """Code a map of labels 0..count, uint8 (H, W)."""

    @abstractmethod
    def decode_map(self, payload: bytes, height: int, width: int, count: int) -> U8:
        """The map, uint8 (height, width). Raises CorruptError."""

    def encoder(self, job: EncodeJob) -> Encoder:
        """Maps are not made of pixels."""
        raise TypeError(f"{self.name} codes maps")

    def decoder(self, view: View) -> Decoder:
        """Maps are not painted."""
        raise CorruptError(f"coder {self.name} has no pixels")
