"""Models on cores first: what they are shown, where their findings lie, and what is read."""

import io
import threading

import numpy as np
import pytest
from support import pictures

import aig_codec
from aig_codec import AIGProcessor, Core, errors

WIDTH, HEIGHT = 320, 240
CENTERS = [(70, 60), (240, 170)]


def _frame(marks: list[tuple[int, int]]) -> np.ndarray:
    """A grey picture with bright squares of 9 x 9 pixels."""
    picture = pictures.smooth(HEIGHT, WIDTH, 1) // 2
    for x, y in marks:
        picture[y - 4 : y + 5, x - 4 : x + 5] = 255
    return picture


def _file(marks: list[tuple[int, int]]) -> bytes:
    return aig_codec.encode(_frame(marks), centers=CENTERS, radii=[(30, 40)] * 2, quality=90)


class Squares:
    """Finds the bounding box of what is white."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def detect(self, core: Core) -> list[tuple]:
        self.seen.append("core")
        assert core.pixels.shape == core.mask.shape
        return self.find(core.pixels)

    def refine(self, image: np.ndarray, detections: list[tuple]) -> list[tuple]:
        self.seen.append("image")
        assert image.shape == (HEIGHT, WIDTH)
        return [*detections, *self.find(image > 250)]

    @staticmethod
    def find(pixels: np.ndarray) -> list[tuple]:
        y, x = np.nonzero(pixels == pixels.max() if pixels.dtype == bool else pixels == 255)
        if not len(x) or (pixels.dtype == bool and not pixels.any()):
            return []
        return [(x.min(), y.min(), x.max() + 1, y.max() + 1, "square", 0.5)]


def test_findings_are_in_pixels_of_the_picture() -> None:
    model = Squares()
    findings = AIGProcessor(model).process(_file([(75, 50), (230, 180)]))
    assert findings.detections == [
        (71, 46, 80, 55, "square", 0.5),
        (226, 176, 235, 185, "square", 0.5),
    ]
    assert model.seen == ["core", "core"]
    assert not findings.refined


def test_only_the_cores_are_read() -> None:
    picture = pictures.mixed(400, 500, 3)
    data = aig_codec.encode(picture, centers=CENTERS, radii=[(20, 30)] * 2, quality=90)
    with aig_codec.open(data) as file:
        cores = file.bytes_for("core")
        assert len(data) > cores + 8192
    findings = AIGProcessor(lambda core: []).process(data)
    assert findings.bytes_read <= cores + 2048


def test_the_rest_is_read_where_context_is_needed() -> None:
    model = Squares()
    asked = []

    def needs_context(found: list[tuple]) -> bool:
        asked.append(list(found))
        return not found

    processor = AIGProcessor(model, needs_context)
    data = _file([(160, 30)])
    findings = processor.process(data)
    assert asked == [[]]
    assert findings.refined
    assert findings.bytes_read == len(data)
    assert model.seen == ["core", "core", "image"]
    ((left, _, _, bottom, *_),) = findings.detections
    assert abs(left - 156) < 4
    assert abs(bottom - 35) < 4
    model.seen.clear()
    assert not processor.process(_file([(75, 50)])).refined
    assert "image" not in model.seen


def test_models_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TypeError, match="neither has detect"):
        AIGProcessor(object())
    with pytest.raises(TypeError, match="no refine"):
        AIGProcessor(lambda core: [], needs_context=lambda found: True)


def test_streams_are_judged_as_soon_as_the_cores_are_there() -> None:
    data = _file([(75, 50)])
    with aig_codec.open(data) as file:
        end = file.data_start + file.bytes_for("core")

    class Pipe:
        taken = 0

        def read(self, size: int) -> bytes:
            piece = data[self.taken : self.taken + size]
            self.taken += len(piece)
            assert self.taken <= end
            return piece

    findings = AIGProcessor(Squares()).process_stream(Pipe())
    assert len(findings.detections) == 1
    with pytest.raises(errors.TruncatedError):
        AIGProcessor(Squares()).process_stream(io.BytesIO(data[: end - 1]))


def test_many_files_keep_their_order() -> None:
    places = [(50 + 5 * k, 60) for k in range(9)]
    processor = AIGProcessor(Squares())
    files = [_file([p]) for p in places]
    for ahead in (1, 3, 50):
        found = list(processor.process_many(iter(files), ahead=ahead))
        assert [f.detections[0][0] for f in found] == [x - 4 for x, _ in places]
    assert list(processor.process_many([])) == []
    with pytest.raises(ValueError, match="ahead"):
        list(processor.process_many(files, ahead=0))


def test_no_more_files_are_opened_than_are_soon_needed() -> None:
    opened = []
    files = [_file([(75, 50)])] * 12

    def sources():
        for k, data in enumerate(files):
            opened.append(k)
            yield data

    results = AIGProcessor(Squares()).process_many(sources(), ahead=2)
    next(results)
    assert len(opened) == 3
    results.close()
    assert len(opened) == 3
    assert threading.active_count() < 20


def test_the_error_of_a_file_comes_in_its_turn() -> None:
    good = _file([(75, 50)])
    results = AIGProcessor(Squares()).process_many([good, good[:900], good], ahead=2)
    assert next(results).detections
    with pytest.raises(errors.TruncatedError):
        next(results)
