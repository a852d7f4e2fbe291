"""The DCT coder's encoder with colour, transforms and quantisation on a device (format.md, 7.3).

Entropy coding stays with CPU threads, as does the 1/8 image, whose blocks depend on each other one
by one. The file is the CPU's to the bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...coders import dct
from ...errors import DeviceError
from .device import i32, paste, require_memory, spread
from .frame import Constants, Layout

U8 = NDArray[np.uint8]


class DeviceAnalysis(dct.Analysis):
    """`dct.Analysis` of a picture that is on a device, for efforts up to LAST_PARALLEL_EFFORT.

    given: the device's uint8 (H, W, C), the first channels of which are the colours of `pixels`.
    Where the device lacks memory, the CPU does it all.
    """

    def __init__(self, constants: Constants, given: Any, *arguments: Any, **options: Any) -> None:
        self._constants, self._device, self._given = constants, constants.device, given
        super().__init__(*arguments, **options)

    def _cut(self) -> None:
        try:
            self._cut_there()
        except DeviceError:
            super()._cut()
        self._given = None

    def _cut_there(self) -> None:
        device, kernel = self._device, self._kernel
        layout = Layout(self.frame(self._chroma), self._adapts)
        # The picture, samples and levels.
        need = self._given.nbytes + 2 * 2 * layout.samples
        require_memory(device, need, self.metadata.size)
        frame = device.upload(layout.fields())
        samples = self._sampled(layout, frame)
        adaptations = self._adapted(layout, frame, samples) if self._adapts else None
        shapes, levels = self._quantised(layout, frame, samples, adaptations)
        found = device.download(shapes), device.download(levels)
        self._workers.map(lambda group: kernel.accept(group, *found), kernel.groups)

    def _sampled(self, layout: Layout, frame: Any) -> Any:
        """Planes of samples, what no tier shows replaced as on the CPU."""
        device, pixels = self._device, self._given
        for row in range(self._kernel.group_rows):
            top = row * dct.GROUP
            before, shown = self._pixels[top : top + dct.GROUP], self._shown(row)
            if shown is not before:
                if pixels is self._given:
                    pixels = device.copy(pixels)
                changed = (before != shown).any(-1).view(np.uint8)
                paste(device, shown, changed, (1, 1), (0, top), pixels)
        samples = device.empty((layout.samples,), np.int16)
        work, channels = spread(64 * layout.cells[0]), pixels.shape[2]
        device.launch("to_planes", work, frame, pixels, i32(channels), samples)
        return samples

    def _adapted(self, layout: Layout, frame: Any, samples: Any) -> Any:
        """How steps vary, which the CPU decides by the logarithm of variances."""
        device = self._device
        variances = device.empty((layout.cells[0],), np.int32)
        device.launch("variances", spread(layout.cells[0]), frame, samples, variances)
        self._kernel.adapt(dct.ADAPTATION, device.download(variances))
        return device.upload(self._kernel.adaptations)

    def _quantised(
        self, layout: Layout, frame: Any, samples: Any, adaptations: Any
    ) -> tuple[Any, Any]:
        """Shapes of all cells, and levels by place."""
        device, tables, how = self._device, self._constants.tables, self._effort
        weights = tables.weights[layout.matrix]
        planes = range(layout.planes)
        classes = np.concatenate([c.ravel() for c in self.classes[: 2 if self.colour else 1]])
        shapes = device.upload(classes << 6)
        levels = device.empty((layout.samples,), np.int16)
        own = self._kernel.thresholds
        thresholds = device.upload(np.append(own, own.min()))
        for p in planes[:2]:
            device.launch(
                "cut_superblocks",
                spread(layout.cells[p], 16),
                *(frame, i32(p), i32(how.largest), i32(how.chooses), samples, adaptations),
                *(weights, tables.basis, shapes),
            )
        for p in planes:
            device.launch(
                "choose_levels",
                layout.cells[p],
                *(frame, i32(p), shapes, samples, adaptations, weights, tables.basis),
                *(tables.scan_first, tables.scan_coefficient, tables.scan_place),
                *(tables.scan_band, thresholds, levels),
                threads=64,
            )
        return shapes, levels
