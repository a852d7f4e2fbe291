"""The rules of the house that tools can check: style, types, layers, the committed stub."""

import ast
import os
import subprocess
import sys

import pytest
from support import ROOT

from aig_codec import _native


def _run(*command: str) -> None:
    environment = dict(os.environ, MYPYPATH="core", NO_COLOR="1")
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "core"), str(ROOT)])
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_has_nothing_to_say() -> None:
    folders = ("core", "pillow_aig", "imageio_aig", "tests", "bench")
    _run(sys.executable, "-m", "ruff", "check", *folders)
    _run(sys.executable, "-m", "ruff", "format", "--check", *folders)


def test_types_are_strict() -> None:
    _run(sys.executable, "-m", "mypy", "-p", "aig_codec", "-p", "pillow_aig", "-p", "imageio_aig")


def test_imports_run_downward() -> None:
    pytest.importorskip("importlinter")
    _run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()")


def test_stub_names_what_the_native_module_has() -> None:
    stub = ast.parse((ROOT / "core/aig_codec/_native.pyi").read_text())
    functions = {node.name for node in stub.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    constants = {
        node.target.id
        for node in stub.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    public = {name for name in vars(_native) if not name.startswith("_")}
    assert functions | set(classes) | constants == public
    for name, node in classes.items():
        members = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
        own = {m for m in vars(getattr(_native, name)) if not m.startswith("_") or m == "__init__"}
        assert members == own, name


def test_the_version_is_said_once() -> None:
    import tomllib

    import aig_codec

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == aig_codec.__version__
