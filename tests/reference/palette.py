"""The palette coder (7.2)."""

import numpy as np

from .entropy import SymbolReader
from .notation import ByteReader, expect, reached
from .regions import Neighbours, region_rows

PALETTE_CONTEXTS = 16
PALETTE_DISTANCE = (1, 2, 4, 8, 16, 32, 64)


def decode_palette(segment, region, colours):
    """7.2: an array (height, width, colours) that is 0 outside the region."""
    source = ByteReader(segment)
    count = source.take(1)[0] + 1
    palette = np.frombuffer(source.take(count * colours), np.uint8).reshape(count, colours)
    reader = SymbolReader(source.rest(), PALETTE_CONTEXTS)
    pixels = np.zeros((*region.shape, colours), np.uint8)
    width, rows = region_rows(region)
    indices = Neighbours(width, 0)
    for row in rows:
        for y, x, column in row:
            w, n, nw, ne = indices.look(column)
            choice = reader.symbol((w == n) + 2 * (n == ne) + 4 * (w == nw))
            expect(choice <= 2, "impossible palette symbol")
            if choice == 0:
                index = w
            elif choice == 1:
                index = n
            else:
                index = w + reader.signed(8 + reached(PALETTE_DISTANCE, abs(w - n)))
            expect(0 <= index < count, "an index outside the palette")
            indices.put(column, index)
            pixels[y, x] = palette[index]
        indices.end_row()
    reader.finish()
    return pixels
