"""The rules of the house for native sources: what is built, what includes what, the format."""

import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "core" / "native"

#: From the highest to the lowest layer; folders of one layer do not include each other.
LAYERS = (
    ("bindings",),
    ("roi",),
    ("dct", "lossless", "mixed", "screen"),
    ("geometry",),
    ("entropy",),
    ("simd",),
    ("base",),
)
RANKS = {folder: rank for rank, folders in enumerate(LAYERS) for folder in folders}

SOURCES = sorted(
    p.relative_to(NATIVE) for p in NATIVE.rglob("*") if p.suffix in (".cpp", ".hpp", ".inl")
)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]*)"', re.MULTILINE)


def includes(source: Path) -> list[str]:
    """What a source file includes in quotation marks."""
    return INCLUDE.findall((NATIVE / source).read_text())


def upward(folder: str, included: str) -> bool:
    """Whether an include from one folder to another goes up, or sideways."""
    return folder != included and RANKS[folder] >= RANKS[included]


def test_every_unit_is_built_once() -> None:
    lists = re.findall(r"^\s*units\(([^)]*)\)", (NATIVE / "CMakeLists.txt").read_text(), re.M)
    built = [f"{folder}/{name}.cpp" for folder, *names in map(str.split, lists) for name in names]
    assert sorted(built) == [str(s) for s in SOURCES if s.suffix == ".cpp"]


def test_every_source_lies_in_a_layer() -> None:
    assert {s.parts[0] for s in SOURCES} == set(RANKS)
    assert all(len(s.parts) == 2 for s in SOURCES)


def test_includes_name_their_folder_and_run_downward() -> None:
    wrong = []
    for source in SOURCES:
        for name in includes(source):
            if not re.fullmatch(r"[a-z]+/\w+\.(hpp|inl)", name) or not (NATIVE / name).is_file():
                wrong.append(f'{source}: "{name}" is no "folder/file.hpp" of core/native')
            elif upward(source.parts[0], name.split("/")[0]):
                wrong.append(f'{source}: "{name}" is not of a lower layer')
    assert not wrong, "\n".join(wrong)


def test_layers_would_refuse_a_step_up_or_sideways() -> None:
    for higher, lower in pairwise(LAYERS):
        assert upward(lower[0], higher[0])
        assert not upward(higher[0], lower[0])
    assert upward("dct", "screen")
    assert upward("screen", "dct")
    assert not upward("dct", "dct")


def test_nanobind_is_known_to_bindings_only() -> None:
    users = {s.parts[0] for s in SOURCES if "nanobind" in (NATIVE / s).read_text()}
    assert users == {"bindings"}


def clang_format() -> str:
    """The clang-format whose version the sources are formatted by: others differ in details."""
    beside = Path(sys.executable).with_name("clang-format")
    for program in (str(beside), shutil.which("clang-format")):
        if program is None or not shutil.which(program):
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if re.search(r"version 14\.", said):
            return program
    pytest.skip("there is no clang-format 14")


def test_clang_format_would_change_nothing() -> None:
    # What the trainer writes is not formatted.
    files = [str(s) for s in SOURCES if not s.name.startswith("trained_")]
    done = subprocess.run(
        [clang_format(), "--dry-run", "--Werror", "--fallback-style=none", *files],
        cwd=NATIVE,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
