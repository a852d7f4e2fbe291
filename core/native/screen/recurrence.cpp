#include "screen/recurrence.hpp"

#include "entropy/binary_coder.hpp"

#include <array>
#include <cmath>
#include <cstring>

namespace aig {
namespace {

using std::size_t;
using std::uint32_t;

// The number of them aimed at; a grid in an image has up to four times as many.
constexpr int kGridPixels = 2048, kPlaces = 1024;
// One place in so many, if a byte of that frequency exists.
constexpr double kMostOften = 4, kLeastOften = 512;
constexpr unsigned kTableBits = 13;

uint32_t pack(const std::uint8_t* p, int channels) {
    uint32_t packed = 0;
    for (int c = 0; c < channels; ++c) packed = packed << 8 | p[c];
    return packed;
}

// Counts different colours; two of the same hash, which hardly occur, are one.
class Distinct {
  public:
    void add(uint32_t colour) {
        const uint32_t h = hash(1, colour) | 1;
        size_t i = h % slots_.size();
        while (slots_[i] && slots_[i] != h) i = (i + 1) % slots_.size();
        count_ += !slots_[i];
        slots_[i] = h;
    }
    int count() const { return count_; }

  private:
    // Twice as many as there may be pixels in a grid, and more.
    std::vector<uint32_t> slots_ = std::vector<uint32_t>(size_t{4} << kTableBits);
    int count_ = 0;
};

// The byte whose frequency is nearest to one in `every`, by its logarithm.
int byte_of_frequency(const std::array<int, 256>& counts, int total, double every) {
    int best = 0;
    double least = 1e9;
    for (int v = 0; v < 256; ++v) {
        const double away = std::abs(std::log2((counts[static_cast<size_t>(v)] + 0.1) * every / (total + 1)));
        if (away < least) least = away, best = v;
    }
    return best;
}

}  // namespace

Recurrence recurrence(View<const std::uint8_t> pixels, const Region& region) {
    Recurrence r;
    const int n = pixels.channels, channel = n >= 3 ? 1 : 0;
    const double area = static_cast<double>(pixels.width) * pixels.height;
    const int step = std::max(1, static_cast<int>(std::sqrt(area / kGridPixels)));
    std::array<int, 256> counts{};
    Distinct colours;
    // Every row of the grid is moved, so that it doesn't fall in with columns of tiles.
    for (int y = step / 2, k = 0; y < pixels.height; y += step, ++k)
        for (int x = 7 * k % step; x < pixels.width; x += step) {
            if (!region.contains(x, y)) continue;
            const std::uint8_t* p = pixels.row(y) + x * n;
            ++r.pixels;
            ++counts[p[channel]];
            colours.add(pack(p, n));
            if (n >= 3) r.grey = r.grey && p[0] == p[1] && p[1] == p[2];
        }
    r.colours = colours.count();
    const double every = std::clamp(area / kPlaces, kMostOften, kLeastOften);
    const int wanted = byte_of_frequency(counts, r.pixels, every);

    struct Met {
        uint32_t check = 0, pixel = 0;
    };
    std::vector<Met> table(size_t{1} << kTableBits);
    for (int y = 2; y < pixels.height; ++y) {
        const std::uint8_t *row = pixels.row(y), *const end = row + (pixels.width - 2) * n;
        const std::uint8_t* from = row + n;
        while (const void* found = from < end ? std::memchr(from, wanted, static_cast<size_t>(end - from)) : nullptr) {
            const auto* byte = static_cast<const std::uint8_t*>(found);
            const auto at = static_cast<int>(byte - row);
            from = byte + 1;
            if (at % n != channel) continue;
            const int x = at / n + 1;
            if (!region.contains(x, y)) continue;
            const std::uint8_t *here = row + x * n, *above = pixels.row(y - 1) + x * n;
            const uint32_t w = pack(here - n, n), north = pack(above, n), nw = pack(above - n, n),
                           ne = pack(above + n, n);
            if (w == north && north == nw && nw == ne) continue;
            const uint32_t ww = pack(here - 2 * n, n), nn = pack(pixels.row(y - 2) + x * n, n), pixel = pack(here, n);
            const uint32_t h = hash(hash(hash(w, north), hash(nw, ne)), hash(ww, nn));
            Met& m = table[h >> (32 - kTableBits)];
            ++r.places;
            r.right += m.check == (h | 1) && m.pixel == pixel;
            m = {h | 1, pixel};
        }
    }
    return r;
}

}  // namespace aig
