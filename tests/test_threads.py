"""How many threads, who says so, and that their number shows nowhere."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pictures
import pytest

import aig_codec
from aig_codec import threads


@pytest.fixture(autouse=True)
def _default():
    yield
    aig_codec.set_threads(None)


def test_who_says_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIG_THREADS", raising=False)
    if hasattr(os, "sched_getaffinity"):
        assert aig_codec.default_threads() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("AIG_THREADS", "3")
    assert aig_codec.default_threads() == 3
    aig_codec.set_threads(5)
    assert aig_codec.default_threads() == 5
    aig_codec.set_threads(None)
    assert aig_codec.default_threads() == 3
    for nonsense in ("", "0", "-1", "many"):
        monkeypatch.setenv("AIG_THREADS", nonsense)
        assert aig_codec.default_threads() >= 1


@pytest.mark.parametrize("wrong", [0, -1, 1025, True])
def test_impossible_numbers_are_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="1 to 1024"):
        aig_codec.set_threads(wrong)


def test_no_pool_is_made_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a pool was made")

    monkeypatch.setattr(threads, "ThreadPoolExecutor", refuse)
    picture = pictures.grainy(300, 300, 3)
    aig_codec.set_threads(1)
    data = aig_codec.encode(picture)
    aig_codec.decode(data)
    with pytest.raises(AssertionError, match="a pool"):
        aig_codec.decode(data, threads=2)


@pytest.mark.parametrize("own", [1, 2])
def test_eight_threads_decode_different_files(own: int) -> None:
    """Each with one thread, or with a pool of its own."""
    originals = [pictures.grainy(150 + 7 * k, 200, 3, k) for k in range(8)]
    keywords = {"centers": [(100, 70)], "radii": [(30, 40)], "threads": own}
    files = [aig_codec.encode(picture, **keywords) for picture in originals]
    alone = [aig_codec.decode(data, threads=1) for data in files]

    def work(k: int) -> None:
        for _ in range(3):
            assert aig_codec.encode(originals[k], **keywords) == files[k]
            np.testing.assert_array_equal(aig_codec.decode(files[k], threads=own), alone[k])

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, k) for k in range(8)]:
            done.result()


def test_eight_threads_share_a_file_in_memory() -> None:
    data = aig_codec.encode(pictures.grainy(300, 300, 3), centers=[(100, 70)])
    whole = aig_codec.decode(data)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: aig_codec.decode(data, threads=1), range(16)):
            np.testing.assert_array_equal(found, whole)


def test_the_module_needs_no_gil() -> None:
    """Where Python can do without, importing the kernels must not bring it back."""
    code = "import sys, aig_codec._native; print(getattr(sys, '_is_gil_enabled', lambda: None)())"
    free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip() == "False") == free
