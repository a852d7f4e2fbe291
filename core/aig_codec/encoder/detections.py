"""What detectors found, as the keywords of `encode()` and `save()`.

`centers=` may be a function of the image, which returns what `keywords` takes; boxes of any origin,
detections as COCO has them, and those of the package supervision become foci here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..container.header import MAX_CENTERS, MAX_SIGMA, MIN_SIGMA

#: The mid tier reaches so much farther than the core.
_MID = 1.25
#: Radius of a focus where nothing was found, relative to the shorter side.
_MODEST = 0.12


def foci_from_boxes(
    boxes: Any,
    scores: Sequence[float] | None = None,
    labels: Sequence[Any] | None = None,
    *,
    limit: int = MAX_CENTERS,
    covered: bool = True,
) -> dict[str, Any]:
    """Foci of boxes (left, top, right, bottom), as keywords: centers, sigmas, radii and labels.

    Of more than `limit`, those with the best scores are taken, or else the largest. A core is the
    ellipse through the corners of its box, so that all of the box is exact; with covered=False
    the one inside it, of half that size. labels: per box a name, a number (its class) or a mapping
    as `encode` takes it. Raises ValueError for boxes that are none.
    """
    found = _boxes(boxes)
    order = _order(found, scores, limit)
    reach = math.sqrt(2) if covered else 1.0
    keywords: dict[str, Any] = {"centers": [], "sigmas": [], "radii": []}
    for k in order:
        left, top, right, bottom = found[k]
        a, b = reach * (right - left) / 2, reach * (bottom - top) / 2
        radius = math.sqrt(a * b)
        keywords["centers"].append(((left + right - 1) / 2, (top + bottom - 1) / 2))
        keywords["sigmas"].append(
            tuple(min(max((n / radius) ** 2, 2 * MIN_SIGMA), MAX_SIGMA / 2) for n in (a, b))
        )
        keywords["radii"].append((radius, _MID * radius))
    if labels is not None or scores is not None:
        keywords["labels"] = [_label(labels, scores, k) for k in order]
    return keywords


def boxes_of(
    boxes: Any,
    scores: Sequence[float] | None = None,
    labels: Sequence[Any] | None = None,
    *,
    limit: int = MAX_CENTERS,
) -> dict[str, Any]:
    """The same boxes as rectangles that are exact: keywords boxes and labels."""
    found = _boxes(boxes)
    order = _order(found, scores, limit)
    keywords: dict[str, Any] = {"boxes": [found[k] for k in order]}
    if labels is not None or scores is not None:
        keywords["labels"] = [_label(labels, scores, k) for k in order]
    return keywords


def from_coco(
    annotations: Iterable[Mapping[str, Any]],
    categories: Mapping[int, str] | None = None,
    *,
    rectangles: bool = False,
) -> dict[str, Any]:
    """Keywords of annotations or results as COCO has them: "bbox" [x, y, width, height], and
    "category_id" and "score" where they are known. categories: names by category_id.

    rectangles: `boxes` and not ellipses.
    """
    rows = list(annotations)
    boxes = [(x, y, x + w, y + h) for x, y, w, h in (row["bbox"] for row in rows)]
    labels = []
    for row in rows:
        label: dict[str, Any] = {}
        if "category_id" in row:
            label["class"] = int(row["category_id"])
            name = (categories or {}).get(row["category_id"])
            label |= {"name": name} if name is not None else {}
        labels.append(label or None)
    scores = [float(row["score"]) for row in rows] if all("score" in r for r in rows) else None
    return (boxes_of if rectangles else foci_from_boxes)(boxes, scores or None, labels)


def from_supervision(detections: Any, *, rectangles: bool = False) -> dict[str, Any]:
    """Keywords of `supervision.Detections`, or of what has its xyxy, confidence, class_id and
    data["class_name"]."""
    names = (getattr(detections, "data", None) or {}).get("class_name")
    classes = detections.class_id
    labels = []
    for k in range(len(detections.xyxy)):
        label: dict[str, Any] = {} if classes is None else {"class": int(classes[k])}
        label |= {} if names is None else {"name": str(names[k])}
        labels.append(label or None)
    scores = detections.confidence
    scores = None if scores is None else [float(s) for s in scores]
    return (boxes_of if rectangles else foci_from_boxes)(detections.xyxy, scores, labels)


def faces(image: NDArray[np.uint8]) -> dict[str, Any]:
    """Faces that look into the camera, for `centers=`: local binary patterns in a cascade (Viola
    and Jones 2001; Liao et al. 2007), by scikit-image. Raises ImportError without it."""
    try:
        from skimage import data, feature
    except ImportError as error:
        raise ImportError("faces are found by scikit-image: pip install scikit-image") from error
    grey = image if image.ndim == 2 else image[..., :3] if image.shape[2] >= 3 else image[..., 0]
    cascade: Any = feature.Cascade(_cascade_file(data))
    least = max(24, min(image.shape[:2]) // 16)
    found = cascade.detect_multi_scale(
        img=grey,
        scale_factor=1.2,
        step_ratio=1,
        min_size=(least, least),
        max_size=image.shape[:2],
    )
    boxes = [(f["c"], f["r"], f["c"] + f["width"], f["r"] + f["height"]) for f in found]
    return foci_from_boxes(boxes, labels=["face"] * len(boxes)) if boxes else {}


def _cascade_file(data: Any) -> Any:
    return data.lbp_frontal_face_cascade_filename()


def keywords(found: Any, width: int, height: int) -> dict[str, Any]:
    """What a function given as `centers=` returned, as keywords of `encode`.

    found: a list of points (x, y), of points with a score (x, y, score), or of boxes (left, top,
    right, bottom) and those with a score; or a mapping of keywords, as the functions here return
    it. Nothing found gives one modest focus in the middle. Raises ValueError.
    """
    if isinstance(found, Mapping):
        if found.get("boxes") is not None or found.get("mask") is not None:
            return {"centers": "auto", **found}
        if found.get("centers"):
            return dict(found)
        found = ()
    rows = [tuple(np.asarray(row, float).ravel().tolist()) for row in _listed(found)]
    sizes = {len(row) for row in rows}
    if not rows:
        radius = max(1.0, _MODEST * min(width, height))
        middle = (width // 2, height // 2)
        return {"centers": [middle], "radii": [(radius, _MID * radius)]}
    if len(sizes) != 1 or sizes - {2, 3, 4, 5}:
        raise ValueError(
            "centers=: the function returned neither points (x, y[, score]) nor boxes (left, top, "
            f"right, bottom[, score]), but rows of {sorted(sizes)} numbers"
        )
    n = sizes.pop()
    scores = [row[-1] for row in rows] if n in (3, 5) else None
    if n >= 4:
        return foci_from_boxes([row[:4] for row in rows], scores)
    best = sorted(range(len(rows)), key=lambda k: -scores[k]) if scores else range(len(rows))
    chosen = list(best)[:MAX_CENTERS]
    labels = {"labels": [{"score": scores[k]} for k in chosen]} if scores else {}
    return {"centers": [rows[k][:2] for k in chosen], **labels}


def _listed(found: Any) -> list[Any]:
    if found is None:
        return []
    try:
        return list(found)
    except TypeError as error:
        raise ValueError(f"centers=: the function returned {found!r}, no list") from error


def _boxes(boxes: Any) -> list[tuple[float, float, float, float]]:
    rows = [tuple(np.asarray(row, float).ravel().tolist()) for row in _listed(boxes)]
    for row in rows:
        if len(row) != 4 or not all(map(math.isfinite, row)):
            raise ValueError(f"box {row} is not (left, top, right, bottom)")
        if row[0] >= row[2] or row[1] >= row[3]:
            raise ValueError(f"box {row} is empty")
    return rows


def _order(
    boxes: Sequence[Sequence[float]], scores: Sequence[float] | None, limit: int
) -> list[int]:
    """The best boxes, by score or else by area."""
    if scores is not None and len(scores) != len(boxes):
        raise ValueError(f"{len(scores)} scores for {len(boxes)} boxes")

    def worth(k: int) -> tuple[float, float]:
        left, top, right, bottom = boxes[k]
        return 0.0 if scores is None else float(scores[k]), (right - left) * (bottom - top)

    return sorted(range(len(boxes)), key=worth, reverse=True)[:limit]


def _label(labels: Sequence[Any] | None, scores: Sequence[float] | None, k: int) -> Any:
    label = None if labels is None else labels[k]
    if isinstance(label, str):
        label = {"name": label}
    elif isinstance(label, (int, np.integer)):
        label = {"class": int(label)}
    if scores is not None:
        label = {"score": float(scores[k]), **(label or {})}
    return label
