"""Decoding on a CUDA device: what runs there (the .cu files), and who tells it to.

Nothing here knows CuPy. A `Device` has memory and launches kernels by name; `aig_codec.devices.gpu`
makes one of a real device, the tests make one of a C++ compiler, so that everything but the device
itself is tried without one.
"""
