"""AIG images in imageio: importing this package registers the format.

Afterwards `imageio.v3.imread`, `imwrite`, `imiter`, `improps` and `immeta` know .aig files, and so
do the functions of `imageio.v2`. NumPy comes with imageio; the native code waits for the first
picture.

Where `pillow_aig` is imported too, imageio gives bytes and streams without a name to Pillow first,
which has 8 bits of colour: extension=".aig" or plugin="AIG" gets all 16 where a file has them.
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
_EXTENSION = ".aig"


def register_aig_plugin() -> None:
    """Make imageio read and write AIG. Calling it again changes nothing.

    `import imageio_aig` has done it already; call it where a linter would drop a bare import, or
    in worker processes that start afresh.
    """
    know_mime_type()
    if _NAME not in known_plugins:
        config = PluginConfig(
            name=_NAME,
            class_name="AIGPlugin",
            module_name="imageio_aig.plugin",
            install_name="aig",
        )
        # imageio asks plugins in this order about bytes without an extension. Looking for a magic
        # is cheap, while the old plugins further down cost imports and warnings; but Pillow stays
        # first, since it is the one that decides about targets without an extension.
        others = dict(known_plugins)
        first = {"pillow": others.pop("pillow")} if "pillow" in others else {}
        known_plugins.clear()
        known_plugins.update({**first, _NAME: config, **others})
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
