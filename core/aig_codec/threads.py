"""How many threads, and a pool that is none when one is asked for."""

import operator
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


_chosen: int | None = None


def set_threads(count: int | None) -> None:
    """How many threads a call uses that does not say so itself; None for the default again."""
    global _chosen
    if count is not None and (isinstance(count, bool) or not 1 <= operator.index(count) <= 1024):
        raise ValueError(f"threads must be 1 to 1024, not {count!r}")
    _chosen = count


def default_threads() -> int:
    """What `set_threads` said, else the environment variable AIG_THREADS, else the processors that
    this process may use."""
    if _chosen is not None:
        return _chosen
    asked = os.environ.get("AIG_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Job(Generic[T]):
    """Something to do; who asks for its result before it was begun does it there and then."""

    def __init__(self, task: Callable[[], T], pool: ThreadPoolExecutor | None) -> None:
        self._task = task
        self._future: Future[T] = Future()
        self._begun = threading.Lock()
        if pool is not None:
            pool.submit(self.help)

    def help(self) -> None:
        """Do it, unless somebody has begun to."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._future.set_result(self._task())
        except BaseException as error:
            self._future.set_exception(error)

    def result(self) -> T:
        """Its value, or its error raised."""
        self.help()
        return self._future.result()


def finish(jobs: Sequence[Job[T]]) -> list[T]:
    """All results. The caller takes jobs from the end, where the pool comes last."""
    for job in reversed(jobs):
        job.help()
    return [job.result() for job in jobs]


class Workers:
    """Runs jobs in `threads` threads, the caller's included: it works whenever it waits.

    The kernels release the GIL, so jobs that spend their time there run side by side.
    """

    def __init__(self, threads: int | None) -> None:
        self.count = threads or default_threads()
        self._pool = ThreadPoolExecutor(self.count - 1) if self.count > 1 else None

    def submit(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Job[T]:
        """Start a job; `.result()` of what this returns gives its value or raises its error."""
        job = Job(partial(task, *args, **kwargs), self._pool)
        if self._pool is None:
            job.help()
        return job

    def map(self, task: Callable[[int], T], count: int) -> list[T]:
        """`task(i)` for all i below `count`, in any order; its first error is raised."""
        if self._pool is None:
            return [task(i) for i in range(count)]
        return finish([self.submit(task, i) for i in range(count)])

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
