"""`python tests/ports`: the kernels on other processors and by other compilers, to the bit.

Builds the kernels of core/native without their Python bindings, with the fuzzers' harness around
them. The host codes pictures of all kinds and records what decoders are given for them, damage
included; every port then codes the same pictures and decodes the record. The checksums of all
bytes, pixels and refusals must be equal. Ports: the host by g++ and by clang++ where they are
there, with SIMD; and what `--target` names, by default 64-bit ARM, cross-compiled by PyPI's
`ziglang` and run by QEMU (Debian: qemu-user-static), without x86's SIMD.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FUZZ = Path(__file__).resolve().parents[1] / "fuzz"
sys.path.insert(0, str(FUZZ))

from harness import Build  # noqa: E402

TARGETS = ("aarch64-linux-musl",)


@dataclass(frozen=True)
class Port:
    """name: for people. build: how to compile. runner: what runs its programs."""

    name: str
    build: Build
    runner: tuple[str, ...] = ()


def hosts() -> Iterator[Port]:
    """The compilers of this machine."""
    for name in dict.fromkeys((os.environ.get("CXX"), "g++", "clang++")):
        if name and shutil.which(name):
            yield Port(name, Build((name,)))


def cross(target: str) -> Port:
    """A target of zig's, and what runs it; says what is missing."""
    zig = (sys.executable, "-m", "ziglang", "c++", "-target", target)
    if subprocess.run([*zig[:3], "version"], capture_output=True).returncode:
        raise SystemExit("a cross compiler is needed: pip install ziglang")
    processor = target.split("-")[0]
    runner: tuple[str, ...] = ()
    if processor != platform.machine():
        names = (f"qemu-{processor}-static", f"qemu-{processor}")
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            raise SystemExit(f"{names[0]} is needed to run it (Debian: qemu-user-static)")
        runner = (found,)
    return Port(target, Build(zig, link=("-static",), x86=False), runner)


def checksums(port: Port, program: Path, record: Path, seeds: int) -> list[str]:
    """What coding gives, and what decoding the record gives, a line for each kind of coder."""
    with tempfile.TemporaryDirectory() as own:
        commands = [["record", own, str(seeds)], ["replay", *map(str, sorted(record.iterdir()))]]
        lines = []
        for command in commands:
            done = subprocess.run(
                [*port.runner, str(program), "all", *command], stdout=subprocess.PIPE, text=True
            )
            if done.returncode:
                raise SystemExit(f"{port.name}: {command[0]} failed\n{done.stdout}")
            lines += [f"{command[0]} {line}" for line in done.stdout.splitlines()]
    return lines


def main() -> int:
    """Build, run and compare; 1 if something differs."""
    lines = (__doc__ or "").split("\n")
    parser = argparse.ArgumentParser("python tests/ports", description=lines[0])
    parser.add_argument("--target", action="append", help=f"zig's name ({', '.join(TARGETS)})")
    parser.add_argument("--no-target", action="store_true", help="compilers of this machine alone")
    parser.add_argument("--seeds", type=int, default=12, help="(%(default)s)")
    args = parser.parse_args()
    ports = [*hosts()]
    if not args.no_target:
        ports += [cross(target) for target in args.target or TARGETS]
    expected: list[str] = []
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = folder / "record"
        record.mkdir()
        for number, port in enumerate(ports):
            own = folder / str(number)
            own.mkdir()
            print(port.name)
            program = port.build.make(own)
            if not number:
                command = [*port.runner, program, "all", "record", record, str(args.seeds)]
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found = checksums(port, program, record, args.seeds)
            if not expected:
                expected = found
                print(*found, sep="\n")
            different = [new for new, old in zip(found, expected, strict=True) if new != old]
            failed |= bool(different)
            equal = len(found) - len(different)
            print(f"{port.name}: {equal} of {len(found)} checksums equal", *different, sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
