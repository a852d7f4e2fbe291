"""Faces, focus first: a detector that looks at cores only, beside the same one on whole pictures.

    python examples/faces_first.py [FOLDER]

Makes two dozen frames of a street scene with a face somewhere, stores each as AIG with the face in
focus and as JPEG, and runs scikit-image's cascade of face features (which comes with it) over both.
Writes faces-first.png into FOLDER (or here): the frames, what is read of them, and the time. Needs
pillow-aig[all] and scikit-image.
"""

import io
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import aig_codec

FRAMES, WIDTH, HEIGHT = 24, 1280, 960

#: The face of the astronaut: left, top, right, bottom in the picture that scikit-image has.
FACE = (170, 60, 280, 210)


def frames():
    """Pictures (H, W, 3) and where the face is."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    street = Image.fromarray(load_sample_image("china.jpg")).resize((WIDTH, HEIGHT))
    person = Image.fromarray(data.astronaut()).crop((100, 0, 350, 300))
    random = np.random.default_rng(3)
    for _ in range(FRAMES):
        size = random.uniform(0.7, 1.3)
        inset = person.resize((int(250 * size), int(300 * size)))
        x = int(random.integers(0, WIDTH - inset.width))
        y = int(random.integers(0, HEIGHT - inset.height))
        frame = street.copy()
        frame.paste(inset, (x, y))
        left, top, right, bottom = (int(n * size) for n in np.subtract(FACE, (100, 0, 100, 0)))
        yield np.asarray(frame), (x + left, y + top, x + right, y + bottom)


class Faces:
    """A model for `aig_codec.AIGProcessor`."""

    def __init__(self):
        from skimage import data
        from skimage.feature import Cascade

        self.cascade = Cascade(data.lbp_frontal_face_cascade_filename())

    def detect(self, core):
        """Faces (left, top, right, bottom) in a core."""
        return self.find(core.pixels)

    def refine(self, image, detections):
        """Faces in a whole picture."""
        return self.find(image)

    def find(self, pixels):
        """Faces in an array (H, W, 3)."""
        most = min(200, *pixels.shape[:2])
        found = self.cascade.detect_multi_scale(
            pixels, scale_factor=1.2, step_ratio=1, min_size=(48, 48), max_size=(most, most)
        )
        return [(f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]) for f in found]


def hits(face, found):
    """Whether one of the boxes found has its centre on the face."""
    left, top, right, bottom = face
    return any(left < (f[0] + f[2]) / 2 < right and top < (f[1] + f[3]) / 2 < bottom for f in found)


def main(folder="."):
    """Store, detect, draw."""
    from rich.progress import track

    model = Faces()
    # A frame without a face on its cores is looked at as a whole.
    processor = aig_codec.AIGProcessor(model, needs_context=lambda found: not found)
    shown = []
    totals = {"AIG": [0, 0.0, 0], "JPEG": [0, 0.0, 0]}
    for frame, face in track(list(frames()), description="frames"):
        left, top, right, bottom = face
        center = ((left + right) // 2, (top + bottom) // 2)
        radius = 0.75 * (bottom - top)
        stored = aig_codec.encode(frame, centers=[center], radii=[(radius, 1.3 * radius)])
        file = io.BytesIO()
        Image.fromarray(frame).save(file, "JPEG", quality=90)

        start = time.perf_counter()
        findings = processor.process(stored)
        middle = time.perf_counter()
        whole = model.find(np.asarray(Image.open(file)))
        end = time.perf_counter()
        for name, read, seconds, found in (
            ("AIG", findings.bytes_read, middle - start, findings.detections),
            ("JPEG", len(file.getvalue()), end - middle, whole),
        ):
            total = totals[name]
            total[0] += read
            total[1] += seconds
            total[2] += hits(face, found)
        shown.append((aig_codec.decode(stored, upto="core"), findings.detections))
    for name, (read, seconds, found) in totals.items():
        print(
            f"{name}: {found} of {FRAMES} faces, {FRAMES / seconds:.1f} files/s, "
            f"{read / FRAMES / 1024:.0f} KB read per file"
        )
    print(draw(shown, totals, Path(folder)))


def draw(shown, totals, folder):
    """What the model saw of six frames, and both ways side by side."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(13, 5.2), layout="constrained")
    for axis, (image, found) in zip(axes[:, :3].flat, shown, strict=False):
        axis.imshow(image)
        axis.axis("off")
        for left, top, right, bottom in found:
            box = plt.Rectangle(
                (left, top),
                right - left,
                bottom - top,
                fill=False,
                edgecolor="#ffd60a",
                linewidth=2,
            )
            axis.add_patch(box)
    for axis, values, title in (
        (axes[0, 3], [FRAMES / totals[n][1] for n in totals], "files per second"),
        (axes[1, 3], [totals[n][0] / FRAMES / 1024 for n in totals], "KB read per file"),
    ):
        bars = axis.barh(list(totals), values, color=["#2a9d8f", "#9a9a9a"])
        axis.bar_label(bars, fmt="%.1f", padding=3)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.2)
        axis.invert_yaxis()
    figure.suptitle("Faces found on what is in focus; the rest of the file is never read")
    path = folder / "faces-first.png"
    figure.savefig(path, dpi=90)
    return path


if __name__ == "__main__":
    main(*sys.argv[1:])
