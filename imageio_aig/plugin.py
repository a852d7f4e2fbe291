"""The plugin that imageio constructs for every AIG file it reads or writes."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from imageio.core.request import URI_BYTES, InitializationError, IOMode, Request
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from numpy.typing import ArrayLike, NDArray

from aig_codec.options import SequenceOptions, documented

if TYPE_CHECKING:
    from aig_codec import AigFile

MAGIC = b"AIG2"

Index = int | EllipsisType | None

#: What `write` takes from metadata that was read.
_METADATA = ("exif", "icc_profile", "xmp", "dpi", "text", "comment")


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
                data = self._coded()
                self.request.get_file().write(data)
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
    ) -> NDArray[Any]:
        """Decode an image.

        index: the number of the frame; ``...`` stacks all of them along a new first axis, as None
        does for files of several frames. upto, scale, region, threads and strict are those of
        `aig_codec.decode`.

        Returns a writable uint8 or uint16 array (H, W) for grey, else (H, W, C) with C = 2, 3 or 4.
        Raises ValueError for another index, a bad keyword, or a stack of images that differ in
        shape, and the kinds of `aig_codec.errors`, which are OSError, for a bad file.
        """
        how: dict[str, Any] = {
            "upto": upto,
            "scale": scale,
            "region": region,
            "threads": threads,
            "strict": strict,
        }
        k = self._index(index)
        if k is not ...:
            return self._frame(k).decode(**how)
        frames = list(self.iter(**how))
        if len({(frame.shape, frame.dtype) for frame in frames}) > 1:
            shapes = sorted({frame.shape for frame in frames})
            raise ValueError(f"frames of shapes {shapes} do not stack: read them by index")
        return np.stack(frames)

    def iter(self, **keywords: Any) -> Iterator[NDArray[Any]]:
        """Yield the images one after the other; keywords as for `read`, but index."""
        for k in range(self._file().n_frames):
            yield self._frame(k).decode(**keywords)

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
        if metadata.dpi and all(metadata.dpi):
            spacing = (1 / metadata.dpi[1], 1 / metadata.dpi[0])
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
        them. Of several frames, also "n_frames", "duration" in milliseconds, for a stack a list,
        and "loop". index: as for `read`. exclude_applied makes no difference, since reading applies
        none of them; the orientation in particular is left alone.
        """
        k = self._index(index)
        file = self._file()
        frame = self._frame(0 if k is ... else k)
        found: dict[str, Any] = {
            "mode": frame.mode,
            "aig": frame.info() | _decisions(frame),
            "dpi": frame.metadata.dpi,
            "exif": file.exif,
            "icc_profile": file.icc_profile,
            "xmp": file.xmp,
            "text": file.text or None,
            "comment": file.text.get("comment"),
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
        such images. Three axes are a stack only if the last one is longer than 4, unless is_batch
        says what they are. duration: milliseconds for each image, or one number for all. loop: how
        often to show them, 0 for ever. options: those of `aig_codec.encode_sequence`. metadata: a
        dict as `metadata` returns it, of which exif, icc_profile, xmp, dpi, text, comment, duration
        and loop are stored unless they are given as keywords.

        Returns the file for the target "<bytes>", else None. Raises TypeError for another dtype or
        an unknown keyword, and ValueError for another shape or a bad value; nothing is created
        then.
        """
        keywords: dict[str, Any] = {**options}
        for key in _METADATA:
            if metadata and key in metadata:
                keywords.setdefault(key, metadata[key])
        if metadata and duration is None:
            duration = metadata.get("duration")
        if metadata and loop is None:
            loop = metadata.get("loop")
        if hasattr(keywords.get("exif"), "tobytes"):
            # PIL.Image.Exif, named by what it can do: Pillow need not be there.
            keywords["exif"] = keywords["exif"].tobytes()
        from aig_codec.sequence import durations_of, encode_frames
        from aig_codec.settings import OF_LOSSY_TIERS

        images = _images(ndimage, is_batch)
        is_lossy = any(name in keywords for name in OF_LOSSY_TIERS)
        if all(image.dtype == bool for image in images) and not is_lossy:
            keywords.setdefault("lossless", True)
        images = [_samples(image) for image in images]
        frames = encode_frames(images, **keywords)
        self._durations += durations_of(duration, len(frames))
        self._frames += frames
        self._loop = self._loop if loop is None else loop
        return self._coded() if self.request._uri_type == URI_BYTES else None

    def _coded(self) -> bytes:
        from aig_codec import join

        return join(self._frames, self._durations, self._loop)


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
