"""Coders: a region of pixels to bytes and back.

Each module has `encode` beside `decode` (dct: `Analysis` beside `Synthesis`). Their names and
versions in files are listed in `container.toc.CODERS`.
"""
