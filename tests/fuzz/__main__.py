"""`python tests/fuzz [MINUTES]`: fuzz the decoders under sanitizers.

Builds main.cpp and what it fuzzes, the lossless core, the lossy tiers and maps, with the address
and undefined-behaviour sanitizers of g++ or the compiler in CXX, and runs it in every processor, by
default for ten minutes. `--seed N` runs one seed again, `--only` one of the three.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
NATIVE = HERE.parents[1] / "core" / "native"

_ADDRESS, _UNDEFINED = "-fsanitize=address", "-fsanitize=undefined"

#: What the harness needs of core/native, with the compiler's options for each. The units with
#: intrinsics have little that is undefined, and take minutes if it is looked for.
_LOSSLESS = "alias graphic photo predictor_search predictors strips tables transform_choice"
_LOSSY = "blocks eighth finisher frame level_search lossy_decoder lossy_encoder quantiser rans"
_MORE = "restoration_fit trained_models samples_plain transforms_plain"
_MAPS = "colour_merge label_map masks"
_BOTH = "frequencies simd simd_plain simd_vector"
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mpopcnt")
SOURCES: dict[str, tuple[str, ...]] = {
    "wavefront_plain": (_UNDEFINED,),
    "wavefront_avx512": _AVX512,
    "transforms_avx512": _AVX512,
    "samples_avx512": _AVX512,
    **dict.fromkeys(("wavefront_avx2", "transforms_avx2", "samples_avx2"), ("-mavx2",)),
    "simd_avx2": ("-mavx2",),
    **dict.fromkeys(f"{_LOSSLESS} {_LOSSY} {_MORE} {_MAPS} {_BOTH}".split(), (_UNDEFINED,)),
}
HARNESS = ("lossless", "lossy", "maps", "main")
_FLAGS = (
    *("-std=c++20", "-O1", "-g1", "-fno-var-tracking", "-ffp-contract=off", "-Wno-psabi"),
    *("-DAIG_HAVE_AVX2_BUILD", _ADDRESS, "-fno-sanitize-recover=all"),
)


def build(folder: Path) -> Path:
    """Compile and link the harness in a folder; as many compilers at a time as processors."""
    compiler = os.environ.get("CXX", "g++")
    units = [(NATIVE / f"{name}.cpp", options) for name, options in SOURCES.items()]
    units += [(HERE / f"{name}.cpp", (_UNDEFINED,)) for name in HARNESS]
    waiting, running, objects = units[::-1], [], []
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            source, options = waiting.pop()
            objects.append(folder / f"{source.stem}.o")
            command = [compiler, *_FLAGS, *options, f"-I{NATIVE}", "-c", str(source)]
            running.append(subprocess.Popen([*command, "-o", str(objects[-1])]))
            print(f"\rcompiling {len(objects)} of {len(units)}", end="", flush=True)
        if running.pop(0).wait():
            raise SystemExit("the harness does not compile")
    print()
    harness = folder / "harness"
    link = [compiler, _ADDRESS, _UNDEFINED, "-pthread", *map(str, objects), "-o", str(harness)]
    subprocess.run(link, check=True)
    return harness


def run(harness: Path, what: str, minutes: float) -> int:
    """Run one process for each processor; 0 if none found anything."""
    count = os.cpu_count() or 1
    first = int(time.time()) % 1_000_000 * 1000
    jobs = [
        subprocess.Popen(
            [harness, what, str(60 * minutes), str(first + i), str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(count)
    ]
    totals = [[0, 0, 0] for _ in jobs]
    failed = False
    for i, line in _lines(jobs):
        if line[0].isdigit():
            totals[i] = [int(n) for n in line.split()]
        else:
            failed = True
            print(f"\n{line}", end="")
        pictures, decoded, refused = (sum(column) for column in zip(*totals, strict=True))
        print(
            f"\r{pictures} pictures, {decoded} streams decoded, {refused} refused",
            end="",
            flush=True,
        )
    print()
    return int(failed or any(job.wait() for job in jobs))


def _lines(jobs: "list[subprocess.Popen[str]]") -> Iterator[tuple[int, str]]:
    """The lines that the processes print, with the number of the process."""
    for lines in zip(*(iter(job.stdout.readline, "") for job in jobs if job.stdout), strict=False):
        yield from enumerate(lines)
    for i, job in enumerate(jobs):
        if job.stdout:
            yield from ((i, line) for line in job.stdout)


def main() -> int:
    """Build and run; 1 if something was found."""
    parser = argparse.ArgumentParser(
        "python tests/fuzz", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument(
        "--only", choices=("lossless", "lossy", "maps"), default="all", help="(all)"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        harness = build(Path(folder))
        if args.seed is not None:
            return subprocess.run([harness, args.only, str(args.seed)]).returncode
        return run(harness, args.only, args.minutes)


if __name__ == "__main__":
    sys.exit(main())
