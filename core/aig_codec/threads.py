"""How many threads, and a pool that is none when one is asked for."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def default_threads() -> int:
    """The environment variable AIG_THREADS, else the processors that this process may use."""
    asked = os.environ.get("AIG_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """Runs jobs in `threads` threads, the caller's included; with one, at once and in place.

    The kernels release the GIL, so jobs that spend their time there run side by side.
    """

    def __init__(self, threads: int | None) -> None:
        count = threads or default_threads()
        self._pool = ThreadPoolExecutor(count - 1) if count > 1 else None

    def submit(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Start a job; `.result()` of what this returns gives its value or raises its error."""
        if self._pool is not None:
            return self._pool.submit(job, *args, **kwargs)
        done: Future[T] = Future()
        try:
            done.set_result(job(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: Any) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
