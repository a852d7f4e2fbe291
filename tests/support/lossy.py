"""The DCT coder's segments by hand, and its two decoders side by side, for tests."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import reference
from reference.streams import parts_of

from aig_codec import CorruptError, UnsupportedError, _native
from aig_codec.coders import dct, substreams
from aig_codec.coders.substreams import Substream
from aig_codec.container import Focus, Metadata
from aig_codec.threads import Workers
from support import pictures

#: Tiers by their number in kernels, with the class that the reference gives their cells.
TIERS = {dct.BACKGROUND: reference.BLOCK_BACKGROUND, dct.MID: reference.BLOCK_MID}


def crop(name, left, top, width, height):
    """A part of one of scikit-learn's photographs."""
    import sklearn.datasets

    photograph = sklearn.datasets.load_sample_image(f"{name}.jpg")
    return np.ascontiguousarray(photograph[top : top + height, left : left + width])


def psnr(a, b):
    error = ((a.astype(float) - b) ** 2).mean()
    return 10 * np.log10(255**2 / error) if error else np.inf


@dataclass(frozen=True)
class Parts:
    """What the DCT coder has of a picture: all that is known before, and its segments."""

    picture: reference.DctPicture
    classes: np.ndarray
    preview: bytes | None
    mid: bytes | None = None
    background: bytes | None = None

    @property
    def metadata(self):
        p = self.picture
        return Metadata(
            p.width,
            p.height,
            "RGB" if p.colours == 3 else "L",
            (Focus(0, 0, (1.0, 1.0), 0, 0.0, 0.0),),
            quality_level=p.quality_level,
            qp_table_id=p.matrix,
            subsampling=p.subsampling,
            mid=p.mid,
            mid_level=p.mid_level,
        )


def picture_of(width, height, colours, **more):
    """What is known of a picture; everything may be said, little must."""
    fields = {
        "subsampling": "4:4:4",
        "quality_level": 128,
        "mid_level": 170,
        "matrix": 0,
        "mid": "none",
    }
    return reference.DctPicture(width, height, colours, **(fields | more))


def coded(pixels, classes, picture, coder="adaptive", effort=5):
    """The segments that the encoder makes of pixels (height, width, 1 or 3)."""
    empty = Parts(picture, classes, None)
    with Workers(1) as workers:
        analysis = dct.Analysis(pixels, empty.metadata, classes, coder, effort, workers)
        preview, tiers = analysis.encode([c for c in (dct.MID, dct.BACKGROUND) if analysis.has(c)])
    return replace(empty, preview=preview, mid=tiers.get(1), background=tiers.get(0))


def by_kernels(parts, problems=None, threads=1):
    """The pixels of all segments; what is wrong goes into the list, or is raised."""
    p = parts.picture
    pixels = np.full((p.height, p.width, p.colours), 99, np.uint8)
    with Workers(threads) as workers:
        decoder = dct.Synthesis(parts.metadata, parts.classes, workers)
        for payload, job in (
            (parts.preview, decoder.read_preview),
            (parts.mid, lambda payload: decoder.read_tier(payload, dct.MID)),
            (parts.background, lambda payload: decoder.read_tier(payload, dct.BACKGROUND)),
        ):
            if payload is None:
                continue
            try:
                job(payload)
            except (CorruptError, UnsupportedError) as error:
                if problems is None:
                    raise
                problems.append(error)
        decoder.render(pixels)
    damaged = decoder.damaged()
    if problems is None and damaged:
        raise damaged[0]
    if problems is not None:
        problems += damaged
    return pixels


def by_reference(parts, problems=None):
    return reference.decode_dct(
        parts.picture, parts.classes, parts.preview, parts.mid, parts.background, problems
    )


def assert_agree(parts, what=""):
    """Kernels and reference refuse the same, and what they leave out or not, show the same.

    Returns the pixels, None if they were refused.
    """
    found = expected = None
    reasons = []
    try:
        found = by_kernels(parts)
    except (CorruptError, UnsupportedError) as error:
        reasons.append(f"kernels: {error}")
    try:
        expected = by_reference(parts)
    except reference.BadFile as error:
        reasons.append(f"reference: {error}")
    assert len(reasons) != 1, f"{what}: only one refuses: {reasons}"
    if reasons:
        assert_lenient(parts, what)
        return None
    np.testing.assert_array_equal(found, expected, err_msg=str(what))
    return found


def assert_lenient(parts, what=""):
    """What is left of damaged segments is the same to both."""
    problems, expected_problems = [], []
    expected = by_reference(parts, expected_problems)
    assert expected_problems, what
    try:
        found = by_kernels(parts, problems)
    except CorruptError:
        # Without a preview there is nothing to show: the reader has its own grey.
        assert (expected == 128).all(), what
        return
    assert problems, what
    np.testing.assert_array_equal(found, expected, err_msg=str(what))


# Words


@cache
def scan_of(a, b, scale=1):
    """The places (h, v) of a block's high frequencies in their order."""
    return [(h, v) for h, v, _ in reference.scan_of(a, b, scale)]


@cache
def position_of(a, b, scale=1):
    return {place: i for i, place in enumerate(scan_of(a, b, scale))}


class Words(reference.SymbolWriter):
    """What a stream says, for the plainest of the static coders: contexts play no part."""

    def signed(self, value):
        self.value(abs(value))
        if value:
            self.bits(value < 0, 1)

    def cut(self, how):
        self.symbol(how)

    def lowest(self, block, levels, scale=1, end=None):
        """A block's lowest coefficients, a dict from (h, v); the end may be said to be another."""
        self.signed(levels.get((0, 0), 0))
        places = low_places(block, scale)
        if not places:
            return
        last = max((sum(place) for place in places if place in levels), default=0)
        self.symbol(last if end is None else end)
        for place in places:
            if sum(place) <= (last if end is None else end):
                self.signed(levels.get(place, 0))

    def levels(self, block, levels, scale=1, end=None):
        """A block's high frequencies, a dict from (h, v); the end may be said to be another."""
        scan = scan_of(block.a, block.b, scale)
        positions = position_of(block.a, block.b, scale)
        last = max((positions[place] + 1 for place in levels), default=0)
        self.value(last if end is None else end)
        for place in scan[:last][::-1]:
            level = levels.get(place, 0)
            self.value(abs(level) - (place == scan[last - 1]))
            if level:
                self.bits(level < 0, 1)

    def stream(self):
        raw = self.raw.to_bytes((self.raw_count + 7) // 8, "little")
        return Substream(raw, reference.pack_snappy(bytes(self.symbols)) if self.symbols else b"")

    def symbol_stream(self):
        """The same for a kernel, which gets symbols unpacked."""
        return self.stream().raw, bytes(self.symbols)


def segment(parameters, own_streams, coder=0, tables=b""):
    return substreams.pack(bytes([coder, *parameters]) + tables, own_streams)


def low_places(block, scale):
    """The places (h, v) of a block's lowest coefficients but DC, as streams have them."""
    width, height = scale << block.a, scale << block.b
    return [
        (total - v, v)
        for total in range(width + height - 2, 0, -1)
        for v in range(height)
        if 0 <= total - v < width
    ]


class Script:
    """Segments of which every word is chosen: cuts and levels by functions of the block."""

    def __init__(self, picture, classes):
        self.picture = picture
        self.classes = classes
        self.empty = reference.Preview(picture, classes)  # planes and cell classes
        self.blocks = {}  # (plane, group) to blocks

    def _groups(self, region):
        per = 1024 // 256
        return [p for p in parts_of(self.picture, 256) if (p[0] // per, p[1] // per) == region]

    def preview(self, cut, low, shares=(16, 16), adaptation=None, end=lambda *_: None):
        """`cut(plane, row, column, size)`; `low(plane, block, scale)`, a dict from (h, v) to
        levels; `adaptation()` gives the change from one superblock to the next; `end(plane, block)`
        says another end of the lowest coefficients, or None."""
        own = []
        for region in parts_of(self.picture, 1024):
            words = Words()
            if adaptation:
                for _ in range(self._superblocks(region)):
                    words.signed(adaptation())
            for number in range(len(self.empty.planes)):
                for group in self._groups(region):
                    for block in self._cut(words, number, group, cut):
                        scale = self.empty.planes[number].scale
                        own_low = low(number, block, scale)
                        words.lowest(block, own_low, scale, end(number, block))
            own.append(words.stream())
        return segment((*shares, adaptation is not None), own)

    def _superblocks(self, region):
        top, bottom, left, right = self.empty.planes[0].window(1024, *region)
        return -(-(bottom - top) // 4) * -(-(right - left) // 4)

    def _cut(self, words, number, group, cut):
        def ask(row, column, size):
            how = cut(number, row, column, size)
            words.cut(how)
            return how

        if number == 2:
            self.blocks[2, group] = self.blocks[1, group]
            yield from self.blocks[1, group]
            return
        found = self.blocks[number, group] = []
        top, bottom, left, right = self.empty.planes[number].window(256, *group)
        for row in range(top, bottom, 4):
            for column in range(left, right, 4):
                for block in reference.blocks_of_square(
                    self.empty.classes[number], row, column, 2, ask
                ):
                    found.append(block)
                    yield block

    def tier(self, kind, levels, deblocking=0, taps=None):
        """`levels(plane, block, scale)`, a dict from (h, v); after `preview`."""
        own = []
        for group in parts_of(self.picture, 256):
            words = Words()
            for number in range(len(self.empty.planes)):
                for block in self.blocks[number, group]:
                    if self.empty.classes[number][block.row, block.column] == TIERS[kind]:
                        scale = self.empty.planes[number].scale
                        words.levels(block, levels(number, block, scale), scale)
            own.append(words.stream())
        head = bytes([deblocking, taps is not None])
        if taps is not None:
            head += np.asarray(taps, np.int8).tobytes()
        return segment(head, own)


def with_streams(payload, count, change):
    """A segment with its streams changed by `change(number, stream)`, sealed again."""
    head, own = substreams.unpack(payload, count)
    return substreams.pack(head, [change(i, stream) for i, stream in enumerate(own)])


def kernel_decoder(width, height, steps, matrix=0, *, colour=False, subsampled=False, **more):
    """A decoder without classes: all cells are background, or those given by `classes`."""
    footprint = 16 if subsampled else 8
    luma = np.zeros((-(-height // 8), -(-width // 8)), np.uint8)
    chroma = np.zeros((-(-height // footprint), -(-width // footprint)), np.uint8)
    arguments = {"luma": luma, "chroma": chroma, "adaptation": False} | more
    return _native.LossyDecoder(
        width=width,
        height=height,
        colour=colour,
        subsampled=subsampled,
        steps=list(steps),
        matrix=matrix,
        **arguments,
    )


# Random segments


def random_picture(rng, most=70):
    colours = int(rng.choice([1, 3]))
    width, height = (int(n) for n in rng.integers(1, most, 2))
    picture = picture_of(
        width,
        height,
        colours,
        subsampling=str(rng.choice(["4:2:0", "4:4:4"])),
        quality_level=int(rng.choice([0, 40, 128, 200, 255])),
        mid_level=int(rng.integers(256)),
        matrix=int(rng.integers(2)),
        mid=str(rng.choice(["none", "dct", "palette"])),
    )
    return picture, pictures.class_map(height, width, int(rng.integers(1000)))


class Chooser:
    """Words at random, of every size there is."""

    def __init__(self, rng, tame):
        self.rng = rng
        self.sizes = [1, 2, 6, 40] if tame else [1, 3, 20, 700, 2**15 - 1, 2**20]
        self.favourite = int(rng.integers(4))
        self.adaptations = 0

    def cut(self, plane, row, column, size):
        return self.favourite if self.rng.random() < 0.5 else int(self.rng.integers(4))

    def size(self):
        return int(self.rng.integers(0, self.rng.choice(self.sizes) + 1)) * int(
            self.rng.choice([-1, 1])
        )

    def low(self, plane, block, scale):
        places = [(h, v) for v in range(scale << block.b) for h in range(scale << block.a)]
        most = int(self.rng.integers(0, 15))
        return {(h, v): self.size() for h, v in places if h + v <= most and self.rng.random() < 0.7}

    def levels(self, plane, block, scale):
        scan = reference.scan_of(block.a, block.b, scale)
        end = int(len(scan) * self.rng.random() ** self.rng.choice([0.3, 2, 8]))
        share = self.rng.choice([0.05, 0.3, 1])
        own = {(h, v): self.size() for h, v, _ in scan[:end] if self.rng.random() < share}
        return {place: level for place, level in own.items() if level}

    def adaptation(self):
        change = int(np.clip(self.adaptations + self.rng.integers(-5, 6), -8, 8)) - self.adaptations
        self.adaptations += change
        return change

    def taps(self):
        ends = self.rng.choice([3, 12, 64])
        return self.rng.integers(-ends, ends, (2, 7, 6)) if self.rng.random() < 0.6 else None


def random_parts(seed):
    rng = np.random.default_rng(seed)
    picture, classes = random_picture(rng)
    choose = Chooser(rng, tame=bool(seed % 2))
    script = Script(picture, classes)
    adaptation = choose.adaptation if seed % 3 == 0 else None
    shares = tuple(int(n) for n in rng.integers(1, rng.choice([2, 20, 256]), 2))
    parts = Parts(picture, classes, script.preview(choose.cut, choose.low, shares, adaptation))
    mid, background = (
        script.tier(kind, choose.levels, int(rng.choice([0, 16, 60, 255])), choose.taps())
        for kind in (dct.MID, dct.BACKGROUND)
    )
    return replace(parts, mid=mid if picture.mid == "dct" else None, background=background)
