"""The plugin that imageio constructs for every AIG file it reads or writes."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from imageio.core.request import (
    URI_BYTES,
    URI_FILE,
    URI_FILENAME,
    URI_ZIPPED,
    InitializationError,
    IOMode,
    Request,
)
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from numpy.typing import ArrayLike, NDArray

from aig_codec.encoder.options import SequenceOptions, documented

if TYPE_CHECKING:
    from aig_codec import AigFile

MAGIC = b"AIG2"

Index = int | EllipsisType | None

#: What orientations of EXIF ask for: whether rows and columns change places, and which of them run
#: backwards afterwards.
_ORIENTATIONS = {
    2: (False, (1,)),
    3: (False, (0, 1)),
    4: (False, (0,)),
    5: (True, ()),
    6: (True, (1,)),
    7: (True, (0, 1)),
    8: (True, (0,)),
}


class AIGPlugin(PluginV3):
    """Reads and writes AIG files for imageio; `imageio.v3.imopen` makes one per file.

    request: what imageio wants opened. Raises `InitializationError`, after which imageio asks the
    next plugin, if it is a file that does not start with AIG's magic, or a target with another
    extension than .aig.
    """

    def __init__(self, request: Request) -> None:
        # Refuse before taking the request over: close() runs even for a refused plugin, and would
        # finish a request that the next plugin is going to be given.
        if request.mode.io_mode == IOMode.read:
            if not request.firstbytes.startswith(MAGIC):
                raise InitializationError("not an AIG file: it does not start with 'AIG2'")
        elif (request.extension or ".aig").lower() != ".aig":
            raise InitializationError(f"AIG does not write `{request.extension}` files")
        super().__init__(request)
        self._opened: AigFile | None = None
        self._frames: list[bytes] = []
        self._durations: list[int] = []
        self._loop: int | None = None

    def close(self) -> None:
        """Write what is to be written, and finish the request. A file object that the caller gave
        stays open."""
        if not hasattr(self, "_request"):
            return
        try:
            if self._frames:
                # The target comes into being here, when nothing can be wrong any more.
                from aig_codec.io.files import write_all

                data = self._coded()
                write_all(self.request.get_file(), data)
        finally:
            self._frames = []
            super().close()

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind is not None:
            # What failed in the middle leaves no file behind that looks whole.
            self._frames = []
        super().__exit__(kind, value, traceback)

    # Reading

    def read(
        self,
        *,
        index: Index = None,
        upto: str = "full",
        scale: int = 1,
        region: Sequence[int] | None = None,
        threads: int | None = None,
        strict: bool = True,
        **conversion: Any,
    ) -> NDArray[Any]:
        """Decode an image.

        index: the number of the frame; ``...`` stacks all of them along a new first axis, as None
        does for files of several frames. upto, scale, region, threads and strict are those of
        `aig_codec.decode`. conversion: what imageio's plugin of Pillow takes for every format:
        mode, a mode of Pillow to convert the image to, which gives 8 bits per sample of colour;
        rotate, whether to turn it as its EXIF orientation asks; apply_gamma and writeable_output,
        which change nothing here; and pilmode and exifrotate, older names of mode and rotate.

        Returns a writable uint8 or uint16 array (H, W) for grey, else (H, W, C) with C = 2, 3 or 4,
        or what Pillow makes of `mode`. Raises ValueError for another index, a bad keyword, or a
        stack of images that differ in shape, and the kinds of `aig_codec.errors`, which are
        OSError, for a bad file.
        """
        unknown = conversion.keys() - _CONVERSION
        if unknown:
            raise TypeError(f"reading AIG has no keyword {', '.join(sorted(unknown))}")
        how: dict[str, Any] = {
            "upto": upto,
            "scale": scale,
            "region": region,
            "threads": threads,
            "strict": strict,
        }
        k = self._index(index)
        if k is not ...:
            return _converted(self._frame(k), how, **conversion)
        frames = list(self.iter(**how, **conversion))
        if len({(frame.shape, frame.dtype) for frame in frames}) > 1:
            shapes = sorted({frame.shape for frame in frames})
            raise ValueError(f"frames of shapes {shapes} do not stack: read them by index")
        return np.stack(frames)

    def iter(self, **keywords: Any) -> Iterator[NDArray[Any]]:
        """Yield the images one after the other; keywords as for `read`, but index."""
        conversion = {name: keywords.pop(name) for name in _CONVERSION & keywords.keys()}
        for k in range(self._file().n_frames):
            yield _converted(self._frame(k), keywords, **conversion)

    def properties(self, index: Index = None) -> ImageProperties:
        """Shape, dtype and pixel spacing, from the metadata alone; of a stack, as its first frame
        has them.

        index: as for `read`. spacing: (vertical, horizontal) in inches, if the file has dpi.
        """
        k = self._index(index)
        stack = k is ...
        file = self._frame(0 if k is ... else k)
        metadata = file.metadata
        shape: tuple[int, ...] = (metadata.height, metadata.width)
        if metadata.channels > 1:
            shape += (metadata.channels,)
        spacing = None
        if file.dpi and all(file.dpi):
            spacing = (1 / file.dpi[1], 1 / file.dpi[0])
        n = self._file().n_frames
        return ImageProperties(
            shape=(n, *shape) if stack else shape,
            dtype=file.dtype,
            n_images=n if stack else None,
            is_batch=stack,
            spacing=spacing,
        )

    def metadata(self, index: Index = None, exclude_applied: bool = True) -> dict[str, Any]:
        """What the file says about its picture, without decoding that.

        Keys: "mode"; "aig", the dict of `aig_codec.AigFile.info`; and, if there, "dpi", a pair,
        "exif", "icc_profile" and "xmp", bytes, "text", strings by keyword, and "comment", one of
        them: the frame's own, or else those of the first one. Of several frames, also "n_frames",
        "duration" in milliseconds, for a stack a list, and "loop". index: as for `read`.
        exclude_applied makes no difference, since reading applies none of them unless it is asked
        to; the orientation in particular is left alone.
        """
        k = self._index(index)
        file = self._file()
        frame = self._frame(0 if k is ... else k)
        found: dict[str, Any] = {
            "mode": frame.mode,
            "aig": frame.info() | _decisions(frame),
            "dpi": frame.dpi,
            "exif": frame.exif,
            "icc_profile": frame.icc_profile,
            "xmp": frame.xmp,
            "text": frame.text or None,
            "comment": frame.text.get("comment"),
        }
        if file.n_frames > 1:
            durations = list(file.durations)
            found["n_frames"] = file.n_frames
            found["duration"] = durations if k is ... else durations[k]
            found["loop"] = file.loop
        return {key: value for key, value in found.items() if value is not None}

    def _file(self) -> "AigFile":
        """The open file. Errors in it show here, where imageio closes what it opened."""
        if self._opened is None:
            if self.request.mode.io_mode != IOMode.read:
                raise OSError("this AIG file was opened for writing")
            import aig_codec

            self._opened = aig_codec.open(self.request.get_file())
        return self._opened

    def _index(self, index: Index) -> "int | EllipsisType":
        """The number of a frame, or ... for all. Raises ValueError for others."""
        n = self._file().n_frames
        if index is None:
            return ... if n > 1 else 0
        if index is ...:
            return ...
        k = operator.index(index)
        if not -n <= k < n:
            raise ValueError(f"there is no image {index!r}: this AIG file holds {n}")
        return k % n

    def _frame(self, k: "int | EllipsisType") -> "AigFile":
        file = self._file()
        return file if k in (0, ...) else file.frame(operator.index(k))

    # Writing

    @documented
    def write(
        self,
        ndimage: ArrayLike | list[ArrayLike],
        *,
        is_batch: bool | None = None,
        duration: int | Sequence[int] | None = None,
        loop: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Unpack[SequenceOptions],
    ) -> bytes | None:
        """Encode one image or several; the file is written when the plugin is closed, and then
        holds the images of all calls.

        ndimage: uint8, or uint16, which is stored lossless, or bool, of which True becomes
        white and which is lossless unless options of the lossy tiers are given,
        (H, W) or (H, W, C) with C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; or a list or stack of
        such images, which may differ in all of that. Three axes are a stack only if the last one is
        longer than 4, unless is_batch says what they are. duration: milliseconds for each image, or
        one number for all. loop: how often to show them, 0 for ever. options: those of
        `aig_codec.encode_sequence`. metadata: a dict as `metadata` returns it, also of another
        format, of which exif, icc_profile, xmp, dpi, text, comment, duration and loop are stored
        where they can be, unless they are given as keywords.

        Returns the file for the target "<bytes>", else None. Raises TypeError for another dtype or
        an unknown keyword, and ValueError for another shape or a bad value; nothing is created
        then.
        """
        from aig_codec.encoder.sequence import Frame, durations_of, encode_frames
        from aig_codec.io.image_info import duration_of, kept, loop_of

        images = _images(ndimage, is_batch)
        keywords: dict[str, Any] = {**options}
        if metadata:
            keywords = kept(metadata) | keywords
            loop = loop_of(metadata) if loop is None else loop
            if duration is None:
                said = metadata.get("duration")
                each = said if isinstance(said, (list, tuple)) else [said] * len(images)
                duration = [duration_of({"duration": one}) for one in each]
        if hasattr(keywords.get("exif"), "tobytes"):
            # PIL.Image.Exif, named by what it can do: Pillow need not be there.
            keywords["exif"] = keywords["exif"].tobytes()
        frames = encode_frames(
            [Frame(_samples(image), bilevel=image.dtype == bool) for image in images], **keywords
        )
        self._durations += durations_of(duration, len(frames))
        self._frames += frames
        self._loop = self._loop if loop is None else loop
        return self._coded() if self.request._uri_type == URI_BYTES else None

    def _coded(self) -> bytes:
        from aig_codec import join

        return join(self._frames, self._durations, self._loop)


class AIGReader(AIGPlugin):
    """AIGPlugin for what has no extension that would tell its format, asked before all others.

    It leaves alone what another plugin might need: targets, and what cannot be looked at without
    being fetched twice or used up, such as pipes and addresses.
    """

    def __init__(self, request: Request) -> None:
        if request.mode.io_mode != IOMode.read:
            raise InitializationError("this plugin only reads")
        if request._uri_type not in (URI_BYTES, URI_FILE, URI_FILENAME, URI_ZIPPED):
            raise InitializationError("this plugin does not look at addresses")
        if request._uri_type == URI_FILE and not _can_seek(request.get_file()):
            raise InitializationError("this plugin does not look at what can only be read on")
        try:
            super().__init__(request)
        except InitializationError:
            # Where imageio has no extension, every plugin has a request of its own.
            request.finish()
            raise


def _can_seek(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return seekable is not None and bool(seekable())


def _converted(
    file: "AigFile",
    how: Mapping[str, Any],
    *,
    mode: str | None = None,
    rotate: bool = False,
    apply_gamma: bool = False,
    writeable_output: bool = True,
    pilmode: str | None = None,
    exifrotate: bool | None = None,
) -> NDArray[Any]:
    """A frame decoded as `how` says, turned and converted as `AIGPlugin.read` documents."""
    mode = pilmode if mode is None else mode
    pixels = file.decode(**how)
    if mode is not None:
        pixels = _in_mode(pixels, mode)
    if rotate or exifrotate:
        orientation = _orientation(file, strict=how.get("strict", True))
        swapped, backwards = _ORIENTATIONS.get(orientation, (False, ()))
        pixels = np.flip(pixels.swapaxes(0, 1) if swapped else pixels, backwards)
    return np.ascontiguousarray(pixels)


#: The keywords of `_converted` that say what becomes of the pixels.
_CONVERSION = frozenset(_converted.__kwdefaults__ or ())


def _in_mode(pixels: NDArray[Any], mode: str) -> NDArray[Any]:
    """The pixels as Pillow converts them; it has 16 bits per sample of grey alone."""
    from PIL import Image

    if pixels.itemsize > 1 and pixels.ndim > 2:
        pixels = (pixels >> 8).astype(np.uint8)
    image = Image.fromarray(pixels)
    try:
        return np.array(image.convert(mode))
    except (ValueError, TypeError) as error:
        raise ValueError(f"mode {mode!r}: no conversion from {image.mode}: {error}") from error


def _orientation(file: "AigFile", strict: bool) -> int:
    """What EXIF, or else XMP, says of how to hold the picture; 1 if it is as it should be, or, if
    not strict, if that cannot be read."""
    from PIL import ExifTags, Image

    said = Image.new("L", (1, 1))
    for key in ("exif", "xmp"):
        try:
            if value := getattr(file, key):
                said.info[key] = value
        except OSError:
            if strict:
                raise
    found = said.getexif().get(ExifTags.Base.Orientation, 1)
    return found if isinstance(found, int) else 1


def _decisions(file: "AigFile") -> dict[str, Any]:
    """What the encoder chose, if the file tells."""
    decisions = file.decisions
    return {"decisions": [d.to_json() for d in decisions]} if decisions else {}


def _images(ndimage: Any, is_batch: bool | None) -> list[NDArray[Any]]:
    """The images that are to be written."""
    frames = ndimage
    if not isinstance(ndimage, (list, tuple)):
        image = np.asarray(ndimage)
        if is_batch is None:
            is_batch = image.ndim > 3 or (image.ndim == 3 and not 1 <= image.shape[2] <= 4)
        frames = list(image) if is_batch and image.ndim else [image]
    if not frames:
        raise ValueError("there is no image to write")
    return [np.asarray(frame) for frame in frames]


def _samples(image: NDArray[Any]) -> NDArray[Any]:
    """Truth as black and white."""
    return 255 * image.astype(np.uint8) if image.dtype == bool else image
