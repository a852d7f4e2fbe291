"""The plugin that imageio constructs for every AIG file it reads or writes."""

import operator
from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np
from imageio.core.request import URI_BYTES, InitializationError, IOMode, Request
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from aig_codec import AigFile

MAGIC = b"AIG2"

Index = int | EllipsisType | None


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
        self._written = False

    def close(self) -> None:
        """Finish the request. A file object that the caller gave stays open."""
        if hasattr(self, "_request"):
            super().close()

    # Reading

    def read(
        self,
        *,
        index: Index = 0,
        upto: str = "full",
        scale: int = 1,
        region: Sequence[int] | None = None,
        threads: int | None = None,
        strict: bool = True,
    ) -> NDArray[Any]:
        """Decode the image.

        index: 0 or None; ``...`` stacks the one image along a new first axis. upto, scale, region,
        threads and strict are those of `aig_codec.decode`.

        Returns a writable uint8 or uint16 array (H, W) for grey, else (H, W, C) with C = 2, 3 or 4.
        Raises ValueError for another index or a bad keyword, and the kinds of `aig_codec.errors`,
        which are OSError, for a bad file.
        """
        stack = _check_index(index)
        pixels = self._file().decode(upto, scale, region=region, threads=threads, strict=strict)
        return pixels[None] if stack else pixels

    def iter(self, **keywords: Any) -> Iterator[NDArray[Any]]:
        """Yield the one image; keywords as for `read`."""
        yield self.read(**keywords)

    def properties(self, index: Index = 0) -> ImageProperties:
        """Shape, dtype and pixel spacing, from the metadata alone.

        index: as for `read`. spacing: (vertical, horizontal) in inches, if the file has dpi.
        """
        stack = _check_index(index)
        file = self._file()
        metadata = file.metadata
        shape: tuple[int, ...] = (metadata.height, metadata.width)
        if metadata.channels > 1:
            shape += (metadata.channels,)
        spacing = None
        if metadata.dpi and all(metadata.dpi):
            spacing = (1 / metadata.dpi[1], 1 / metadata.dpi[0])
        return ImageProperties(
            shape=(1, *shape) if stack else shape,
            dtype=file.dtype,
            n_images=1 if stack else None,
            is_batch=stack,
            spacing=spacing,
        )

    def metadata(self, index: Index = 0, exclude_applied: bool = True) -> dict[str, Any]:
        """What the file says about its picture, without decoding that.

        Keys: "mode"; "aig", the dict of `aig_codec.AigFile.info`; and, if there, "dpi", a pair,
        and "exif", "icc_profile" and "xmp", bytes. index: as for `read`. exclude_applied makes no
        difference, since reading applies none of them; the orientation in particular is left alone.
        """
        _check_index(index)
        file = self._file()
        found = {
            "mode": file.mode,
            "aig": file.info(),
            "dpi": file.metadata.dpi,
            "exif": file.exif,
            "icc_profile": file.icc_profile,
            "xmp": file.xmp,
        }
        return {key: value for key, value in found.items() if value is not None}

    def _file(self) -> "AigFile":
        """The open file. Errors in it show here, where imageio closes what it opened."""
        if self._opened is None:
            if self.request.mode.io_mode != IOMode.read:
                raise OSError("this AIG file was opened for writing")
            import aig_codec

            self._opened = aig_codec.open(self.request.get_file())
        return self._opened

    # Writing

    def write(
        self, ndimage: ArrayLike | list[ArrayLike], *, is_batch: bool | None = None, **keywords: Any
    ) -> bytes | None:
        """Encode and write one image.

        ndimage: uint8, or uint16, which is stored lossless, (H, W) or (H, W, C) with C = 1 grey, 2
        grey and alpha, 3 RGB, 4 RGBA; or a list or stack of exactly one such image. Three axes are
        a stack only if the last one is longer than 4, unless is_batch says what they are. keywords:
        those of `aig_codec.encode`.

        Returns the file for the target "<bytes>", else None. Raises TypeError for another dtype or
        an unknown keyword, and ValueError for another shape, more than one image or a bad value;
        nothing is created then.
        """
        image = _single(ndimage, is_batch)
        if self._written:
            raise ValueError("an AIG file holds one image, and that has been written")
        if hasattr(keywords.get("exif"), "tobytes"):
            # PIL.Image.Exif, named by what it can do: Pillow need not be there.
            keywords["exif"] = keywords["exif"].tobytes()
        import aig_codec

        data = aig_codec.encode(image, **keywords)
        # The target comes into being here, when nothing can be wrong with the image any more.
        self.request.get_file().write(data)
        self._written = True
        return data if self.request._uri_type == URI_BYTES else None


def _check_index(index: Index) -> bool:
    """Whether the index asks for a stack. Raises ValueError if it is not that of the one image."""
    if index is ...:
        return True
    if index is not None and operator.index(index) != 0:
        raise ValueError(f"there is no image {index!r}: an AIG file holds one, at index 0")
    return False


def _single(ndimage: Any, is_batch: bool | None) -> NDArray[Any]:
    """The one image that is to be written."""
    frames = ndimage
    if not isinstance(ndimage, (list, tuple)):
        image = np.asarray(ndimage)
        if is_batch is None:
            is_batch = image.ndim > 3 or (image.ndim == 3 and not 1 <= image.shape[2] <= 4)
        frames = list(image) if is_batch and image.ndim else [image]
    if len(frames) != 1:
        what = f"array of shape {ndimage.shape}" if hasattr(ndimage, "shape") else "list"
        raise ValueError(f"an AIG file holds one image, but this {what} is {len(frames)} of them")
    return np.asarray(frames[0])
