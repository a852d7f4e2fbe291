"""Whole trees of pictures, by many processes or a Dask cluster.

Every file is written in one step, so a target that is there is a finished one, unless something
else has cut it: a run that was broken off goes on where it stopped when it is started again.
"""

import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ..io.files import replacing
from ..io.pillow_images import read_frames
from .exchange import Written, to_aig, to_other

#: Extensions that are taken for pictures where nothing else is said.
SUFFIXES = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"),
        *(".ppm", ".pgm", ".pnm", ".avif", ".jp2", ".tga", ".aig"),
    )
)


@dataclass(frozen=True)
class Task:
    """One file to convert; paths as strings, so that it travels between machines."""

    source: str
    target: str
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its sizes in bytes, how long it took, what went wrong, if so, and
    what was changed or left out, as sentences."""

    task: Task
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    error: str | None = None
    notes: tuple[str, ...] = ()


def find(
    source: Path, target: Path, keywords: dict[str, Any], *, suffix: str = ".aig"
) -> Iterator[Task]:
    """A task for every picture of a tree, to the same place in another one, sorted.

    Files that differ in their extension alone keep it in front of the new one (`named_apart`).
    Raises NotADirectoryError.
    """
    if not source.is_dir():
        raise NotADirectoryError(20, "not a folder", str(source))
    paths = sorted(
        path
        for path in source.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.suffix.lower() != suffix
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
    )
    names = named_apart([path.relative_to(source) for path in paths], suffix)
    for path, name in zip(paths, names, strict=True):
        yield Task(str(path), str(target / name), keywords)


def named_apart(paths: Sequence[Path], suffix: str) -> list[Path]:
    """Every path with another extension, so that no two are equal, on any file system.

    The new extension takes the place of the old one, and stands behind it where names would be
    equal otherwise, with letters of any case. Raises ValueError for paths that are equal
    themselves.
    """
    short = [path.with_suffix(suffix) for path in paths]
    long = [path.with_name(path.name + suffix) for path in paths]
    chosen = list(short)
    while True:
        groups: dict[str, list[int]] = {}
        for k, path in enumerate(chosen):
            groups.setdefault(unicodedata.normalize("NFC", str(path)).casefold(), []).append(k)
        shared = [k for group in groups.values() if len(group) > 1 for k in group]
        if all(chosen[k] == long[k] for k in shared):
            break
        for k in shared:
            chosen[k] = long[k]
    owners: dict[Path, Path] = {}
    for path, name in zip(paths, chosen, strict=True):
        if name in owners:
            raise ValueError(f"{owners[name]} and {path} would both become {name}")
        owners[name] = path
    return chosen


def is_done(task: Task) -> bool:
    """Whether the target is there, whole, and not older than its source."""
    try:
        newer = os.stat(task.target).st_mtime >= os.stat(task.source).st_mtime
    except OSError:
        return False
    return newer and is_whole(Path(task.target))


#: How files of some formats begin and end.
_ENDS = {
    b"\x89PNG\r\n\x1a\n": b"IEND\xaeB`\x82",
    b"\xff\xd8\xff": b"\xff\xd9",
    b"GIF8": b";",
}


def is_whole(path: Path) -> bool:
    """Whether a picture ends where it should, as far as that can be told without decoding it."""
    from .. import open
    from ..errors import AigError, NotAigError
    from .describe import length_of

    size = path.stat().st_size
    try:
        with open(path) as aig:
            return size >= length_of(aig)
    except NotAigError:
        pass
    except AigError:
        return False
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(max(0, size - 16))
        tail = file.read()
    if path.suffix.lower() == ".aig":
        return False
    if head[:4] == b"RIFF":
        return size >= 8 + int.from_bytes(head[4:8], "little")
    endings = [end for start, end in _ENDS.items() if head.startswith(start)]
    return size > 0 and all(tail.endswith(end) for end in endings)


def convert_one(task: Task) -> Outcome:
    """Convert one file; never raises what is wrong with it, but says so."""
    from ..errors import AigError
    from ..io.pillow_images import PictureError

    start = time.perf_counter()
    source, target = Path(task.source), Path(task.target)
    try:
        size = source.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix.lower() == ".aig":
            written = to_aig(read_frames(source), task.keywords)
        else:
            written = _as_other(source, target.suffix, task.keywords)
        with replacing(target) as file:
            file.write(written.data)
    except (PictureError, AigError, OSError, ValueError, TypeError, MemoryError) as error:
        words = str(error) or type(error).__name__
        named = words if task.source in words else f"{task.source}: {words}"
        return Outcome(task, error=" ".join(named.split()))
    seconds = time.perf_counter() - start
    return Outcome(task, size, len(written.data), seconds, notes=tuple(written.notes))


def _as_other(source: Path, suffix: str, options: dict[str, Any]) -> Written:
    from PIL import Image

    from .. import open
    from ..errors import NotAigError

    try:
        with open(source) as aig:
            labels: Sequence[Any] = aig.metadata.labels or ()
    except NotAigError:
        labels = ()
    format_name = Image.registered_extensions()[suffix.lower()]
    return to_other(read_frames(source), format_name, options, labels)


def convert(
    tasks: Iterable[Task],
    *,
    jobs: int | None = None,
    scheduler: Any = None,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Convert many files; what went wrong with some does not stop the others.

    jobs: processes on this machine; by default as many as there are processors for this one.
    scheduler: the address of a Dask cluster, or a `distributed.Client`, that does it instead; its
    workers must see the same files and have this package. done: called here with every outcome, as
    it comes.

    Returns the outcomes in the order of the tasks. Raises ImportError without distributed.
    """
    todo = [_with_one_thread(task) for task in tasks]
    found: dict[str, Outcome] = {}
    outcomes = _by_cluster(todo, scheduler) if scheduler is not None else _by_processes(todo, jobs)
    for outcome in outcomes:
        found[outcome.task.target] = outcome
        if done is not None:
            done(outcome)
    return [found[task.target] for task in todo]


def _with_one_thread(task: Task) -> Task:
    """Files side by side are quicker than threads within one."""
    if not task.target.lower().endswith(".aig"):
        return task
    return Task(task.source, task.target, {"threads": 1, **task.keywords})


def _by_processes(tasks: list[Task], jobs: int | None) -> Iterator[Outcome]:
    from ..threads import default_threads

    count = min(jobs or default_threads(), len(tasks))
    if count <= 1:
        yield from map(convert_one, tasks)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    # Forked processes would share locks of threads that they do not have.
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        futures = {pool.submit(convert_one, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None:  # the process itself died
                    yield Outcome(futures[future], error=f"{futures[future].source}: {error}")
                else:
                    yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _by_cluster(tasks: list[Task], scheduler: Any) -> Iterator[Outcome]:
    dask: Any = import_module("distributed")
    own = isinstance(scheduler, str)
    client = dask.Client(scheduler) if own else scheduler
    try:
        futures = client.map(convert_one, tasks, pure=False)
        by_key = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        for future, result in dask.as_completed(futures, with_results=True, raise_errors=False):
            if future.status == "finished":
                yield result
            else:
                task = by_key[future.key]
                yield Outcome(task, error=f"{task.source}: {future.exception()}")
    finally:
        if own:
            client.close()
