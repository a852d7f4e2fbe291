"""What the fuzzers' sanitizers found in the kernels, by name, each as a few lines of C++."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import ROOT

NATIVE = ROOT / "core" / "native"

_FLAGS = ("-std=c++20", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

FINDINGS = {
    # Pointers left their array on the way to a place inside it, in groups other than the first.
    "activity maps of groups that do not begin at 0": """
        #include "dct/levels.hpp"
        int main() {
            aig::ActivityMap map;
            map.start({64, 96, 96, 128});
            aig::Block block;
            block.x = 90, block.y = 120;
            map.set(block, 3);
            return map.around(block) == 3 ? 0 : 1;
        }
    """,
}


def compiled(code: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The program `finding` in a folder. Clang's sanitizers see more than GCC's."""
    (folder / "finding.cpp").write_text(code)
    names = (os.environ.get("CXX", ""), "clang++")
    clang = next((name for name in names if "clang" in name and shutil.which(name)), None)
    if clang is None:
        pytest.skip("there is no clang++")
    command = [clang, *_FLAGS, f"-I{NATIVE}", "finding.cpp", "-o", "finding"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("name", FINDINGS)
def test_finding(name: str, tmp_path: Path) -> None:
    if compiled("int main() {}", tmp_path).returncode:
        pytest.skip("this clang++ has no sanitizers")
    built = compiled(FINDINGS[name], tmp_path)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([tmp_path / "finding"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
