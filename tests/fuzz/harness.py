"""Compiling the kernels with a harness around them: for the fuzzers, and for `tests/ports`."""

import functools
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "core" / "native"

#: What the harness needs of core/native. Units with intrinsics are for x86-64, with their options.
_UNITS = {
    "dct": "blocks decoder dispatch encoder filters_plain frame lf_image loop_filter quantiser rdoq"
    " residual restoration_fit trained_models transforms_plain",
    "entropy": "alias frequencies rans",
    "geometry": "geometry label_map masks",
    "lossless": "colour_table dispatch photo predictor_search predictors strips tables"
    " transform_choice value_ranks wavefront_plain ycc",
    "mixed": "mixed mixed_plain",
    "screen": "colour_merge palette screen_content",
    "simd": "dispatch kernels_plain kernels_vector",
}
PORTABLE = [f"{folder}/{unit}" for folder, units in _UNITS.items() for unit in units.split()]
_AVX2 = ("-mavx2",)
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mpopcnt")
INTRINSICS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "lossless/wavefront_avx512",
            "mixed/mixed_avx512",
            "dct/transforms_avx512",
            "dct/filters_avx512",
        ),
        _AVX512,
    ),
    **dict.fromkeys(
        (
            "lossless/wavefront_avx2",
            "mixed/mixed_avx2",
            "dct/transforms_avx2",
            "dct/filters_avx2",
            "simd/kernels_avx2",
        ),
        _AVX2,
    ),
}
TARGETS = ("lossless", "lossy", "maps", "symbols", "elements")

_FLAGS = ("-std=c++20", "-ffp-contract=off", "-Wno-psabi", "-fPIC")


@dataclass(frozen=True)
class Build:
    """How to compile.

    compiler: the command and what is always said to it. flags: of every unit. checked: of units
    without intrinsics in addition, but for those in `unchecked`; the others have little that is
    undefined, and take minutes if it is looked for. guided: with a second program, of libFuzzer's.
    x86: with the units that have intrinsics.
    """

    compiler: tuple[str, ...]
    flags: tuple[str, ...] = ("-O2",)
    checked: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    guided: bool = False
    x86: bool = platform.machine() in ("x86_64", "AMD64")

    def make(self, folder: Path) -> Path:
        """The program, linked in a folder: "harness", and "guided" beside it if that is wanted. As
        many units are compiled at a time as there are processors."""
        flags = (*_FLAGS, *self.flags, *(("-DAIG_HAVE_AVX2_BUILD",) if self.x86 else ()))
        entrances = ("main", "guided") if self.guided else ("main",)
        units = [(NATIVE / f"{n}.cpp", o) for n, o in INTRINSICS.items() if self.x86]
        units += [
            (NATIVE / f"{n}.cpp", () if n in self.unchecked else self.checked) for n in PORTABLE
        ]
        units += [(HERE / f"{n}.cpp", self.checked) for n in (*TARGETS, *entrances)]
        objects = {s: folder / f"{s.parent.name}-{s.stem}.o" for s, _ in units}
        _all(
            [
                [*self.compiler, *flags, *own, f"-I{NATIVE}", "-c", str(s), "-o", str(objects[s])]
                for s, own in units
            ]
        )
        shared = [str(o) for s, o in objects.items() if s.stem not in entrances]
        for entrance, name, more in zip(
            entrances, ("harness", "guided"), ((), ("-fsanitize=fuzzer",)), strict=False
        ):
            parts = [*shared, str(objects[HERE / f"{entrance}.cpp"]), "-o", str(folder / name)]
            command = [*self.compiler, *self.link, *more, "-pthread", *parts]
            subprocess.run(command, check=True)
        return folder / "harness"


def _all(commands: Sequence[list[str]]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        jobs = workers.map(lambda command: subprocess.run(command).returncode, commands)
        for number, failed in enumerate(jobs, 1):
            if failed:
                raise SystemExit("the harness does not compile")
            print(f"\rcompiled {number} of {len(commands)}", end="", flush=True)
    print()


_ASAN, _UBSAN = "-fsanitize=address", "-fsanitize=undefined"
_QUICK = ("-O1", "-g1", "-fno-sanitize-recover=all", "-DAIG_FRESH_MEMORY", "-D_GLIBCXX_ASSERTIONS")


def by_chance() -> Build:
    """Random inputs under the address and undefined-behaviour sanitizers, by any compiler."""
    compiler = os.environ.get("CXX") or "g++"
    quick = _QUICK if "clang" in compiler else (*_QUICK, "-fno-var-tracking")
    return Build((compiler,), (*quick, _ASAN), (_UBSAN,), (_ASAN, _UBSAN))


def guided(memory: bool = False) -> Build:
    """Inputs by libFuzzer under the same sanitizers, or under that of uninitialised memory."""
    compiler = libfuzzer()
    if compiler is None:
        raise SystemExit("there is no clang++ with libFuzzer here (Debian: clang, libclang-rt-dev)")
    quick = (*_QUICK, "-fsanitize=fuzzer-no-link")
    if memory:
        # Plain kernels: the sanitizer does not see through all intrinsics.
        memory_flags = ("-fsanitize=memory", "-fsanitize-memory-track-origins")
        link = memory_flags[:1]
        return Build((compiler,), (*quick, *memory_flags), (), link, guided=True, x86=False)
    checked = (_UBSAN, "-fsanitize=float-cast-overflow")
    # Lanes in plain C++ take Clang many minutes then; g++ looks at them, by chance.
    unchecked = ("lossless/wavefront_plain",)
    return Build((compiler,), (*quick, _ASAN), checked, (_ASAN, _UBSAN), unchecked, guided=True)


@functools.cache
def libfuzzer() -> str | None:
    """A Clang that links libFuzzer, or None."""
    names = [os.environ.get("CXX", ""), "clang++", *(f"clang++-{n}" for n in range(30, 13, -1))]
    for name in names:
        if "clang" not in name or not shutil.which(name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "entrance.cpp"
            source.write_text(
                '#include <cstddef>\nextern "C" int LLVMFuzzerTestOneInput'
                "(const unsigned char*, std::size_t) { return 0; }\n"
            )
            command = [name, "-fsanitize=fuzzer", str(source), "-o", f"{folder}/entrance"]
            if not subprocess.run(command, capture_output=True).returncode:
                return name
    return None
