"""AIG images in Pillow: importing this package registers the format.

Afterwards `PIL.Image.open` reads .aig files and `Image.save` writes them, with every keyword of
`aig_codec.encode`. The import costs no more than Pillow itself: NumPy and the native code come
with the first picture.
"""

from PIL import Image

from aig_autoload import MIME_TYPE, know_mime_type

from .reading import AigDecoder, AigImageFile, accept
from .saving import save, save_all

__all__ = ["AigImageFile", "register_aig_opener"]


def register_aig_opener() -> None:
    """Make Pillow read and write AIG. Calling it again changes nothing.

    `import pillow_aig` has done it already; call it where a linter would drop a bare import, or
    in worker processes that start afresh.
    """
    Image.register_open(AigImageFile.format, AigImageFile, accept)
    Image.register_decoder(AigDecoder.name, AigDecoder)
    Image.register_save(AigImageFile.format, save)
    Image.register_save_all(AigImageFile.format, save_all)
    Image.register_extension(AigImageFile.format, ".aig")
    Image.register_mime(AigImageFile.format, MIME_TYPE)
    know_mime_type()


register_aig_opener()
