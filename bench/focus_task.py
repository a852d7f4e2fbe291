"""The focus task: the core bit-exact, the rest as good as the bytes allow. Who needs the fewest?"""

from collections.abc import Iterator, Sequence

from . import pairs, peers
from .images import Picture
from .metrics import Judge, Score, bd_rate, ssim_db
from .pairs import Pair
from .rows import FocusRow

AIG_LADDER = (15, 30, 50, 70, 85, 93)

#: How distortion may be measured, all in dB.
MEASURES = {
    "psnr": "PSNR outside the focus",
    "ssim": "SSIM outside the focus",
    "rim_psnr": "PSNR in the 16 px around the focus",
}


def plan(quick: bool) -> tuple[tuple[int, ...], tuple[Pair, ...]]:
    """The qualities of AIG and the pairs it runs against; a quick run leaves out the last rungs."""
    if not quick:
        return AIG_LADDER, pairs.PAIRS
    return AIG_LADDER[1:5], (pairs.TUNED, pairs.SMART, pairs.NAIVE, pairs.WEBP)


def ladder_of(pair: Pair, quick: bool) -> tuple[int, ...]:
    """The qualities of a pair."""
    return pair.ladder[1:4] if quick else pair.ladder


def steps(quick: bool) -> int:
    """How many rows `measure` yields for an image."""
    aig_ladder, contestants = plan(quick)
    return len(aig_ladder) + 1 + sum(len(ladder_of(pair, quick)) for pair in contestants)


def measure(picture: Picture, quick: bool, kept: Sequence[FocusRow] = ()) -> Iterator[FocusRow]:
    """Run every ladder on one image, but for those that are kept from an earlier run."""
    kept_of: dict[str, list[FocusRow]] = {}
    for r in kept:
        kept_of.setdefault(r.codec, []).append(r)
    image = picture.load()
    core = picture.focus.core(image.shape)
    judge = Judge(image, core)

    def row(codec: str, setting: str, size: int, score: Score) -> FocusRow:
        share = float(core.mean())
        return FocusRow(
            picture.name, picture.megapixels, share, codec, setting, size, **vars(score)
        )

    aig_ladder, contestants = plan(quick)
    # Half a ladder is begun anew.
    known = kept_of.get("AIG", ())
    if len(known) == len(aig_ladder):
        yield from known
        aig_ladder = ()
    for quality in aig_ladder:
        codec = peers.aig(picture.focus, quality)
        data = codec.encode(image)
        yield row(codec.name, codec.setting, len(data), judge.score(codec.decode(data)))
    prepared = {masked: pairs.prepare(image, picture.focus, masked) for masked in (False, True)}
    boxes_of: dict[tuple[str, bool], list[bytes]] = {}
    for pair in contestants:
        known = kept_of.get(pair.name, ())
        if len(known) == len(ladder_of(pair, quick)):
            yield from known
            continue
        parts = prepared[pair.masked]
        # Pairs with the same codec for the boxes share them: they are the slow half.
        key = pair.box_codec.name, pair.masked
        if key not in boxes_of:
            boxes_of[key] = [pair.box_codec.encode(box) for box in parts.boxes]
        boxes = [pair.box_codec.decode(data) for data in boxes_of[key]]
        for quality in ladder_of(pair, quick):
            codec = pair.image_codec(quality)
            data = codec.encode(parts.whole)
            size = len(data) + sum(map(len, boxes_of[key]))
            score = judge.score(parts.paste(boxes, codec.decode(data)))
            yield row(pair.name, codec.setting, size, score)
    codec = peers.png()
    if codec.name in kept_of:
        yield from kept_of[codec.name]
        return
    data = codec.encode(image)
    yield row(codec.name, codec.setting, len(data), judge.score(codec.decode(data)))


def curve(
    rows: Sequence[FocusRow], image: str, codec: str, measure: str
) -> list[tuple[int, float]]:
    """The ladder of a codec on an image, as points (bytes, dB)."""
    points = []
    for r in rows:
        if (r.image, r.codec) == (image, codec):
            quality = ssim_db(r.ssim) if measure == "ssim" else getattr(r, measure)
            points.append((r.bytes, quality))
    return points


def bd_rates(rows: Sequence[FocusRow], pair: str, measure: str = "psnr") -> dict[str, float]:
    """Percent of bytes that AIG needs more than a pair, per image where the two can be compared."""
    rates = {}
    for image in dict.fromkeys(r.image for r in rows):
        rate = bd_rate(curve(rows, image, pair, measure), curve(rows, image, "AIG", measure))
        if rate is not None:
            rates[image] = rate
    return rates


def complete(rows: Sequence[FocusRow]) -> list[FocusRow]:
    """The rows of images that ran to their last, which is PNG's: half a ladder misleads."""
    done = {r.image for r in rows if r.codec == "PNG"}
    return [r for r in rows if r.image in done]


def pairs_in(rows: Sequence[FocusRow]) -> list[str]:
    """Names of the pairs that were run."""
    return [p.name for p in pairs.PAIRS if any(r.codec == p.name for r in rows)]
