"""What importing and decoding may pull in."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aig_codec

HEAVY = ("numpy", "scipy", "sklearn", "aig_codec._native", "imageio", "matplotlib")


def _modules_after(code: str) -> set[str]:
    listing = "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_codec_is_free() -> None:
    assert not _modules_after("import aig_codec").intersection(HEAVY)


def test_the_plugin_costs_what_pillow_costs() -> None:
    extra = _modules_after("import pillow_aig") - _modules_after("import PIL.Image, PIL.ImageFile")
    assert not extra.intersection(HEAVY)
    assert "aig_codec._native" not in extra


def test_decoding_needs_neither_scipy_nor_scikit_learn(tmp_path: Path) -> None:
    pixels = np.arange(64 * 48 * 3, dtype=np.uint32).reshape(48, 64, 3).astype(np.uint8)
    path = tmp_path / "x.aig"
    path.write_bytes(aig_codec.encode(pixels, centers=[(20, 20)], radii=[(8, 12)]))
    loaded = _modules_after(f"import aig_codec; aig_codec.decode({str(path)!r})")
    assert "numpy" in loaded
    assert not loaded.intersection(("scipy", "sklearn", "aig_codec.encoder"))


def test_a_web_client_comes_with_the_first_address(tmp_path: Path) -> None:
    path = tmp_path / "x.aig"
    path.write_bytes(b"no such file")
    code = "import aig_codec, contextlib\nwith contextlib.suppress(OSError): aig_codec.open({!r})"
    clients = ("urllib3", "http.client", "urllib.request", "ssl")
    assert not _modules_after(code.format(str(path))).intersection(clients)
    address = "http://127.0.0.1:9/x.aig"
    assert _modules_after(code.format(address)).intersection(clients)


#: Imports the kernels in other interpreters, and decodes in this one all the same.
SUBINTERPRETER = """
import sys
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
import numpy as np, aig_codec
picture = np.zeros((40, 50, 3), np.uint8)
if sys.argv[1] == "after":
    aig_codec.encode(picture)
code = '''
import sys
sys.path[:] = {path!r}
try:
    import aig_codec._native
except ImportError as error:
    print("refused:", error, flush=True)
else:
    print("imported", flush=True)
'''.format(path=sys.path)
for _ in range(2):
    try:
        other = interpreters.create("legacy")
    except TypeError:
        other = interpreters.create(isolated=False)
    interpreters.run_string(other, code)
    interpreters.destroy(other)
print(aig_codec.decode(aig_codec.encode(picture)).shape)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_subinterpreter_is_told_at_once(when: str) -> None:
    if not any(importlib.util.find_spec(n) for n in ("_xxsubinterpreters", "_interpreters")):
        pytest.skip("this Python has no module of subinterpreters")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SUBINTERPRETER, when],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, second, shape = done.stdout.splitlines()
    assert first == second
    assert first.startswith("refused: aig_codec._native works in the main interpreter alone")
    assert shape == "(40, 50, 3)"
