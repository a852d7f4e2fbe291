"""What tests of any folder may ask for; and what one of them chose is undone before the next."""

from collections.abc import Iterator
from types import ModuleType

import pytest

import aig_codec
from aig_codec import _native


@pytest.fixture(autouse=True)
def _choices_are_undone() -> Iterator[None]:
    """Kernels and number of threads belong to the process."""
    yield
    _native.choose_simd("auto")
    aig_codec.set_threads(None)


@pytest.fixture
def simd(request: pytest.FixtureRequest) -> str:
    """The chosen set of kernels; its name comes from `parametrize(..., indirect=True)`."""
    try:
        _native.choose_simd(request.param)
    except ValueError:
        assert request.param in ("avx2", "avx512"), "the others are on every processor"
        pytest.skip(f"this processor has no {request.param}")
    if request.param != "auto":
        assert _native.simd() == request.param
    return request.param


@pytest.fixture
def cupy() -> ModuleType:
    """CuPy, where there is a device; to be used by tests that are marked `gpu`."""
    from aig_codec.devices import gpu

    if gpu.devices() == 0:
        pytest.skip("there is no CUDA device, or no CuPy")
    import cupy

    return cupy
