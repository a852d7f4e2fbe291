#include "roi/costs.hpp"

#include "simd/dispatch.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

// Bits of a MED residual of magnitude m in a context of local activity; fitted by eye to
// the lossless coder's mean cost on photographs.
float residual_bits(int magnitude) {
    static const auto table = [] {
        std::array<float, 512> t{};
        for (std::size_t m = 0; m < t.size(); ++m) t[m] = 1.0f + 1.55f * std::log2(1.0f + static_cast<float>(m));
        return t;
    }();
    return table[static_cast<std::size_t>(std::min(magnitude, 511))];
}

// Bits of a level that is not 0; those of zeros are a share of the block's constant.
float level_bits(int magnitude) {
    static const auto table = [] {
        std::array<float, 256> t{};
        for (std::size_t m = 1; m < t.size(); ++m) t[m] = 3.2f + 1.6f * std::log2(static_cast<float>(m));
        return t;
    }();
    return table[static_cast<std::size_t>(std::min(magnitude, 255))];
}

using InverseSteps = std::array<float, 64>;

InverseSteps inverse_of(const Steps& steps) {
    InverseSteps out;
    for (std::size_t i = 0; i < 64; ++i) out[i] = 1.0f / static_cast<float>(steps[i]);
    return out;
}

void quantiser_cost(const std::int16_t* coefficients, const Steps& steps, const InverseSteps& inverse, float channels,
                    float& bits, float& error) {
    // First what is the same for all, so that it can be done for several at once. The mean is the LF image's, which is
    // coded in any case.
    std::int32_t levels[64];
    float e = 0;
    levels[0] = 0;
    for (std::size_t i = 1; i < 64; ++i)
        levels[i] = static_cast<int>(static_cast<float>(abs_int(coefficients[i])) * inverse[i] + 0.38f);
    for (std::size_t i = 1; i < 64; ++i) {
        const std::int32_t left = abs_int(coefficients[i]) - levels[i] * steps[i];
        e += static_cast<float>(left) * static_cast<float>(left);
    }
    float b = 3.0f;
    for (std::size_t i = 1; i < 64; ++i)
        if (levels[i]) b += level_bits(levels[i]);
    // Coefficients are 16 times orthonormal. Colour adds about a fifth of luma's bits; its error is
    // counted as if each of R, G and B erred as luma does.
    bits = channels == 3 ? 1.2f * b : b;
    error = e / 256.0f * channels;
}

}  // namespace

void block_costs(View<const std::uint8_t> pixels, const Steps& background, const Steps& mid, BlockCost* out) {
    const int channels = std::min(pixels.channels, 3);
    const bool colour = channels == 3;
    const int blocks_x = (pixels.width + 7) / 8;
    std::vector<std::uint8_t> luma(static_cast<std::size_t>(blocks_x) * 64);
    std::vector<std::uint8_t> chroma(static_cast<std::size_t>(pixels.width) * 2);
    alignas(32) std::int16_t coefficients[64];
    const InverseSteps inverse_background = inverse_of(background), inverse_mid = inverse_of(mid);
    const auto& kernel = kernels();
    const std::ptrdiff_t stride = blocks_x * 8;
    for (int top = 0; top < pixels.height; top += 8, out += blocks_x) {
        for (int x = 0; x < blocks_x; ++x) out[x] = BlockCost{};
        for (int j = 0; j < 8; ++j) {
            const int y = std::min(top + j, pixels.height - 1);
            const std::uint8_t* row = pixels.row(y);
            std::uint8_t* to = luma.data() + j * stride;
            if (colour && pixels.channels == 3)
                kernel.rgb_to_ycc(row, pixels.width, to, chroma.data(), chroma.data() + pixels.width);
            else
                for (int x = 0; x < pixels.width; ++x) to[x] = row[x * pixels.channels + (colour ? 1 : 0)];
            std::fill(to + pixels.width, to + stride, to[pixels.width - 1]);
            if (top + j >= pixels.height) continue;
            // Lossless: MED residuals of G and of the differences R - G and B - G.
            const std::uint8_t* above = pixels.row(std::max(0, y - 1));
            for (int x = 0; x < pixels.width; ++x) {
                const std::uint8_t *here = row + x * pixels.channels, *north = above + x * pixels.channels;
                const int left = x ? pixels.channels : 0;
                const std::uint8_t *west = here - left, *corner = north - left;
                const int g = colour ? 1 : 0;
                float bits = residual_bits(abs_int(here[g] - med(west[g], north[g], corner[g])));
                for (int c = 0; colour && c < 3; c += 2)
                    bits += residual_bits(abs_int(here[c] - here[g] -
                                                  med(west[c] - west[g], north[c] - north[g], corner[c] - corner[g])));
                out[x / 8].core_bits += bits;
            }
        }
        for (int x = 0; x < blocks_x; ++x) {
            kernel.forward_block(luma.data() + 8 * x, stride, coefficients);
            quantiser_cost(coefficients, background, inverse_background, static_cast<float>(channels),
                           out[x].background_bits, out[x].background_error);
            quantiser_cost(coefficients, mid, inverse_mid, static_cast<float>(channels), out[x].mid_bits,
                           out[x].mid_error);
        }
    }
}

}  // namespace aig
