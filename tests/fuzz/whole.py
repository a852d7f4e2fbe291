"""`python tests/fuzz/whole.py SECONDS [SEED]`: whole files whose checksums are right.

A file is made of a sound one: segments are damaged, cut, or taken from another file, fields of the
metadata changed, and everything sealed again, so that no checksum keeps it from the decoders. Then
it is read in every way. Only the package's own errors may come of it, lenient reading of a sound
container never fails, and no file may take longer than a minute. SEED: that one alone.
"""

import dataclasses
import faulthandler
import random
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))


class Chance:
    """Decisions of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, n: int) -> int:
        """0 .. n - 1."""
        return self._random.randrange(n)

    def bytes(self, n: int) -> bytes:
        """So many."""
        return self._random.randbytes(n)


def damaged(payload: bytes, other: bytes, chance: Chance) -> bytes:
    """Some bytes changed; beginnings, which are dense with meaning, more often than the rest."""
    data = bytearray(payload)
    for _ in range(1 + chance.below(4)):
        at = chance.below(min(len(data), (32, 1 << 20)[chance.below(2)]) + 1)
        length = 1 + chance.below(8)
        kind = chance.below(6)
        if kind == 0:
            data[at : at + length] = chance.bytes(len(data[at : at + length]))
        elif kind == 1:
            data[at:at] = chance.bytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:] = other[at:]
        elif at < len(data):
            data[at] ^= 1 << chance.below(8)
    return bytes(data)


def changed_fields(metadata: Any, other: Any, chance: Chance) -> dict[str, Any]:
    """Fields with the other file's values, or with near or odd ones."""
    fields = {}
    names = [f.name for f in dataclasses.fields(metadata) if f.name != "segments"]
    for _ in range(chance.below(3)):
        name = names[chance.below(len(names))]
        value = getattr(metadata, name)
        if isinstance(value, int) and chance.below(3):
            value = max(0, (value + chance.below(9) - 4, chance.below(1 << 17))[chance.below(2)])
        elif name == "foci" and chance.below(3):
            value = tuple(_moved(f, chance) for f in value)
        else:
            value = getattr(other, name)
        fields[name] = value
    return fields


def _moved(focus: Any, chance: Chance) -> Any:
    """A focus elsewhere, of another size."""
    core = chance.below(1 << (1 + chance.below(16))) / 256
    return focus._replace(
        x=max(0, focus.x + chance.below(65) - 32),
        y=max(0, focus.y + chance.below(65) - 32),
        alpha_code=chance.below(256),
        r_core=core,
        r_mid=core + chance.below(1 << (1 + chance.below(16))) / 256,
    )


def forge(files: list[bytes], chance: Chance) -> bytes:
    """A file whose checksums are right."""
    from support.files import payloads, reseal

    from aig_codec.container import read_prologue

    data, other = (files[chance.below(len(files))] for _ in range(2))
    parts, others = payloads(data), payloads(other)
    changed = {}
    for key in [*parts]:
        if chance.below(3):
            continue
        given = [*others.values()]
        another = others.get(key) or given[chance.below(len(given))]
        changed[key] = another if not chance.below(8) else damaged(parts[key], another, chance)
    metadata = read_prologue(data).metadata
    fields = changed_fields(metadata, read_prologue(other).metadata, chance)
    return reseal(data, changed, **fields)


def read(data: bytes) -> str:
    """Read a file in every way; what came of it. Raises `AssertionError` if that may not be."""
    import aig_codec
    from aig_codec import errors

    try:
        file = aig_codec.open(data)
    except errors.AigError as error:
        return type(error).__name__
    outcome = "sound"
    with file:
        for upto in ("core", "preview", "mid", "full"):
            for strict in (True, False):
                try:
                    pixels = file.decode(upto, strict=strict)
                except errors.AigError as error:
                    outcome = type(error).__name__
                    lenient = isinstance(error, errors.UnsupportedError | errors.LimitError)
                    if not strict and not lenient:
                        raise AssertionError("lenient reading failed") from error
                    continue
                assert pixels.shape[:2] == file.size[::-1]
                assert pixels.dtype in (np.uint8, np.uint16)
        width, height = file.size
        window = (width // 3, height // 3, width // 3 + 1, height // 3 + 1)
        ways: list[Callable[[], object]] = [
            lambda: file.decode(scale=2, strict=False),
            lambda: file.decode(scale=8, strict=False),
            lambda: file.decode(region=window, strict=False),
            lambda: [*file.stages()],
            lambda: file.cores(),
            file.preview,
            file.core_mask,
            file.verify,
            lambda: (file.info(), file.exif, file.icc_profile, file.xmp, file.text, file.decisions),
            lambda: file.frame(file.n_frames - 1).decode(),
        ]
        for way in ways:
            try:
                way()
            except errors.AigError as error:
                outcome = type(error).__name__
    return outcome


def attempt(files: list[bytes], seed: int) -> str:
    """Make a file and read it; what came of it."""
    # Packing has checks of its own: what it refuses is no file.
    try:
        data = forge(files, Chance(seed))
    except (ArithmeticError, LookupError, TypeError, ValueError, OSError, struct.error):
        return "not packed"
    faulthandler.dump_traceback_later(60, exit=True)
    try:
        return read(data)
    except BaseException:
        print(f"\nFAILED: seed {seed}")
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Run for so many seconds."""
    import aig_codec

    aig_codec.limits.max_pixels = 1 << 20
    files = [path.read_bytes() for path in sorted((TESTS / "vectors").glob("*.aig"))]
    if sys.argv[2:]:
        print(attempt(files, int(sys.argv[2])))
        return
    end = time.monotonic() + float(sys.argv[1])
    outcomes: dict[str, int] = {}
    seed = int(time.time()) % 1_000_000 * 1_000_000
    while time.monotonic() < end:
        found = attempt(files, seed)
        seed += 1
        outcomes[found] = outcomes.get(found, 0) + 1
        counts = ", ".join(f"{n} {name}" for name, n in sorted(outcomes.items()))
        print(f"\r{sum(outcomes.values())} whole files: {counts}", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
