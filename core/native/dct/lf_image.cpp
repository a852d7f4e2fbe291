#include "dct/lf_image.hpp"

#include "base/matrix.hpp"

namespace aig {
namespace {

// Sums of the basis functions over the samples of a pixel of the LF image: entry [k][i] is that of frequency k in
// pixel i.
constexpr int kAlong = 2 * kSuperblock;
using Sums = std::array<std::array<std::int32_t, kAlong>, kAlong>;

constexpr std::array<std::array<Sums, 3>, 2> kSums = [] {
    std::array<std::array<Sums, 3>, 2> out{};
    for (std::size_t fine = 0; fine < 2; ++fine)
        for (std::size_t log = 0; log < 3; ++log)
            for (int k = 0; k < 1 << (log + fine); ++k)
                for (int n = 0; n < kCell << log; ++n)
                    out[fine][log][static_cast<std::size_t>(k)][static_cast<std::size_t>(n / (kCell >> fine))] +=
                        dct_entry(static_cast<int>(log) + 3, k, n);
    return out;
}();

// 2^15 times the coefficient of frequency 1 that sums over pixels times kSums make up.
constexpr std::array<std::array<std::int64_t, 3>, 2> kTilts = [] {
    std::array<std::array<std::int64_t, 3>, 2> out{};
    for (std::size_t fine = 0; fine < 2; ++fine)
        for (std::size_t log = 0; log < 3; ++log) {
            std::int64_t squares = 0;
            for (std::int64_t m : kSums[fine][log][1]) squares += m * m;
            const int across = dct_entry(3, 0, 0) * (kCell >> fine);
            if (squares) out[fine][log] = (std::int64_t{1} << (15 + 21 - 2 * fine)) / (squares * across);
        }
    return out;
}();

}  // namespace

std::int16_t half_tilt(int log, int log_eighths, const std::int16_t* pixels) {
    const auto fine = static_cast<std::size_t>(log_eighths), size = static_cast<std::size_t>(log);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < std::size_t{1} << (log + log_eighths); ++i)
        sum += std::int64_t{pixels[i]} * kSums[fine][size][1][i];
    return clip_int16((sum * kTilts[fine][size] + (1 << 15)) >> 16);
}

template <int W, int H>
static void means_of(const Sums& columns, const Sums& rows, int shift, const std::int16_t* low, std::int16_t* means) {
    std::int32_t along[H][W];
    for (int v = 0; v < H; ++v)
        for (int x = 0; x < W; ++x) {
            std::int32_t sum = 128;
            for (int u = 0; u < W; ++u)
                sum += columns[static_cast<std::size_t>(u)][static_cast<std::size_t>(x)] * low[v * W + u];
            along[v][x] = sum >> 8;
        }
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x) {
            std::int32_t sum = 1 << (shift - 1);
            for (int v = 0; v < H; ++v)
                sum += rows[static_cast<std::size_t>(v)][static_cast<std::size_t>(y)] * along[v][x];
            means[y * W + x] = static_cast<std::int16_t>(clamp_int(sum >> shift, -2048, 2047));
        }
}

void lf_pixels_of(Shape shape, const std::int16_t* low, std::int16_t* means) {
    const Sums &columns = kSums[shape.log_eighths][shape.log_w], &rows = kSums[shape.log_eighths][shape.log_h];
    // 128 * 256 by the transform, times the samples of a pixel, less what is taken after the first direction.
    const int shift = 21 - 2 * shape.log_eighths - 8;
    switch (4 * shape.log_low_h() + shape.log_low_w()) {
    case 0: return means_of<1, 1>(columns, rows, shift, low, means);
    case 1: return means_of<2, 1>(columns, rows, shift, low, means);
    case 2: return means_of<4, 1>(columns, rows, shift, low, means);
    case 4: return means_of<1, 2>(columns, rows, shift, low, means);
    case 5: return means_of<2, 2>(columns, rows, shift, low, means);
    case 6: return means_of<4, 2>(columns, rows, shift, low, means);
    case 7: return means_of<8, 2>(columns, rows, shift, low, means);
    case 8: return means_of<1, 4>(columns, rows, shift, low, means);
    case 9: return means_of<2, 4>(columns, rows, shift, low, means);
    case 10: return means_of<4, 4>(columns, rows, shift, low, means);
    case 11: return means_of<8, 4>(columns, rows, shift, low, means);
    case 13: return means_of<2, 8>(columns, rows, shift, low, means);
    case 14: return means_of<4, 8>(columns, rows, shift, low, means);
    default: return means_of<8, 8>(columns, rows, shift, low, means);
    }
}

}  // namespace aig
