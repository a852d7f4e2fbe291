"""Machines beside the CPU: `gpu` knows CuPy, `cuda` the kernels, `batches` many files at once."""
