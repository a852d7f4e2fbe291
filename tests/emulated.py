"""A device that is no device: its kernels, compiled by a C++ compiler, run in this process.

Kernels walk over their work in strides of the grid and of the block; here both are one thread. What
that cannot show is what threads do to each other; what it shows is all arithmetic, and all of what
is said to a device.
"""

import ctypes
import os
import shutil
import subprocess
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType, SimpleNamespace

import numpy as np

from aig_codec.cuda.device import OPTIONS, source

_HOST = """
#include <cmath>
#include <cstring>
#define __global__
#define __device__
#define __shared__ static thread_local
struct Three { unsigned x, y, z; };
static const Three blockIdx{0, 0, 0}, threadIdx{0, 0, 0}, blockDim{1, 1, 1}, gridDim{1, 1, 1};
static inline void __syncthreads() {}
template <class T> T replaced(T* at, T by) { const T before = *at; *at = by; return before; }
static inline unsigned atomicOr(unsigned* at, unsigned v) { return replaced(at, *at | v); }
static inline int __clz(int v) { return __builtin_clz((unsigned)v); }
static inline int __float_as_int(float v) {
    int bits;
    std::memcpy(&bits, &v, sizeof bits);
    return bits;
}
static inline int atomicAdd(int* at, int v) { return replaced(at, *at + v); }
using std::sqrt;
"""


def compiler():
    """The C++ compiler of this machine, or None."""
    found = (os.environ.get("CXX"), "c++", "g++", "clang++")
    return next((path for path in map(shutil.which, filter(None, found)) if path), None)


@cache
def library():
    """The kernels as functions of this process."""
    folder = Path(mkdtemp(prefix="aig-kernels-"))
    try:
        (folder / "kernels.cpp").write_text(_HOST + source())
        flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
        # Kernels that want more than one thread have loops that one thread leaves at once.
        flags += ["-Wno-unused-function", "-Wno-missing-field-initializers"]
        command = [compiler(), *flags, "kernels.cpp", "-o", "kernels.so"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        return ctypes.CDLL(str(folder / "kernels.so"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class EmulatedDevice:
    """A `Device` whose arrays are NumPy's. uploaded: bytes that were handed to it; launched: the
    names of kernels."""

    def __init__(self):
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
        run(kernel, arguments)


def run(kernel, arguments):
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
    getattr(library(), kernel)(*given)


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
    """A module that looks like CuPy, as far as `aig_codec.gpu` uses it, with so many devices."""

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
                run(name, arguments)

            return launch

    class Stream(nullcontext):
        def __init__(self, non_blocking):
            super().__init__()
            assert non_blocking

        def synchronize(self):
            pass

        def wait_event(self, event):
            assert event.recorded == "the caller's"

    class Event:
        def __init__(self, disable_timing):
            assert disable_timing

        def record(self, stream):
            self.recorded = stream

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
    module.cuda.Event, module.cuda.get_current_stream = Event, lambda: "the caller's"
    module.RawModule = RawModule
    module.asarray = lambda a: np.array(getattr(a, "array", a)).view(_There)
    module.ascontiguousarray = np.ascontiguousarray
    module.asnumpy = lambda a, stream=None: a.copy()
    module.empty = lambda shape, dtype: np.full(shape, 77, dtype)
    module.full = np.full
    module.get_default_memory_pool = lambda: SimpleNamespace(free_bytes=lambda: 0)
    return module
