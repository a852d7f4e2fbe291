"""`python tests/fuzz [MINUTES]`: fuzz the decoders under sanitizers.

Kernels: with Clang and its libFuzzer guided by what inputs reach, under the address and
undefined-behaviour sanitizers for half of the time and under the memory sanitizer for a quarter
of it; else by chance, with g++ or the compiler in CXX. Whole files with repaired checksums take the
last quarter. What guided runs find stays in the folder `findings`; else a seed says it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import harness
from harness import HERE, TARGETS

#: Seeds whose pictures a guided run begins with.
_SEEDS = 12


def by_chance(what: str, minutes: float, jobs: int) -> int:
    """Run one process for each job; 0 if none found anything."""
    with tempfile.TemporaryDirectory() as folder:
        program = harness.by_chance().make(Path(folder))
        first = int(time.time()) % 1_000_000 * 1000
        processes = [
            subprocess.Popen(
                [program, what, str(60 * minutes), str(first + i), str(jobs)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for i in range(jobs)
        ]
        totals = [[0, 0, 0] for _ in processes]
        failed = False
        for i, line in _lines(processes):
            if line[0].isdigit():
                totals[i] = [int(n) for n in line.split()]
            else:
                failed = True
                print(f"\n{line}", end="")
            pictures, decoded, refused = (sum(column) for column in zip(*totals, strict=True))
            counts = f"{pictures} pictures, {decoded} streams decoded, {refused} refused"
            print(f"\r{counts}", end="", flush=True)
        print()
        return int(failed or any(process.wait() for process in processes))


def _lines(jobs: "list[subprocess.Popen[str]]") -> Iterator[tuple[int, str]]:
    """The lines that the processes print, with the number of the process."""
    for lines in zip(*(iter(job.stdout.readline, "") for job in jobs if job.stdout), strict=False):
        yield from enumerate(lines)
    for i, job in enumerate(jobs):
        if job.stdout:
            yield from ((i, line) for line in job.stdout)


def guided(what: str, minutes: float, jobs: int, memory: bool, findings: Path) -> int:
    """Let libFuzzer run; 0 if it found nothing."""
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("build", "seeds", "corpus"):
            (folder / part).mkdir()
        build = harness.guided(memory)
        print("kernels, guided,", "memory sanitizer" if memory else "address and UB sanitizers")
        recorder = build.make(folder / "build")
        subprocess.run([recorder, what, "record", folder / "seeds", str(_SEEDS)], check=True)
        options = [
            f"-max_total_time={max(1, round(60 * minutes))}",
            f"-artifact_prefix={findings}/",
        ]
        options += ["-max_len=65536", "-timeout=60", "-report_slow_units=60"]
        options += ["-rss_limit_mb=4096", "-print_final_stats=1"]
        if jobs > 1:
            options.append(f"-fork={jobs}")
        environment = dict(os.environ, AIG_FUZZ_ONLY="" if what == "all" else what)
        folders = [folder / "corpus", folder / "seeds"]
        program = recorder.with_name("guided")
        return subprocess.run([program, *options, *folders], env=environment).returncode


def files(minutes: float) -> int:
    """Fuzz whole files in a process of their own."""
    return subprocess.run([sys.executable, HERE / "whole.py", str(60 * minutes)]).returncode


def again(what: str, given: str) -> int:
    """One seed, or one input that a guided run left, under the address and UB sanitizers."""
    with tempfile.TemporaryDirectory() as folder:
        if given.isdigit():
            return subprocess.run([harness.by_chance().make(Path(folder)), what, given]).returncode
        environment = dict(os.environ, AIG_FUZZ_ONLY="" if what == "all" else what)
        program = harness.guided().make(Path(folder)).with_name("guided")
        return subprocess.run([program, given], env=environment).returncode


def main() -> int:
    """Build and run; 1 if something was found."""
    lines = (__doc__ or "").split("\n")
    parser = argparse.ArgumentParser("python tests/fuzz", description=lines[0])
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--only", choices=(*TARGETS, "files"), help="this alone")
    parser.add_argument("--engine", choices=("guided", "chance"), help="(guided where it can be)")
    parser.add_argument("--sanitizer", choices=("address", "memory"), help="(both, if guided)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="(all processors)")
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="(%(default)s)")
    parser.add_argument("--again", metavar="SEED|FILE", help="run what was found once more")
    args = parser.parse_args()
    what = args.only or "all"
    if args.again:
        return again(what, args.again)
    engine = args.engine or ("guided" if harness.libfuzzer() else "chance")
    if what == "files":
        return files(args.minutes)
    # Without a choice of one part, whole files take a quarter.
    whole = what == "all" and not args.sanitizer
    minutes = args.minutes * (0.75 if whole else 1)
    failed = 0
    if engine == "chance":
        failed |= by_chance(what, minutes, args.jobs)
    else:
        both = args.sanitizer is None
        if args.sanitizer != "memory":
            share = minutes * (2 / 3 if both else 1)
            failed |= guided(what, share, args.jobs, False, args.findings)
        if args.sanitizer != "address":
            share = minutes * (1 / 3 if both else 1)
            failed |= guided(what, share, args.jobs, True, args.findings)
    if whole:
        failed |= files(args.minutes / 4)
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())
