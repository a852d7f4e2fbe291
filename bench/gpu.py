"""`python -m bench gpu`: what a CUDA device makes of it, beside this machine's processors."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import aig_codec
from aig_codec import geometry
from aig_codec.coders import dct
from aig_codec.container import Focus as ContainerFocus
from aig_codec.container import Metadata
from aig_codec.devices import gpu
from aig_codec.devices.cuda.analysis import DeviceAnalysis
from aig_codec.devices.cuda.canvas import make_surface
from aig_codec.devices.cuda.frame import Constants
from aig_codec.devices.cuda.geometry import assign
from aig_codec.threads import Workers, default_threads

from . import gpu_host
from .gpu_host import median
from .images import U8, Picture
from .markdown import table
from .speed import one_cpu

REPORT = "gpu.md"

#: Width and height of the large picture; files in a batch.
_LARGE, _BATCH = (3840, 2160), 64
#: How often what was launched for one picture is launched again, to time the device alone.
_REPEATS = 20


class Recorder(gpu.CupyDevice):
    """A device that knows what was launched."""

    def __init__(self, index: int = 0) -> None:
        super().__init__(index)
        self.launched: list[tuple[Any, ...]] = []

    def launch(self, kernel: str, blocks: int, *arguments: Any, threads: int = 128) -> None:
        """Run a kernel, and remember it with all that it was given."""
        self.launched.append((kernel, blocks, arguments, threads))
        super().launch(kernel, blocks, *arguments, threads=threads)

    def again(self) -> float:
        """Seconds that all kernels so far take on the device, one after the other."""

        def run() -> None:
            for _ in range(_REPEATS):
                for kernel, blocks, arguments, threads in self.launched:
                    gpu.CupyDevice.launch(self, kernel, blocks, *arguments, threads=threads)
            self.finish()

        return median(run) / _REPEATS


def large(picture: U8, size: tuple[int, int] = _LARGE) -> U8:
    """A photograph enlarged."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def measure(
    loaded: Sequence[U8], size: tuple[int, int] = _LARGE, count: int = _BATCH
) -> list[list[str]]:
    """Rows of the report that need a device: what, reached, goal."""
    whole = large(loaded[0], size)
    return [
        *_geometry(whole.shape[1], whole.shape[0]),
        *_transforms(whole),
        *_batches(loaded, count),
        *_single(whole),
    ]


def _geometry(width: int, height: int) -> list[list[str]]:
    places = ((width // 4, height // 3), (width // 2, height // 2), (width - 99, height - 99))
    foci = [ContainerFocus(x, y, (1.3, 0.8), 20, 90.0, 140.0) for x, y in places]
    with one_cpu():
        cpu = median(lambda: geometry.assign(foci, height, width))
    device = Recorder()
    assign(device, foci, height, width)
    return [_ratio(f"region assignment, {width} x {height}, 3 centers", cpu / device.again(), 20)]


def _transforms(whole: U8) -> list[list[str]]:
    """Planes of colour, blocks and their transforms, without entropy coding; the device chooses
    levels, too, which on the CPU is part of coding them. Then encoding as a whole."""
    height, width = whole.shape[:2]
    classes = np.zeros((height, width), np.uint8)
    focus = {"centers": [(width // 2, height // 2)], "radii": [(60, 90)]}
    meta = Metadata(
        width=width,
        height=height,
        mode="RGB",
        foci=(ContainerFocus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),),
        quality_level=192,
        subsampling="4:2:0",
    )
    rows = []
    for effort in range(1, dct.LAST_PARALLEL_EFFORT + 1, 2):
        with Workers(1) as workers:
            arguments = (whole, meta, classes, "auto", effort, workers)
            with one_cpu():
                cpu = median(partial(dct.Analysis, *arguments))
            device = Recorder()
            DeviceAnalysis(Constants(device), device.upload(whole), *arguments)
        what = f"colour, forward DCT and quantisation, {width} x {height}, effort {effort}"
        rows.append(_ratio(what, cpu / device.again(), 20))
        there = device.upload(whole)
        own, cpu = (
            median(lambda p=p, e=effort: aig_codec.encode(p, effort=e, mid="dct", **focus))
            for p in (there, whole)
        )
        what = f"encoding it, effort {effort}, against {default_threads()} CPU threads"
        rows.append([what, f"{cpu / own:.1f}x", ""])
    return rows


def _batches(loaded: Sequence[U8], count: int) -> list[list[str]]:
    pixels = sum(loaded[i % len(loaded)].size // 3 for i in range(count))
    coded = {
        entropy: [aig_codec.encode(image, quality=75, entropy=entropy) for image in loaded]
        for entropy in ("rans", "adaptive")
    }
    sources = {e: [files[i % len(files)] for i in range(count)] for e, files in coded.items()}
    seconds = 0.0
    for data in coded["rans"]:
        device = Recorder()
        constants = Constants(device)
        with aig_codec.open(data) as file:
            file.compose(partial(make_surface, constants), threads=1)
        seconds += device.again()
    of_files = sum(image.size // 3 for image in loaded)
    ends = {e: median(lambda e=e: aig_codec.decode_batch(sources[e])) for e in sources}
    with Workers(None) as workers:
        files = sources["adaptive"]
        cpu = median(lambda: workers.map(lambda i: aig_codec.decode(files[i], threads=1), count))
    threads = default_threads()
    return [
        [
            "decode_batch, static rANS, on the device alone",
            f"{of_files / seconds / 1e9:.2f} gigapixels/s",
            "2",
        ],
        *(
            [
                f"decode_batch of {count}, {e}, end to end",
                f"{pixels / s / 1e9:.2f} gigapixels/s",
                "",
            ]
            for e, s in ends.items()
        ),
        _ratio(
            f"the same, static rANS, against {threads} CPU threads, adaptive", cpu / ends["rans"], 5
        ),
    ]


def _single(whole: U8) -> list[list[str]]:
    rows = []
    for entropy in ("rans", "adaptive"):
        data = aig_codec.encode(whole, quality=75, entropy=entropy)
        milliseconds = 1000 * median(lambda data=data: aig_codec.decode(data, device="cuda"))
        rows.append(
            [
                f"a file of {whole.shape[1]} x {whole.shape[0]}, {entropy}",
                f"{milliseconds:.1f} ms",
                "8 ms",
            ]
        )
    return rows


def _ratio(what: str, value: float, goal: float) -> list[str]:
    return [what, f"{value:.1f}x", f"{goal:g}x"]


def _loaded(pictures: Sequence[Picture], size: tuple[int, int]) -> list[U8]:
    """Eight of two megapixels and more, or two, enlarged to a quarter of a size."""
    chosen = [p.load() for p in pictures if p.megapixels >= 2][:8]
    return chosen or [large(p.load(), (size[0] // 2, size[1] // 2)) for p in pictures[:2]]


def main(
    pictures: Sequence[Picture],
    out: Path,
    size: tuple[int, int] = _LARGE,
    count: int = _BATCH,
) -> int:
    """Measure, write the report, print it. Returns 2 where there is no device, and the report has
    only what needs none."""
    loaded = _loaded(pictures, size)
    rows = gpu_host.rows(loaded)
    try:
        name = gpu.name()
    except aig_codec.DeviceError as error:
        print(f"only what needs no device: {error}\n")
        name = None
    else:
        rows = measure(loaded, size, count) + rows
    text = "\n\n".join(
        [
            "# On a GPU",
            table(["", "reached", "goal"], rows),
            f"<sub>`python -m bench gpu`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
            f"{name or 'no device'}, {default_threads()} CPU threads; "
            f"pillow-aig {aig_codec.__version__}</sub>",
        ]
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / REPORT).write_text(text + "\n")
    print(text)
    return 0 if name else 2
