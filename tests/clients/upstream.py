"""Pillow's and imageio's own tests, with the format exchanged.

    python tests/clients/upstream.py pillow CHECKOUT
    python tests/clients/upstream.py imageio CHECKOUT

CHECKOUT is a folder with the sources of the installed version of the package, as its repository has
them (git clone --branch VERSION). Nothing is changed in it: tests and pictures are copied to a
temporary folder, where JPEG, GIF or PNG become AIG as the lists below say, and are run there. Tests
that are about the other format itself are left out by name; why is said beside them.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple


class Suite(NamedTuple):
    """A file of tests: what becomes what in it, and the tests that are not for us."""

    exchanges: dict[str, str]
    not_ours: tuple[str, ...] = ()


PILLOW = {
    "test_image_draft.py": Suite(
        # The scale is JPEG's own variable.
        {r'"JPEG"': '"AIG"', r"scale, _ = im\.decoderconfig": "scale = im._plan.scale"},
        # JPEG can leave out colour, and give YCbCr: a choice of that format.
        ("test_mode",),
    ),
    "test_image_thumbnail.py": Suite({r"hopper\.jpg": "hopper.aig", r'"JPEG"': '"AIG"'}),
    # JPEG's own layers.
    "test_pickle.py": Suite({r"hopper\.(jpg|tif|webp)": "hopper.aig"}, ("test_pickle_jpeg",)),
    "test_imagefile.py": Suite(
        {
            # Equal, and fed to the parser at once and in pieces.
            r'assert_image_equal\(\*roundtrip\("(BMP|TIFF|PPM)"\)\)': (
                'assert_image_similar(*roundtrip("AIG"), 4)'
            ),
            r"Tests/images/truncated_image\.png": "Tests/images/truncated.aig",
            r"Tests/images/broken_data_stream\.png": "Tests/images/broken.aig",
            r"Tests/images/hopper\.gif": "Tests/images/hopper.aig",
        }
    ),
    "test_image_load.py": Suite({r"hopper\.gif": "hopper.aig"}),
    "test_image_copy.py": Suite({r"hopper\.gif": "hopper.aig"}),
    "test_imagesequence.py": Suite(
        {
            r"Tests/images/multipage\.tiff": "Tests/images/frames.aig",
            r"assert isinstance\(im, TiffImagePlugin\.TiffImageFile\)": "pass",
        },
    ),
}

_BY_NAME = {
    r"chelsea\.png": "chelsea.aig",
    r"newtonscradle\.gif": "newtonscradle.aig",
    r"(test|1|2|iio|pil|tmp)\.(png|gif|bmp)\b": r"\1.aig",
    r'"\.(png|gif)"': '".aig"',
    r'format="PNG"': 'format="AIG"',
}

IMAGEIO = {
    # Writers of the plug-in of Pillow ignore what they do not know, such as pilmode; that a stack
    # cannot be written is PNG's case.
    "test_v2.py": Suite(_BY_NAME, ("test_kwarg_forwarding", "test_mimwrite_exception")),
    # Of all formats, the plug-in of Pillow stacks GIF alone unless it is asked to.
    "test_core.py": Suite(_BY_NAME, ("test_imiter",)),
    # AIG has no samples of one bit: truth comes back as 0 and 255.
    "test_pillow.py": Suite(
        {**_BY_NAME, r"(?m)^.*file\.get_meta.*\n.*version.*\n": ""}, ("test_boolean",)
    ),
}

#: Of imageio's larger files, the tests that are about reading and writing as such.
IMAGEIO_CHOSEN = (
    *("test_v2", "test_imopen_extension", "test_writing_foreign_extension", "test_memory_size"),
    *("test_write_single_frame", "test_write_to_bytes", "test_initialization_failure"),
    *("test_boolean", "test_incremental_gif_write", "test_gif_indexed_read", "test_imiter"),
    *("test_gif_loop_and_duration", "test_writable_output", "test_write_multiframe"),
)

_CONFTEST = "import pillow_aig\nimport imageio_aig\n"


def main() -> int:
    """Run the tests of one package; the exit code is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", choices=("pillow", "imageio"))
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the copies stay")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        if args.package == "pillow":
            return pillow(args.checkout, folder)
        return imageio(args.checkout, folder)


def pillow(checkout: Path, folder: Path) -> int:
    """Pillow's tests: of drafts, thumbnails, pickles, parsers, loading, copying and sequences."""
    tests = folder / "Tests"
    shutil.copytree(checkout / "Tests", tests, dirs_exist_ok=True)
    _exchange(tests, PILLOW)
    _pictures(tests / "images")
    return _run(folder, [f"Tests/{name}" for name in PILLOW if (tests / name).exists()], PILLOW)


def imageio(checkout: Path, folder: Path) -> int:
    """imageio's tests of its interfaces and of the plug-in of Pillow."""
    tests = folder / "tests"
    shutil.copytree(checkout / "tests", tests, dirs_exist_ok=True)
    _exchange(tests, IMAGEIO)
    _stand_ins(folder / ".test_images")
    names = [f"tests/{name}" for name in IMAGEIO if (tests / name).exists()]
    return _run(folder, names, IMAGEIO, IMAGEIO_CHOSEN)


def _stand_ins(images: Path) -> None:
    """Pictures in place of imageio's, which lie in a repository of their own: of the same size."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_sample_image

    import pillow_aig  # noqa: F401 - registers AIG

    images.mkdir(exist_ok=True)
    chelsea = np.ascontiguousarray(load_sample_image("china.jpg")[50:350, 100:551])
    frames = np.stack([chelsea[k : k + 150, 2 * k : 2 * k + 200] for k in range(36)])
    np.save(images / "chelsea.npy", chelsea)
    np.save(images / "chelsea_jpg.npy", chelsea)
    np.save(images / "newtonscradle_rgb.npy", frames)
    Image.fromarray(chelsea).save(images / "chelsea.aig", lossless=True)
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(images / "newtonscradle.aig", save_all=True, append_images=rest, lossless=True)


def _exchange(tests: Path, suites: dict[str, Suite]) -> None:
    for name, suite in suites.items():
        path = tests / name
        if not path.exists():
            print(f"{name}: not there", file=sys.stderr)
            continue
        text = path.read_text()
        for old, new in suite.exchanges.items():
            text, count = re.subn(old, new, text)
            print(f"{name}: {old} became {new} {count} times")
        path.write_text(text)
    conftest = tests / "conftest.py"
    own = conftest.read_text() if conftest.exists() else ""
    future = "from __future__ import annotations\n"
    conftest.write_text(future + _CONFTEST + own.replace(future, ""))


def _pictures(images: Path) -> None:
    """The pictures that the exchanged tests look for."""
    from PIL import Image

    import pillow_aig  # noqa: F401 - registers AIG

    with Image.open(images / "hopper.ppm") as hopper:
        hopper.save(images / "hopper.aig", quality=90)
        whole = (images / "hopper.aig").read_bytes()
        (images / "truncated.aig").write_bytes(whole[: len(whole) * 3 // 4])
        broken = bytearray(whole)
        broken[len(whole) * 3 // 4] ^= 0xFF
        (images / "broken.aig").write_bytes(broken)
        frames = [hopper.resize((10, 10)).point(lambda v, k=k: v // (k + 1)) for k in range(3)]
        frames[0].save(images / "frames.aig", save_all=True, append_images=frames[1:])


def _run(
    folder: Path, names: list[str], suites: dict[str, Suite], chosen: tuple[str, ...] = ()
) -> int:
    left_out = [f"not {name}" for suite in suites.values() for name in suite.not_ours]
    wanted = [f"({' or '.join(chosen)})"] if chosen else []
    command = [sys.executable, "-m", "pytest", "-q", "-rfEs", *names]
    command += ["-c", "/dev/null", "--rootdir", str(folder), "-m", "not needs_internet"]
    command += ["-W", "ignore::pytest.PytestUnknownMarkWarning"]
    if left_out or wanted:
        command += ["-k", " and ".join(wanted + left_out)]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
