"""From a file to pixels: `file` reads segments, `canvas` paints them."""
