"""A device that is no device: its kernels, compiled by a C++ compiler, run in this process.

Kernels walk over their work in strides of the grid and of the block. Mostly both are one thread
here, which shows all arithmetic and all of what is said to a device. A block may also be several
threads, whose turns the operating system decides: that shows what they must wait for each other
for. Or several blocks of one thread run side by side. With KERNEL_FLAGS="-g -fsanitize=thread" in
the environment, and LD_PRELOAD of libtsan, ThreadSanitizer looks on.
"""

import ctypes
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType, SimpleNamespace

import numpy as np

from aig_codec.devices.cuda.device import OPTIONS, source

#: The same for both ways to run kernels.
_HOST = """
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>
#define __global__
#define __device__
struct Three { unsigned x, y, z; };
static inline int __clz(int v) { return __builtin_clz((unsigned)v); }
static inline int __float_as_int(float v) {
    int bits;
    std::memcpy(&bits, &v, sizeof bits);
    return bits;
}
static inline int atomicAdd(int* at, int v) { return __atomic_fetch_add(at, v, __ATOMIC_RELAXED); }
static inline unsigned atomicOr(unsigned* at, unsigned v) {
    return __atomic_fetch_or(at, v, __ATOMIC_RELAXED);
}
using std::sqrt;
"""

#: Blocks of one thread, side by side.
_ALONE = """
#define __shared__ static thread_local
static const Three threadIdx{0, 0, 0}, blockDim{1, 1, 1};
static thread_local Three blockIdx{0, 0, 0}, gridDim{1, 1, 1};
static inline void __syncthreads() {}
extern "C" void enter(unsigned, unsigned, unsigned block, unsigned blocks) {
    blockIdx.x = block, gridDim.x = blocks;
}
"""

#: Blocks of several threads, one block at a time.
_TOGETHER = """
#define __shared__ static
static thread_local Three blockIdx{0, 0, 0}, threadIdx{0, 0, 0}, blockDim{1, 1, 1};
static thread_local Three gridDim{1, 1, 1};
static std::mutex mutex;
static std::condition_variable all_here;
static unsigned here = 0, round_of = 0;
static inline void __syncthreads() {
    std::unique_lock<std::mutex> lock(mutex);
    const unsigned own = round_of;
    if (++here == blockDim.x) {
        here = 0, ++round_of;
        all_here.notify_all();
    } else {
        all_here.wait(lock, [=] { return round_of != own; });
    }
}
extern "C" void enter(unsigned thread, unsigned threads, unsigned block, unsigned blocks) {
    threadIdx.x = thread, blockDim.x = threads, blockIdx.x = block, gridDim.x = blocks;
}
"""


def compiler():
    """The C++ compiler of this machine, or None."""
    found = (os.environ.get("CXX"), "c++", "g++", "clang++")
    return next((path for path in map(shutil.which, filter(None, found)) if path), None)


@cache
def library(together=False):
    """The kernels as functions of this process; for several threads together, or for one."""
    folder = Path(mkdtemp(prefix="aig-kernels-"))
    try:
        code = _HOST + (_TOGETHER if together else _ALONE) + source()
        (folder / "kernels.cpp").write_text(code)
        flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
        # Kernels that want more than one thread have loops that one thread leaves at once.
        flags += ["-Wno-unused-function", "-Wno-missing-field-initializers"]
        flags += os.environ.get("KERNEL_FLAGS", "").split()
        command = [compiler(), *flags, "kernels.cpp", "-o", "kernels.so"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        return ctypes.CDLL(str(folder / "kernels.so"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class EmulatedDevice:
    """A `Device` whose arrays are NumPy's. uploaded: bytes that were handed to it; launched: the
    names of kernels; threads and blocks: how many threads a block has and how many blocks a grid,
    which run side by side if their threads are alone."""

    def __init__(self, threads=1, blocks=1):
        self._workers = ThreadPoolExecutor(max(threads, blocks))
        self._threads, self._blocks = threads, blocks
        self.uploaded = 0
        self.launched = []
        self.free = None

    def upload(self, array):
        self.uploaded += array.nbytes
        return array.copy(order="C")

    def download(self, array):
        return array.copy()

    def empty(self, shape, dtype):
        # What a kernel fails to set shows.
        return np.full(shape, 77, dtype)

    def filled(self, shape, value, dtype):
        return np.full(shape, value, dtype)

    def copy(self, array):
        return array.copy()

    def finish(self):
        pass

    def mark(self):
        return None

    def wait(self, mark):
        pass

    def result(self, shape, dtype):
        return self.empty(shape, dtype)

    def hand_over(self, array):
        return array.copy()

    def free_memory(self):
        return self.free

    def launch(self, kernel, blocks, *arguments, threads=128):
        assert blocks >= 0
        assert 1 <= threads <= 1024
        self.launched.append(kernel)
        if self._threads == 1 and self._blocks == 1:
            run(library(), kernel, arguments)
        elif self._threads == 1:
            work = partial(self._run, kernel, arguments, 0)
            list(self._workers.map(work, range(self._blocks)))
        else:
            for block in range(self._blocks):
                work = partial(self._run, kernel, arguments, block=block)
                list(self._workers.map(work, range(self._threads)))

    def _run(self, kernel, arguments, thread, block):
        own = library(together=self._threads > 1)
        own.enter(thread, self._threads, block, self._blocks)
        run(own, kernel, arguments)
        own.enter(0, 1, 0, 1)


def run(kernels, kernel, arguments):
    """Call a kernel. uint64 stands for a pointer, as it does for CuPy."""
    kinds = {np.int32: ctypes.c_int32, np.int64: ctypes.c_int64, np.uint64: ctypes.c_void_p}
    given = []
    for a in arguments:
        if a is None:
            given.append(ctypes.c_void_p())
        elif isinstance(a, np.ndarray):
            assert a.flags.c_contiguous
            given.append(ctypes.c_void_p(a.ctypes.data))
        else:
            given.append(kinds[type(a)](int(a)))
    getattr(kernels, kernel)(*given)


class OfAnotherLibrary:
    """An array that claims to be on a device."""

    __cuda_array_interface__ = None

    def __init__(self, array):
        self.array = array


class _First(nullcontext):
    id = 0


class _There(np.ndarray):
    """An array of the stand-in, which knows where it is."""

    __cuda_array_interface__ = None
    device = _First()


def cupy(count=2):
    """A module that looks like CuPy, as far as `devices.gpu` uses it, with so many devices."""

    class OutOfMemoryError(Exception):
        pass

    class RawModule:
        def __init__(self, code, options):
            assert "decode_groups" in code
            assert options == OPTIONS

        def compile(self):
            library()

        def get_function(self, name):
            def launch(grid, block, arguments):
                assert 1 <= grid[0] <= 2**16
                assert 1 <= block[0] <= 1024
                run(library(), name, arguments)

            return launch

    class Stream(nullcontext):
        def __init__(self, non_blocking, name=None):
            super().__init__()
            assert non_blocking
            self.name = name

        def synchronize(self):
            pass

        def wait_event(self, event):
            assert event.recorded == "the caller's"

    class Event:
        def __init__(self, disable_timing):
            assert disable_timing

        def record(self, stream):
            self.recorded = stream.name

    def device(index):
        assert 0 <= index < count
        return nullcontext()

    module = ModuleType("cupy")
    runtime = SimpleNamespace(
        getDeviceCount=lambda: count,
        getDeviceProperties=lambda index: {"name": b"a stand-in"},
        memGetInfo=lambda: (2**30, 2**30),
    )
    memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    module.cuda = SimpleNamespace(runtime=runtime, memory=memory, Stream=Stream, Device=device)
    module.cuda.Event = Event
    module.cuda.get_current_stream = lambda: Stream(non_blocking=True, name="the caller's")
    module.RawModule = RawModule
    module.asarray = lambda a: np.array(getattr(a, "array", a)).view(_There)
    module.ascontiguousarray = np.ascontiguousarray
    module.asnumpy = lambda a, stream, out: np.copyto(out, a)
    module.cuda.alloc_pinned_memory = bytearray
    module.empty = lambda shape, dtype: np.full(shape, 77, dtype)
    module.full = np.full
    module.get_default_memory_pool = lambda: SimpleNamespace(free_bytes=lambda: 0)
    return module
