"""AIG images in imageio: importing this package registers the format.

Afterwards `imageio.v3.imread`, `imwrite`, `imiter`, `improps` and `immeta` know .aig files, and so
do the functions of `imageio.v2`. NumPy comes with imageio; the native code waits for the first
picture.

Bytes, files and file objects without a name are looked at before other plugins are: they are AIG if
they start as AIG files do. Pipes and addresses without an extension go to Pillow first, which reads
them where `pillow_aig` is imported too, the first frame in 8 bits of colour: extension=".aig" or
plugin="AIG" gets all.
"""

from imageio.config import (
    FileExtension,
    PluginConfig,
    extension_list,
    known_extensions,
    known_plugins,
)

from aig_autoload import know_mime_type

__all__ = ["register_aig_plugin"]

_NAME = "AIG"
_READER = "AIG-reader"
_EXTENSION = ".aig"


def register_aig_plugin() -> None:
    """Make imageio read and write AIG. Calling it again changes nothing.

    `import imageio_aig` has done it already; call it where a linter would drop a bare import, or
    in worker processes that start afresh.
    """
    know_mime_type()
    if _NAME not in known_plugins:
        # imageio asks plugins in this order about what has no extension. The one that only reads is
        # the first: looking for a magic is cheap, while the old plugins further down cost imports
        # and warnings, and Pillow does not know of frames what AIG does. Pillow comes before the
        # one that writes, since it is the one that decides about targets without an extension.
        reader, both = (
            PluginConfig(
                name=name,
                class_name=class_name,
                module_name="imageio_aig.plugin",
                install_name="aig",
            )
            for name, class_name in ((_READER, "AIGReader"), (_NAME, "AIGPlugin"))
        )
        others = dict(known_plugins)
        pillow = {"pillow": others.pop("pillow")} if "pillow" in others else {}
        known_plugins.clear()
        known_plugins.update({_READER: reader, **pillow, _NAME: both, **others})
    formats = known_extensions.setdefault(_EXTENSION, [])
    if not any(_NAME in known.priority for known in formats):
        extension = FileExtension(
            extension=_EXTENSION,
            priority=[_NAME, "pillow"],
            name=_NAME,
            description="AIG focus-first image",
        )
        # First: without it, plugins that take any extension would write their own format.
        formats.insert(0, extension)
        extension_list.append(extension)


register_aig_plugin()
