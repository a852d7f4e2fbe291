"""Whole trees of pictures, by many processes or a Dask cluster.

Every file is written in one step, so a target that is there is a finished one: a run that was
broken off goes on where it stopped when it is started again.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from .files import replacing

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
    """What became of a task: its sizes in bytes, how long it took, and what went wrong, if so."""

    task: Task
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    error: str | None = None


def find(
    source: Path, target: Path, keywords: dict[str, Any], *, suffix: str = ".aig"
) -> Iterator[Task]:
    """A task for every picture of a tree, to the same place in another one, sorted.

    Files that differ in their extension alone keep it in front of the new one. Raises
    NotADirectoryError.
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
    stems: dict[Path, int] = {}
    for path in paths:
        stem = path.with_suffix("")
        stems[stem] = stems.get(stem, 0) + 1
    for path in paths:
        alone = stems[path.with_suffix("")] == 1
        name = path.with_suffix(suffix).name if alone else path.name + suffix
        yield Task(str(path), str(target / path.relative_to(source).parent / name), keywords)


def is_done(task: Task) -> bool:
    """Whether the target is there, and not older than its source."""
    try:
        return os.stat(task.target).st_mtime >= os.stat(task.source).st_mtime
    except OSError:
        return False


def convert_one(task: Task) -> Outcome:
    """Convert one file; never raises what is wrong with it, but says so."""
    from .errors import AigError
    from .pictures import PictureError

    start = time.perf_counter()
    source, target = Path(task.source), Path(task.target)
    try:
        size = source.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix.lower() == ".aig":
            data = _as_aig(source, task.keywords)
        else:
            data = _as_other(source, target.suffix, task.keywords)
        with replacing(target) as file:
            file.write(data)
    except (PictureError, AigError, OSError, ValueError, TypeError, MemoryError) as error:
        words = str(error) or type(error).__name__
        named = words if task.source in words else f"{task.source}: {words}"
        return Outcome(task, error=" ".join(named.split()))
    return Outcome(task, size, len(data), time.perf_counter() - start)


def _as_aig(source: Path, keywords: dict[str, Any]) -> bytes:
    from . import encode
    from .pictures import read_picture

    picture = read_picture(source)
    return encode(picture.pixels, **picture.ancillary, **keywords)


def _as_other(source: Path, suffix: str, keywords: dict[str, Any]) -> bytes:
    import io

    from PIL import Image

    from .pictures import read_picture

    picture = read_picture(source)
    target = io.BytesIO()
    # Pillow's mode I;16 is little-endian.
    image = Image.fromarray(picture.pixels)
    format_name = Image.registered_extensions()[suffix.lower()]
    image.save(target, format_name, **{**picture.ancillary, **keywords})
    return target.getvalue()


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
    from .threads import default_threads

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
