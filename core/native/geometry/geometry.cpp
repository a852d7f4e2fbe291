#include "geometry/geometry.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace aig {
namespace {

constexpr std::uint32_t kHalfPi = 102944;  // pi/2 and pi in 1/65536 radian
constexpr std::uint32_t kPi = 205887;

// atan(i / 64) in 1/65536 radian.
constexpr std::uint32_t kArctan[65] = {0,     1024,  2047,  3070,  4091,  5110,  6126,  7140,  8150,  9156,  10158,
                                       11155, 12147, 13133, 14114, 15088, 16055, 17015, 17968, 18913, 19850, 20779,
                                       21699, 22610, 23512, 24406, 25289, 26163, 27028, 27882, 28727, 29561, 30386,
                                       31200, 32003, 32797, 33580, 34353, 35115, 35867, 36608, 37340, 38060, 38771,
                                       39472, 40162, 40842, 41512, 42172, 42823, 43464, 44095, 44716, 45328, 45931,
                                       46525, 47109, 47685, 48251, 48809, 49359, 49899, 50432, 50956, 51472};

std::uint32_t isqrt(std::uint64_t v) {
    auto r = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(v)));
    // The floating-point guess is off by one at most; the integer result does not depend on it.
    if (r > 0xffffffffu) r = 0xffffffffu;
    while (r * r > v) --r;
    while (r < 0xffffffffu && (r + 1) * (r + 1) <= v) ++r;
    return static_cast<std::uint32_t>(r);
}

std::uint64_t radial_squared(const Focus& f, int dx, int dy) {
    const auto x = static_cast<std::uint64_t>(abs_int(dx)), y = static_cast<std::uint64_t>(abs_int(dy));
    return x * x * f.inv_x + y * y * f.inv_y;
}

std::uint32_t angle_term(const Focus& f, int dx, int dy) {
    return f.alpha ? static_cast<std::uint32_t>(std::uint64_t{f.alpha} * angle_q16(dx, dy) / 100) : 0;
}

// Whether the pixel's weighted distance is at most r (1/65536).
bool within(const Focus& f, int dx, int dy, std::uint32_t r) {
    const std::uint32_t term = angle_term(f, dx, dy);
    if (term > r) return false;
    const std::uint64_t t = r - term, q = radial_squared(f, dx, dy);
    return f.shift >= 32 ? (q >> (f.shift - 32)) <= t * t : q <= (t * t) >> (32 - f.shift);
}

// Largest |dx| that lies within r in the row dy, the angle left out (it only shrinks the reach); -1 for none.
int reach(const Focus& f, int dy, std::uint32_t r) {
    const std::uint64_t r2 = std::uint64_t{r} * r;
    std::uint64_t bound;  // largest q that is inside
    if (f.shift < 32)
        bound = r2 >> (32 - f.shift);
    else if (r2 >> (63 - (f.shift - 32)))
        bound = ~std::uint64_t{0} >> 1;
    else
        bound = ((r2 + 1) << (f.shift - 32)) - 1;
    const auto y = static_cast<std::uint64_t>(abs_int(dy));
    const std::uint64_t column = y * y * f.inv_y;
    if (column > bound) return -1;
    const std::uint32_t dx = isqrt((bound - column) / f.inv_x);
    return dx > 65535 ? 65535 : static_cast<int>(dx);
}

// How far from x, up to `end`, all entries are equal to the first one.
int run_end(const std::uint8_t* row, int x, int end) {
    const std::uint64_t eight = row[x] * std::uint64_t{0x0101010101010101};
    int at = x + 1;
    for (; at + 8 <= end; at += 8) {
        std::uint64_t next;
        std::memcpy(&next, row + at, 8);
        if (next != eight) break;
    }
    while (at < end && row[at] == row[x]) ++at;
    return at;
}

// Give the row's pixels within r of focus k the class base + k, unless they have a better tier already
// or a nearer focus gave them the same.
void paint_row(std::span<const Focus> foci, std::size_t k, std::uint32_t r, int base, int y, View<std::uint8_t> map) {
    const Focus& f = foci[k];
    const int dy = y - f.y, dx_max = reach(f, dy, r);
    if (dx_max < 0) return;
    const int x0 = f.x - dx_max < 0 ? 0 : f.x - dx_max;
    const int x1 = f.x + dx_max >= map.width ? map.width - 1 : f.x + dx_max;
    std::uint8_t* row = map.row(y);
    const auto own = static_cast<std::uint8_t>(base + static_cast<int>(k));
    for (int x = x0; x <= x1; ++x) {
        const int old = row[x];
        // Most pixels are alike.
        const bool kept = base == kMidBase && is_core(old);
        if (kept || (old == kBackground && !f.alpha)) {
            const int end = run_end(row, x, x1 + 1);
            if (!kept) std::memset(row + x, own, static_cast<std::size_t>(end - x));
            x = end - 1;
            continue;
        }
        if (f.alpha && !within(f, x - f.x, dy, r)) continue;
        if (old != kBackground) {
            const Focus& other = foci[static_cast<std::size_t>(old - base)];
            if (distance_q16(other, x - other.x, y - other.y) <= distance_q16(f, x - f.x, dy)) continue;
        }
        row[x] = own;
    }
}

}  // namespace

std::uint32_t angle_q16(int dx, int dy) {
    const auto x = static_cast<std::uint32_t>(abs_int(dx)), y = static_cast<std::uint32_t>(abs_int(dy));
    if (x == 0 && y == 0) return 0;
    const std::uint32_t small = x < y ? x : y, large = x < y ? y : x;
    const std::uint32_t ratio = (small << 16) / large;  // small < 2^16, so the shift fits
    const std::uint32_t i = ratio >> 10, fraction = ratio & 1023;
    // ratio is at most 65536, and there fraction is 0, so kArctan[i + 1] is read only below the end.
    std::uint32_t a = kArctan[i];
    if (fraction) a += (kArctan[i + 1] - kArctan[i]) * fraction >> 10;
    if (y > x) a = kHalfPi - a;
    return dx < 0 ? kPi - a : a;
}

std::uint32_t distance_q16(const Focus& f, int dx, int dy) {
    const std::uint64_t q = radial_squared(f, dx, dy);
    std::uint64_t v;
    if (f.shift >= 32)
        v = q >> (f.shift - 32);
    else if (q >> (32 + f.shift))
        return 0xffffffffu;
    else
        v = q << (32 - f.shift);
    const std::uint64_t d = std::uint64_t{isqrt(v)} + angle_term(f, dx, dy);
    return d > 0xffffffffu ? 0xffffffffu : static_cast<std::uint32_t>(d);
}

void classify(std::span<const Focus> image_foci, int left, int top, View<std::uint8_t> map) {
    std::vector<Focus> foci(image_foci.begin(), image_foci.end());
    for (Focus& f : foci) f.x -= left, f.y -= top;
    for (int y = 0; y < map.height; ++y) {
        std::uint8_t* row = map.row(y);
        for (int x = 0; x < map.width; ++x) row[x] = kBackground;
        // Cores first: a mid tier never takes a pixel that any core holds.
        for (std::size_t k = 0; k < foci.size(); ++k) paint_row(foci, k, foci[k].r_core, kCoreBase, y, map);
        for (std::size_t k = 0; k < foci.size(); ++k) paint_row(foci, k, foci[k].r_mid, kMidBase, y, map);
    }
}

void assign(std::span<const Focus> foci, View<std::uint8_t> owner, View<std::uint32_t> distance) {
    for (int y = 0; y < owner.height; ++y) {
        for (int x = 0; x < owner.width; ++x) {
            std::uint32_t best = 0xffffffffu;
            std::size_t nearest = 0;
            for (std::size_t k = 0; k < foci.size(); ++k) {
                const std::uint32_t d = distance_q16(foci[k], x - foci[k].x, y - foci[k].y);
                if (d < best) best = d, nearest = k;
            }
            owner.row(y)[x] = static_cast<std::uint8_t>(nearest);
            distance.row(y)[x] = best;
        }
    }
}

}  // namespace aig
