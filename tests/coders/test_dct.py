"""What the DCT coder knows before any bit, and what its kernels refuse."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import reference
from support import pictures

from aig_codec import CorruptError, _native
from aig_codec.coders import dct

NAMES = {0: reference.BLOCK_BACKGROUND, 1: reference.BLOCK_MID, 2: reference.HOLE}


# Quantisers and cell classes


@pytest.mark.parametrize("matrix", [0, 1])
def test_steps_equal_the_reference(matrix: int) -> None:
    for level in range(256):
        base = reference.base_step(level, matrix)
        assert dct.base_step(level, matrix) == base
        # Those of 8x8 samples are for estimates, in other units and in another order.
        found = dct.steps(level, matrix)
        assert found[0] == reference.low_base_step(level, matrix)
        expected = (base * reference.weights(0, 0, matrix).T.reshape(64) + 8) >> 4
        np.testing.assert_array_equal(found[1:], expected[1:])


def test_steps_fall_with_quality() -> None:
    for matrix in (0, 1):
        steps = [dct.base_step(level, matrix) for level in range(256)]
        assert all(a > b for a, b in pairwise(steps))
    flat = [dct.base_step(level) for level in range(256)]
    assert [flat[level] for level in (0, 64, 128, 192, 255)] == [1792, 896, 448, 304, 16]


@pytest.mark.parametrize("seed", range(40))
def test_cell_classes_equal_the_reference(seed: int) -> None:
    height, width = (int(n) for n in np.random.default_rng(seed).integers(1, 60, 2))
    classes = pictures.class_map(height, width, seed)
    for subsampling in ("4:2:0", "4:4:4"):
        for mid in ("none", "dct", "palette"):
            for plane in reference.planes_of(width, height, 3, subsampling):
                found = _native.classify_blocks(
                    classes, 8 * plane.scale, mid == "palette", mid == "dct"
                )
                expected = reference.cell_classes(plane, classes, mid)
                assert [[NAMES[int(b)] for b in row] for row in found] == expected.tolist()


# Pixels that no tier shows


@pytest.mark.parametrize("footprint", [8, 16, 32, 64])
@pytest.mark.parametrize("seed", range(8))
def test_rims_are_filled_and_nothing_else(footprint: int, seed: int) -> None:
    height, width = 37, 45
    classes = pictures.class_map(height, width, seed)
    picture = pictures.mixed(height, width, 3, seed)
    for mid_is_hole in (False, True):
        hidden = reference.core_pixels(classes) | ((classes >= 5) & mid_is_hole)
        filled = picture.copy()
        _native.fill_hidden(filled, classes, footprint, mid_is_hole)
        np.testing.assert_array_equal(filled[~hidden], picture[~hidden])
        for top in range(0, height, footprint):
            for left in range(0, width, footprint):
                block = np.s_[top : top + footprint, left : left + footprint]
                if hidden[block].all() or not hidden[block].any():
                    np.testing.assert_array_equal(filled[block], picture[block])
                    continue
                seen, new = picture[block][~hidden[block]], filled[block][hidden[block]]
                assert (new >= seen.min(axis=0)).all()
                assert (new <= seen.max(axis=0)).all()


def test_rims_continue_what_is_around() -> None:
    classes = np.zeros((8, 8), np.uint8)
    classes[:, 5:] = 1
    picture = np.full((8, 8, 1), 40, np.uint8)
    picture[:, 5:] = 250
    _native.fill_hidden(picture, classes, 8, False)
    assert (picture == 40).all()


# What would lead outside


def _classes(*shape):
    return np.zeros(shape, np.uint8)


#: Of 40 x 24 pixels in colour.
FRAME = {
    "width": 40,
    "height": 24,
    "colour": True,
    "subsampled": True,
    "luma": _classes(3, 5),
    "chroma": _classes(2, 3),
    "steps": [16] * 9,
    "matrix": 0,
}
EFFORT = {
    "largest": 2,
    "chooses": True,
    "halves": True,
    "rebuild": True,
    "lambda_": 0.09,
    "exact": True,
    "alone": False,
}


def _encoder(**changes):
    return _native.LossyEncoder(**(FRAME | EFFORT | changes))


def _decoder(**changes):
    return _native.LossyDecoder(**(FRAME | {"adaptation": True} | changes))


WRONG_FRAMES = [
    {"width": 0},
    {"height": 0},
    {"width": -40},
    {"width": 32768},
    {"height": 32768},
    {"width": 41},
    {"height": 25},
    {"width": 2**40},
    {"width": 40.5},
    {"colour": False},
    {"subsampled": False},
    {"luma": _classes(3, 4)},
    {"luma": _classes(5, 3)},
    {"luma": _classes(4, 5)},
    {"luma": _classes(3, 5, 1)},
    {"luma": _classes(3, 5) + 4},
    {"luma": _classes(3, 5).astype(np.int8)},
    {"luma": _classes(3, 10)[:, ::2]},
    {"luma": None},
    {"chroma": _classes(3, 5)},
    {"chroma": _classes(2, 3) + 255},
    {"chroma": _classes(2, 3).astype(np.uint16)},
    {"steps": [16] * 3},
    {"steps": [16] * 10},
    {"steps": []},
    {"steps": [16] * 8 + [0]},
    {"steps": [-1] + [16] * 8},
    {"steps": [32768] + [16] * 8},
    {"steps": [2**40] * 9},
    {"steps": 16},
    {"matrix": 2},
    {"matrix": -1},
]


@pytest.mark.parametrize("changes", WRONG_FRAMES, ids=lambda c: f"{next(iter(c))}")
def test_frames_that_do_not_fit_are_refused(changes) -> None:
    assert _encoder().groups == _decoder().groups == 1
    for make in (_encoder, _decoder):
        with pytest.raises((ValueError, TypeError)):
            make(**changes)


@pytest.mark.parametrize("changes", [{"largest": 3}, {"largest": -1}, {"lambda_": "0.1"}], ids=str)
def test_efforts_that_there_are_not_are_refused(changes) -> None:
    with pytest.raises((ValueError, TypeError)):
        _encoder(**changes)


def _refuses(job, *arguments):
    with pytest.raises((ValueError, TypeError)):
        job(*arguments)


def test_arguments_of_the_encoder_are_checked() -> None:
    encoder = _encoder()
    pixels = _classes(24, 40, 3)
    wrong = [_classes(24, 40), _classes(24, 40, 1), _classes(24, 40, 4), _classes(24, 41, 3)]
    wrong += [_classes(23, 40, 3), _classes(25, 40, 3), _classes(24, 40, 3, 1), _classes(0, 0)]
    wrong += [pixels.astype(np.int8), pixels.astype(float), _classes(24, 80, 3)[:, ::2], None]
    for other in wrong:
        _refuses(encoder.sample, 0, other)
    for row in (-1, 1, 2**31):
        _refuses(encoder.sample, row, pixels)
    encoder.sample(0, pixels)
    for number in (-1, 1, 2**31, 2**40, 0.5, None):
        for job in (encoder.search, encoder.region_of):
            _refuses(job, number)
        for coder in range(4):
            _refuses(encoder.encode_region, number, coder)
            _refuses(encoder.encode_group, number, 0, coder)
    for coder in (-1, 4, 2**31, 0.5, None):
        _refuses(encoder.encode_region, 0, coder)
        _refuses(encoder.encode_group, 0, 0, coder)
    for tier in (-1, 2, 255, 2**32):
        for coder in range(4):
            _refuses(encoder.encode_group, 0, tier, coder)
        _refuses(encoder.fit, tier, 16)
        _refuses(encoder.counts, tier)
    for strength in (-1, 256, 2**31):
        _refuses(encoder.fit, 0, strength)
    for strength in (float("nan"), float("inf")):
        _refuses(encoder.adapt, strength)


def test_arguments_of_the_decoder_are_checked() -> None:
    decoder = _decoder()
    pixels = _classes(24, 40, 3)
    for job in (decoder.interpolate, lambda *rows: decoder.rows(*rows, pixels)):
        _refuses(job, 0, 1)  # start() comes first
    low, high = (
        _native.SharedTables(3, b"", n) for n in (_native.LOW_CONTEXTS, _native.HIGH_CONTEXTS)
    )
    _refuses(decoder.read_group, 0, 0, high, b"", b"")
    decoder.start()
    for number in (-1, 1, 2**31, 0.5):
        _refuses(decoder.read_region, number, low, b"", b"")
        _refuses(decoder.read_group, number, 0, high, b"", b"")
        _refuses(decoder.has_tier, number, 0)
        _refuses(decoder.region_of, number)
    for tier in (-1, 2, 2**31):
        _refuses(decoder.read_group, 0, tier, high, b"", b"")
        _refuses(decoder.has_tier, 0, tier)
        _refuses(decoder.set_filters, tier, 16, None)
    for strength in (-1, 256):
        _refuses(decoder.set_filters, 0, strength, None)
    taps = np.zeros((2, 7, 6), np.int8)
    for other in (taps[:1], taps[:, :6], taps[..., :5], taps.reshape(84), taps.astype(np.int16)):
        _refuses(decoder.set_filters, 0, 16, other)
    for tap in (-65, 64):
        _refuses(decoder.set_filters, 0, 16, taps + np.int8(tap))
    for data in (None, "", bytearray(b""), 5):
        _refuses(decoder.read_region, 0, low, data, b"")
        _refuses(decoder.read_region, 0, low, b"", data)
    for tables in (3, b"", decoder, None, high):
        _refuses(decoder.read_region, 0, tables, b"", b"")
    for rows in ((-1, 1), (0, 2), (1, 0), (2, 2), (0, 2**31)):
        _refuses(decoder.interpolate, *rows)
        _refuses(decoder.rows, *rows, pixels)
    read_only = pixels.copy()
    read_only.flags.writeable = False
    wrong = [_classes(24, 40), _classes(24, 40, 2), _classes(24, 40, 5), _classes(24, 41, 3)]
    wrong += [_classes(23, 40, 3), pixels.astype(np.uint16), _classes(24, 80, 3)[:, ::2], read_only]
    for other in wrong:
        _refuses(decoder.rows, 0, 1, other)
    wrong = [pixels, _classes(3, 5), _classes(3, 5, 2), _classes(3, 5, 5), _classes(5, 3, 3)]
    for other in (*wrong, _classes(3, 5, 3).astype(float)):
        _refuses(decoder.preview, other)


def test_arguments_of_entropy_coders_are_checked() -> None:
    symbols = np.arange(6, dtype=np.uint8)
    written = _native.write_symbols(2, symbols, symbols, 6)
    for n_contexts in (0, 257, -1, 2**32):
        _refuses(_native.write_symbols, 2, symbols, symbols, n_contexts)
        _refuses(_native.pack_streams, 2, [written], n_contexts)
        _refuses(_native.pack_payload, 2, written, n_contexts)
        _refuses(_native.SharedTables, 0, b"", n_contexts)
    for coder in (-1, 4, 99):
        _refuses(_native.write_symbols, coder, symbols, symbols, 6)
        _refuses(_native.pack_streams, coder, [written], 6)
        _refuses(_native.pack_payload, coder, written, 6)
        with pytest.raises(CorruptError):
            _native.SharedTables(coder, b"", 6)
    _refuses(_native.write_symbols, 3, symbols, symbols, 6)  # codes bits, not symbols
    for coder in range(3):
        for own, contexts in (
            (symbols, symbols[:5]),
            (symbols[None], symbols[None]),
            (symbols + np.uint8(59), symbols),
            (symbols, symbols + np.uint8(1)),
            (symbols.astype(np.int64), symbols),
            (symbols.astype(float), symbols),
            (np.arange(12, dtype=np.uint8)[::2], symbols),
        ):
            _refuses(_native.write_symbols, coder, own, contexts, 6)
        own = _native.write_symbols(coder, symbols, symbols, 6)
        _refuses(_native.pack_streams, coder, [own], 5)
        _refuses(_native.pack_payload, coder, own, 5)
        for other in (None, 3, b"", symbols):
            _refuses(_native.pack_streams, coder, [own, other], 6)
            _refuses(_native.pack_payload, coder, other, 6)


#: What once ended the process. It must be refused, or do something harmless where that is said.
DEADLY = {
    "contexts that tables lack, encoding": "_native.pack_streams(2, [written(2)], 1)",
    "contexts that tables lack, Rice": "_native.pack_payload(1, written(1), 1)",
    "contexts that tables lack, regions": (
        "decoder().read_region(0, tables(2), b'', b'\\0\\0\\1\\0\\0\\0\\1\\0')"
    ),
    "contexts that tables lack, groups": (
        "d = decoder(); d.start();d.read_group(0, 0, tables(2), b'', b'\\0\\0\\1\\0\\0\\0\\1\\0')"
    ),
    "filters without what they are fitted to": "encoder(rebuild=False).fit(0, 16)",
    "filters before there are pixels": "encoder().fit(0, 16)",
    "classes without axes": "decoder(chroma=zeros())",
    "classes without cells": "decoder(chroma=zeros(0, 0))",
    "classes without columns": "decoder(luma=zeros(2, 0))",
    "classes on one axis": "decoder(luma=zeros(4))",
}


@pytest.mark.parametrize("what", DEADLY)
def test_no_argument_ends_the_process(what: str) -> None:
    program = f"""
import numpy as np
from aig_codec import _native
def zeros(*shape): return np.zeros(shape, np.uint8)
FRAME = dict(width=16, height=16, colour=False, subsampled=False, luma=zeros(2, 2),
    chroma=zeros(2, 2), steps=[16] * 3, matrix=0)
def decoder(**changes): return _native.LossyDecoder(**(FRAME | dict(adaptation=False) | changes))
def encoder(**changes): return _native.LossyEncoder(**(FRAME | dict(largest=2, chooses=True,
    halves=True, rebuild=True, lambda_=0.1, exact=True, alone=False) | changes))
def written(coder): return _native.write_symbols(coder, zeros(1), zeros(1) + 200, 256)
def tables(coder):
    own = _native.write_symbols(coder, zeros(3), zeros(3), 1)
    return _native.SharedTables(coder, _native.pack_streams(coder, [own], 1)[0], 1)
try:
    {DEADLY[what]}
except (ValueError, TypeError):
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "refused\n" or what.startswith("filters")
