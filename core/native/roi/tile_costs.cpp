#include "roi/tile_costs.hpp"

#include "simd/dispatch.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

// Bits of a level that is not 0, its position and sign included, by its magnitude; those of a level that is 0 are in
// it.
float level_bits(int magnitude) {
    static const auto table = [] {
        std::array<float, 64> t{};
        for (std::size_t m = 1; m < t.size(); ++m) t[m] = 3.2f + 1.6f * std::log2(static_cast<float>(m));
        return t;
    }();
    return table[static_cast<std::size_t>(std::min(magnitude, 63))];
}

}  // namespace

void transform_costs_by_tile(View<const std::uint8_t> pixels, View<const std::uint8_t> wanted, const Steps& steps,
                             TileCost* costs) {
    constexpr int kBlock = 8;
    const bool colour = pixels.channels == 3;
    alignas(32) std::uint8_t luma[kBlock * kBlock], chroma[2 * kBlock];
    alignas(32) std::int16_t coefficients[64];
    const auto& kernel = kernels();
    for (int by = 0; by * kBlock < pixels.height; ++by)
        for (int bx = 0; bx * kBlock < pixels.width; ++bx) {
            const int tx = bx * kBlock / kScreenTile, ty = by * kBlock / kScreenTile;
            if (!wanted.row(ty)[tx]) continue;
            const int width = std::min(kBlock, pixels.width - bx * kBlock);
            for (int j = 0; j < kBlock; ++j) {
                const std::uint8_t* row = pixels.row(std::min(by * kBlock + j, pixels.height - 1)) +
                                          std::ptrdiff_t{bx} * kBlock * pixels.channels;
                std::uint8_t* to = luma + j * kBlock;
                if (colour)
                    kernel.rgb_to_ycc(row, width, to, chroma, chroma + kBlock);
                else
                    std::copy_n(row, width, to);
                std::fill(to + width, to + kBlock, to[width - 1]);
            }
            kernel.forward_block(luma, kBlock, coefficients);
            float bits = 0, error = 0;
            for (std::size_t i = 1; i < 64; ++i) {
                const int magnitude = abs_int(coefficients[i]);
                const int level =
                    static_cast<int>(static_cast<float>(magnitude) / static_cast<float>(steps[i]) + 0.38f);
                const auto left = static_cast<float>(magnitude - level * steps[i]);
                error += left * left;
                bits += level ? level_bits(level) : 0.0f;
            }
            // Coefficients are 16 times orthonormal. Colour adds about a fifth of luma's bits, and errs as much in each
            // of R, G and B.
            TileCost& cost = costs[ty * wanted.width + tx];
            cost.bits += colour ? 1.2f * bits : bits;
            cost.error += error / 256.0f * static_cast<float>(pixels.channels);
        }
}

}  // namespace aig
