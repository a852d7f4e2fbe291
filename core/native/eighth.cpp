#include "eighth.hpp"

#include "matrix.hpp"

namespace aig {
namespace {

// Sums of the basis functions over the samples of a pixel of the 1/8 image: entry [k][i] is that of frequency k in pixel i.
constexpr int kAlong = 2 * kSuperblock;
using Sums = std::array<std::array<std::int32_t, kAlong>, kAlong>;

constexpr std::array<std::array<Sums, 3>, 2> kSums = [] {
    std::array<std::array<Sums, 3>, 2> out{};
    for (std::size_t fine = 0; fine < 2; ++fine)
        for (std::size_t log = 0; log < 3; ++log)
            for (int k = 0; k < 1 << (log + fine); ++k)
                for (int n = 0; n < kCell << log; ++n)
                    out[fine][log][static_cast<std::size_t>(k)][static_cast<std::size_t>(n / (kCell >> fine))] += dct_entry(static_cast<int>(log) + 3, k, n);
    return out;
}();

}  // namespace

void eighth_of(Shape shape, const std::int16_t* low, std::int16_t* means) {
    const int w = shape.low_w(), h = shape.low_h();
    if (w * h == 1) {
        // The one product is 512 * 512 times the coefficient.
        *means = static_cast<std::int16_t>(clamp_int((*low + 4) >> 3, -2048, 2047));
        return;
    }
    const Sums &columns = kSums[shape.log_eighths][shape.log_w], &rows = kSums[shape.log_eighths][shape.log_h];
    // 128 * 256 by the transform, times the samples of a pixel.
    const int shift = 21 - 2 * shape.log_eighths;
    // Nothing is rounded before the end, so that either direction may come first.
    std::int32_t along[kAlong][kAlong];
    for (int v = 0; v < h; ++v)
        for (int x = 0; x < w; ++x) {
            std::int32_t sum = 0;
            for (int u = 0; u < w; ++u) sum += columns[static_cast<std::size_t>(u)][static_cast<std::size_t>(x)] * low[v * w + u];
            along[v][x] = sum;
        }
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x) {
            std::int64_t sum = std::int64_t{1} << (shift - 1);
            for (int v = 0; v < h; ++v) sum += std::int64_t{rows[static_cast<std::size_t>(v)][static_cast<std::size_t>(y)]} * along[v][x];
            means[y * w + x] = static_cast<std::int16_t>(clamp_int(static_cast<int>(sum >> shift), -2048, 2047));
        }
}

}  // namespace aig
