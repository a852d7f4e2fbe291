#include "lossless/ycc.hpp"

#include <array>

namespace aig {
namespace {

using std::size_t;

// What chroma adds to luma, in 1/65536, rounded as JPEG decoders do (JFIF 1.02, in fixed point).
constexpr int kRedOfCr = 91881, kGreenOfCb = -22554, kGreenOfCr = -46802, kBlueOfCb = 116130, kHalf = 1 << 15;

struct Triple {
    int y, cb, cr;
};
struct Colour {
    int r, g, b;

    bool operator==(const Colour&) const = default;
};

constexpr int red_of(int cr) { return (kRedOfCr * (cr - 128) + kHalf) >> 16; }
constexpr int green_of(int cb, int cr) { return (kGreenOfCb * (cb - 128) + kGreenOfCr * (cr - 128) + kHalf) >> 16; }
constexpr int blue_of(int cb) { return (kBlueOfCb * (cb - 128) + kHalf) >> 16; }

Colour colour_of(Triple t) {
    return {clamp_int(t.y + red_of(t.cr), 0, 255), clamp_int(t.y + green_of(t.cb, t.cr), 0, 255),
            clamp_int(t.y + blue_of(t.cb), 0, 255)};
}

int rounded(int v) { return (v + kHalf) >> 16; }

int luma(Colour c) { return rounded(19595 * c.r + 38470 * c.g + 7471 * c.b); }

// The triple that the colour would have if it were rounded.
Triple nearest(Colour c) {
    return {luma(c), clamp_int(128 + rounded(-11059 * c.r - 21709 * c.g + 32768 * c.b), 0, 255),
            clamp_int(128 + rounded(32768 * c.r - 27439 * c.g - 5329 * c.b), 0, 255)};
}

bool is_inside(int v) { return v > 0 && v < 255; }
bool is_inside(Colour c) { return is_inside(c.r) && is_inside(c.g) && is_inside(c.b); }

// Chroma values that, with a certain luma, give a sample: from first to last, none if last is less.
struct Interval {
    int first, last;
};

// For every difference -255..255 of a sample and luma, the least chroma that reaches it.
template <class Of> constexpr std::array<std::int16_t, 512> least_reaching(Of of) {
    std::array<std::int16_t, 512> least{};
    for (int d = -256; d < 256; ++d) {
        int v = 0;
        while (v < 256 && of(v) < d) ++v;
        least[static_cast<size_t>(d + 256)] = static_cast<std::int16_t>(v);
    }
    return least;
}
constexpr auto kLeastCr = least_reaching(red_of), kLeastCb = least_reaching(blue_of);

Interval chroma(const std::array<std::int16_t, 512>& least, int sample, int y) {
    const auto at = static_cast<size_t>(sample - y + 256);
    const int first = least[at], next = at + 1 < least.size() ? least[at + 1] : 256;
    return {sample == 0 ? 0 : first, sample == 255 ? 255 : std::min(255, next - 1)};
}

// Each step of chroma moves red or blue by more than one, so that luma tells chroma. Rounding moves luma by one at
// most.
bool find_inside(Colour colour, Triple& found) {
    const int middle = luma(colour);
    for (const int y : {middle, middle - 1, middle + 1}) {
        const auto red = static_cast<size_t>(colour.r - y + 256), blue = static_cast<size_t>(colour.b - y + 256);
        const int cr = kLeastCr[red], cb = kLeastCb[blue];
        if (cr == kLeastCr[red + 1] || cb == kLeastCb[blue + 1] || y + green_of(cb, cr) != colour.g) continue;
        found = {y, cb, cr};
        return true;
    }
    return false;
}

// Move a chroma value within an interval until green, which falls as it rises, is what it should be, or as near as it
// can get. `over`: how much green is too large; `slope`: what a step takes from it, in 1/65536, less than one.
template <class Over> void move_chroma(int& value, Interval range, int slope, Over over) {
    const int off = over();
    if (!off) return;
    const int direction = off > 0 ? 1 : -1;
    // No further than rounding allows.
    const int far = (std::max(0, abs_int(off) - 1) << 16) / slope;
    value = clamp_int(value + direction * far, range.first, range.last);
    while (over() * direction > 0 && value + direction >= range.first && value + direction <= range.last)
        value += direction;
}

// For one luma, a triple near the wanted one that gives the colour. False if there is none: as green falls by steps of
// less than one, none is passed over.
bool find_chroma(Colour colour, int y, Triple wanted, Triple& found) {
    const Interval red = chroma(kLeastCr, colour.r, y), blue = chroma(kLeastCb, colour.b, y);
    if (red.last < red.first || blue.last < blue.first) return false;
    int cr = clamp_int(wanted.cr, red.first, red.last), cb = clamp_int(wanted.cb, blue.first, blue.last);
    const auto over = [&] { return clamp_int(y + green_of(cb, cr), 0, 255) - colour.g; };
    move_chroma(cr, red, -kGreenOfCr, over);
    move_chroma(cb, blue, -kGreenOfCb, over);
    found = {y, cb, cr};
    return over() == 0;
}

// For a colour at the border of the range, of which several triples may be cut to it, one near a wanted one.
bool find_outside(Colour colour, Triple wanted, Triple& found) {
    if (colour_of(wanted) == colour) {
        found = wanted;
        return true;
    }
    int best = 1 << 20;
    const auto try_luma = [&](int y) {
        Triple t{};
        if (y < 0 || y > 255 || !find_chroma(colour, y, wanted, t)) return;
        const int away = abs_int(y - wanted.y) + abs_int(t.cr - wanted.cr) + abs_int(t.cb - wanted.cb);
        if (away < best) best = away, found = t;
    };
    for (int d = 0; d < 256 && d < best; ++d) {
        try_luma(wanted.y - d);
        if (d) try_luma(wanted.y + d);
    }
    return best < 1 << 20;
}

constexpr int kEvidence = 64;

Colour colour_at(const std::uint8_t* p) { return {p[0], p[1], p[2]}; }
Triple triple_at(const std::uint8_t* p) { return {p[1], p[2], p[0]}; }

}  // namespace

bool looks_like_ycc(View<const std::uint8_t> pixels, const Region& region) {
    int evidence = 0;
    for (int y = 0; y < pixels.height; ++y)
        for (int x = 0; x < pixels.width; ++x) {
            if (!region.contains(x, y)) continue;
            const Colour colour = colour_at(pixels.row(y) + std::ptrdiff_t{x} * pixels.channels);
            // Those at the border of the range, and greys, are triples' more often.
            if (!is_inside(colour) || (colour.r == colour.g && colour.g == colour.b)) continue;
            Triple unused{};
            if (!find_inside(colour, unused)) return false;
            if (++evidence == kEvidence) return true;
        }
    return false;
}

bool to_ycc(View<const std::uint8_t> pixels, const Region& region, View<std::uint8_t> target) {
    const int n = pixels.channels;
    for (int y = 0; y < pixels.height; ++y) {
        const std::uint8_t* p = pixels.row(y);
        std::uint8_t* out = target.row(y);
        for (int x = 0; x < pixels.width; ++x, p += n, out += n) {
            if (!region.contains(x, y)) continue;
            const Colour colour = colour_at(p);
            Triple found{};
            if (is_inside(colour)) {
                if (!find_inside(colour, found)) return false;
            } else {
                const bool west = x > 0 && region.contains(x - 1, y), north = y > 0 && region.contains(x, y - 1);
                Triple wanted = nearest(colour);
                if (west && north && region.contains(x - 1, y - 1)) {
                    const Triple w = triple_at(out - n), u = triple_at(out - target.stride),
                                 corner = triple_at(out - target.stride - n);
                    wanted = {med(w.y, u.y, corner.y), med(w.cb, u.cb, corner.cb), med(w.cr, u.cr, corner.cr)};
                } else if (west || north) {
                    wanted = triple_at(west ? out - n : out - target.stride);
                }
                if (!find_outside(colour, wanted, found)) return false;
            }
            out[0] = static_cast<std::uint8_t>(found.cr);
            out[1] = static_cast<std::uint8_t>(found.y);
            out[2] = static_cast<std::uint8_t>(found.cb);
            for (int c = 3; c < n; ++c) out[c] = p[c];
        }
    }
    return true;
}

void from_ycc(View<std::uint8_t> pixels, const Region& region) {
    const int n = pixels.channels;
    for (int y = 0; y < pixels.height; ++y) {
        std::uint8_t* p = pixels.row(y);
        for (int x = 0; x < pixels.width; ++x, p += n) {
            if (!region.contains(x, y)) continue;
            const Colour c = colour_of(triple_at(p));
            p[0] = static_cast<std::uint8_t>(c.r);
            p[1] = static_cast<std::uint8_t>(c.g);
            p[2] = static_cast<std::uint8_t>(c.b);
        }
    }
}

}  // namespace aig
