"""How many threads, who says so, and that their number shows nowhere."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec import threads


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


def _inside_of_class_maps(monkeypatch: pytest.MonkeyPatch, wait) -> None:
    """Have every decode call `wait` where it computes the class map."""
    from aig_codec.geometry import Regions

    class_map = Regions.class_map

    def waiting(self):
        wait()
        return class_map(self)

    monkeypatch.setattr(Regions, "class_map", waiting)


def test_decodes_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four decodes meet where each computes its class map: with a lock, none would get by."""
    data = aig_codec.encode(pictures.mixed(64, 64, 3), centers=[(20, 20)], radii=[(8, 12)])
    meeting = threading.Barrier(4)
    _inside_of_class_maps(monkeypatch, lambda: meeting.wait(timeout=60))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: aig_codec.decode(data, threads=1), range(4)))
    assert not meeting.broken
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 3])
def test_a_child_decodes_while_its_parent_is_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    data = aig_codec.encode(pictures.mixed(200, 300, 3), centers=[(20, 20)], radii=[(8, 12)])
    expected = aig_codec.decode(data)
    inside, go_on = threading.Event(), threading.Event()
    parent = os.getpid()

    def wait() -> None:
        if os.getpid() == parent:
            inside.set()
            assert go_on.wait(timeout=60)

    _inside_of_class_maps(monkeypatch, wait)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(aig_codec.decode, data, threads=threads)
        try:
            assert inside.wait(timeout=60)
            assert _child_decodes(data, expected, threads)
        finally:
            go_on.set()
        np.testing.assert_array_equal(other.result(timeout=60), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_while_threads_decode() -> None:
    data = aig_codec.encode(pictures.mixed(200, 300, 3), centers=[(20, 20)], radii=[(8, 12)])
    expected = aig_codec.decode(data)
    enough = threading.Event()

    def decode() -> None:
        while not enough.is_set():
            aig_codec.decode(data, threads=3)

    with ThreadPoolExecutor(3) as pool:
        busy = [pool.submit(decode) for _ in range(3)]
        try:
            children = [_child_decodes(data, expected, 1 + 2 * (i % 2)) for i in range(16)]
        finally:
            enough.set()
        assert all(children)
        for one in busy:
            one.result(timeout=60)


def _child_decodes(data: bytes, expected: np.ndarray, threads: int) -> bool:
    """Whether a child that is forked now decodes what its parent does; one that hangs is ended."""
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            same = np.array_equal(aig_codec.decode(data, threads=threads), expected)
        except BaseException:
            same = False
        os._exit(0 if same else 1)
    return os.waitpid(child, 0)[1] == 0
