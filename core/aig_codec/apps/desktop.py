"""What file managers and file(1) must be told to show AIG files: their type, how it is recognised,
and who makes thumbnails (docs/desktop.md).

Everything goes into folders of the user, or wherever packagers want it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from aig_autoload import EXTENSION, MIME_TYPE

#: The shared MIME-info specification of freedesktop.org: magic and extension of the type.
MIME_XML = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{MIME_TYPE}">
    <comment>AIG image</comment>
    <generic-icon name="image-x-generic"/>
    <magic priority="60">
      <match type="string" value="AIG2" offset="0"/>
    </magic>
    <glob pattern="*{EXTENSION}"/>
  </mime-type>
</mime-info>
"""

#: magic(5): the number of foci, the first one's place, and the quality level of the header.
MAGIC = f"""\
0\tstring\tAIG2\tAIG image data
!:mime\t{MIME_TYPE}
!:ext\t{EXTENSION.lstrip(".")}
>4\tubyte\t1\t\\b, 1 focus
>4\tubyte\t>1\t\\b, %u foci
>5\tbeshort\tx\tat (%d,
>7\tbeshort\tx\t%d)
"""

_BEGIN, _END = "# begin of AIG, by aig desktop\n", "# end of AIG\n"

#: Quoting of the desktop entry specification: these need a backslash within double quotes, and
#: backslashes themselves another one; a percent sign is doubled.
_QUOTED = '"`$\\'


class Places:
    """The files that are written.

    data: what XDG_DATA_HOME is, ~/.local/share by default; or /usr/local/share for all users.
    magic: the file of file(1), which holds other people's lines too.
    """

    def __init__(self, data: Path | None = None, magic: Path | None = None) -> None:
        home = Path.home()
        own = os.environ.get("XDG_DATA_HOME", "")
        self.data = data or (Path(own) if os.path.isabs(own) else home / ".local" / "share")
        self.magic = magic or (home / ".magic" if data is None else data / "misc" / "aig.magic")
        self.mime = self.data / "mime" / "packages" / "aig.xml"
        self.thumbnailer = self.data / "thumbnailers" / "aig.thumbnailer"

    @property
    def all(self) -> tuple[Path, ...]:
        return self.mime, self.thumbnailer, self.magic


def thumbnailer(python: str = sys.executable) -> str:
    """The entry of a program that makes thumbnails: this Python, wherever it lies."""
    quoted = "".join(f"\\{c}" if c in _QUOTED else c for c in python)
    quoted = quoted.replace("\\", "\\\\").replace("%", "%%")
    return (
        f"[Thumbnailer Entry]\nTryExec={python}\n"
        f'Exec="{quoted}" -m aig_codec thumbnail %i %o %s\nMimeType={MIME_TYPE};\n'
    )


def install(places: Places) -> list[Path]:
    """Write the files; returns which. Calling it again changes nothing."""
    for path, text in ((places.mime, MIME_XML), (places.thumbnailer, thumbnailer())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    others = _others_magic(places.magic)
    places.magic.parent.mkdir(parents=True, exist_ok=True)
    places.magic.write_text(others + _BEGIN + MAGIC + _END)
    _update(places)
    return list(places.all)


def remove(places: Places) -> list[Path]:
    """Undo `install`; returns what was removed."""
    found = [path for path in places.all if is_installed_at(path)]
    for path in found:
        others = _others_magic(path) if path == places.magic else ""
        if others:
            path.write_text(others)
        else:
            path.unlink()
    if found:
        _update(places)
    return found


def is_installed_at(path: Path) -> bool:
    """Whether `install` has written this file, or into it."""
    if path.name in ("aig.xml", "aig.thumbnailer"):
        return path.is_file()
    try:
        return _BEGIN in path.read_text()
    except OSError:
        return False


def _others_magic(path: Path) -> str:
    """The lines of a magic file that are not ours."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return ""
    before, begin, rest = text.partition(_BEGIN)
    if begin:
        before += rest.partition(_END)[2]
    return before if not before or before.endswith("\n") else before + "\n"


def _update(places: Places) -> None:
    """Let the database of types know; where there is none, files alone have to do."""
    tool = shutil.which("update-mime-database")
    if tool is not None:
        command = [tool, str(places.data / "mime")]
        subprocess.run(command, check=False, capture_output=True)
