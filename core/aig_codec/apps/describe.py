"""What a file holds, in words and as JSON: the substance of `aig info`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..container import HEADER_SIZE, Focus, Label
from ..errors import TruncatedError

if TYPE_CHECKING:
    from ..decoder.file import AigFile

#: Header and length of the metadata: what stands before the metadata.
PREFIX_SIZE = HEADER_SIZE + 4


def length_of(aig: "AigFile") -> int:
    """Bytes of the whole file, all frames included, as it says itself. Raises `TruncatedError`
    where it ends before it says so."""
    if aig.n_frames > 1:
        return aig.frame_table.end
    return aig.data_start + max((s.end for s in aig.segments), default=0)


def describe(source: Path | bytes | str, name: str | None = None) -> dict[str, Any]:
    """What `aig info --json` prints for a file: header and metadata, in plain types.

    source: a path, bytes, or an address, whose size is taken for what the file says.
    """
    from .. import open

    with open(source) as aig:
        meta = aig.metadata
        data_start = aig.data_start
        whole = data_start + max((s.end for s in aig.segments), default=0)
        frames = _frames(aig)
        if isinstance(source, Path):
            size = source.stat().st_size
        else:
            size = len(source) if isinstance(source, bytes) else max(whole, frames.get("end", 0))
        labels = meta.labels or (None,) * len(meta.foci)
        return {
            "file": str(source) if name is None else name,
            "bytes": size,
            "missing_bytes": max(0, max(whole, frames.get("end", 0)) - size),
            "width": meta.width,
            "height": meta.height,
            "mode": meta.mode,
            "bits": meta.bits,
            "bits_per_pixel": 8 * whole / (meta.width * meta.height),
            "quality_level": meta.quality_level,
            "lossless": meta.shape == "all",
            "shape": meta.shape,
            "frames": frames,
            "foci": [focus_entry(f, label) for f, label in zip(meta.foci, labels, strict=True)],
            "lambda_rd": meta.rd_lambda,
            "mid": meta.mid,
            "mid_level": meta.mid_level,
            "subsampling": meta.subsampling,
            "qp_table_id": meta.qp_table_id,
            "dpi": None if meta.dpi is None else list(meta.dpi),
            "metadata_bytes": data_start - PREFIX_SIZE,
            "data_start": data_start,
            "segments": [
                {
                    "kind": s.kind,
                    "center": s.center,
                    "offset": data_start + s.offset,
                    "bytes": s.length,
                    "share": s.length / whole,
                    "coder": s.coder,
                    "version": s.version,
                }
                for s in aig.segments
            ],
        }


def _frames(aig: "AigFile") -> dict[str, Any]:
    """How many, and what the frame table says, as far as it is there."""
    found: dict[str, Any] = {"count": aig.n_frames, "loop": aig.loop}
    if aig.n_frames > 1:
        with suppress(TruncatedError):
            table = aig.frame_table
            found |= {"offsets": table.offsets, "durations": table.durations, "end": table.end}
    return found


def focus_entry(focus: Focus, label: Label | None = None) -> dict[str, Any]:
    return {
        "label": None if label is None else label.to_json(),
        "center": [focus.x, focus.y],
        "sigma": list(focus.sigma),
        "alpha": focus.alpha,
        "radius_core": focus.r_core,
        "radius_mid": focus.r_mid,
    }


def foci_lines(foci: list[dict[str, Any]], shape: str) -> list[str]:
    """One line for each focus, with what is particular about it."""
    lines = []
    lossless = shape == "all"
    for k, f in enumerate(foci):
        line = f"focus {k} at ({f['center'][0]}, {f['center'][1]})"
        if f["label"]:
            line += f", {label_text(f['label'])}"
        if shape == "map":
            radius = f["radius_core"]
            size = f"as large as a circle of radius {radius:.4g}" if radius else "empty"
            lines.append(f"{line}, core by a map, {size}")
            continue
        if not lossless:
            line += f", core radius {f['radius_core']:.5g}, mid radius {f['radius_mid']:.5g}"
        if f["sigma"] != [1, 1]:
            line += f", Sigma {f['sigma'][0]:.4g} x {f['sigma'][1]:.4g}"
        if f["alpha"]:
            line += f", alpha {f['alpha']:.4g}"
        lines.append(line)
    return [*lines, "lossless: every pixel is core"] if lossless else lines


def label_text(label: dict[str, Any]) -> str:
    """A label in words: 'dog (class 18, score 0.75)'."""
    more = [f"{key} {label[key]:g}" for key in ("class", "score") if key in label]
    words = [label["name"]] if label.get("name") else []
    return " ".join(words + ([f"({', '.join(more)})"] if more else []))


def table(report: dict[str, Any]) -> list[str]:
    """What `aig info` prints for a file."""
    lossless = report["lossless"]
    depth = "" if report["bits"] == 8 else f"{report['bits']} bits per sample, "
    lines = [
        f"{report['file']}: {report['width']} x {report['height']} {report['mode']}, {depth}"
        f"{report['bytes']:,} bytes, {report['bits_per_pixel']:.3f} bits per pixel"
    ]
    if not lossless:
        level = report["quality_level"]
        lines.append(
            f"  quality level {level} of 255 (quality {level / 2.55:.0f}), mid tier by "
            f"{report['mid']}, chroma {report['subsampling']}, lambda {report['lambda_rd']:g}"
        )
    if report["frames"]["count"] > 1:
        loop = {None: "", 0: ", for ever"}.get(report["frames"]["loop"], ", to be repeated")
        lines.append(f"  {report['frames']['count']} frames{loop}; this is the first")
    if report["dpi"]:
        lines.append("  {:g} x {:g} dots per inch".format(*report["dpi"]))
    lines += [f"  {line}" for line in foci_lines(report["foci"], report["shape"])]
    total = report["bytes"] + report["missing_bytes"]
    rows = [("head", report["data_start"], "header and metadata")]
    for s in report["segments"]:
        name = s["kind"] if s["center"] is None else f"{s['kind']} {s['center']}"
        rows.append((name, s["bytes"], f"{s['coder']} {s['version']}"))
    lines.append(f"  {'part':<12}{'bytes':>14}{'share':>9}   coder")
    more = []
    if "end" in report["frames"]:
        others = report["frames"]["end"] - report["frames"]["offsets"][1]
        more.append(("more frames", others, ""))
    for name, size, coder in rows + more:
        lines.append(f"  {name:<12}{size:>14,}{100 * size / total:>8.1f}%   {coder}".rstrip())
    if report["missing_bytes"]:
        end = report["bytes"]
        whole = [
            row[0]
            for row, s in zip(rows[1:], report["segments"], strict=True)
            if s["offset"] + s["bytes"] <= end
        ]
        lines.append(
            f"  INCOMPLETE: {report['missing_bytes']:,} bytes are missing; "
            + (f"complete up to {whole[-1]}" if whole else "not even the first part is complete")
        )
    return lines
