#include "lossless/transform_choice.hpp"

#include "lossless/colours.inl"

namespace aig {
namespace {

// Half the bits of a prediction error, about.
unsigned bits_of_error(int error) {
    const auto odd = static_cast<std::uint64_t>(2 * static_cast<std::int64_t>(abs_int(error)) + 1);
    return static_cast<unsigned>(std::bit_width(odd * odd));
}

// A pixel and its neighbours W, N and NW.
template <class Pixel> using Four = std::array<const Pixel*, 4>;

template <unsigned Transform, class Pixel> unsigned cost(const Four<Pixel>& four) {
    int planes[3][4];
    for (std::size_t i = 0; i < 4; ++i)
        forward<Transform, int>(four[i][0], four[i][1], four[i][2], planes[0][i], planes[1][i], planes[2][i]);
    unsigned bits = 0;
    for (const auto& p : planes) bits += bits_of_error(p[0] - med(p[1], p[2], p[3]));
    return bits;
}

}  // namespace

template <class Pixel> unsigned choose_transform(View<const Pixel> pixels, Component component, const Band& band) {
    constexpr int places = 32;  // in each direction, at most
    const Box& box = band.box();
    const Region& region = band.region();
    const int dy = (box.bottom - box.top) / places + 1, dx = (box.right - box.left) / places + 1;
    std::array<std::uint64_t, kTransforms> bits{};
    for (int y = box.top + 1 + dy / 2; y < box.bottom; y += dy)
        // Columns unrelated to any grid in the image.
        for (int x = box.left + 1 + (y * 7 + dx / 2) % dx; x < box.right; x += dx) {
            if (!region.contains(x, y) || !region.contains(x - 1, y) || !region.contains(x, y - 1) ||
                !region.contains(x - 1, y - 1))
                continue;
            const Pixel* here = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels + component.first;
            const Four<Pixel> four{here, here - pixels.channels, here - pixels.stride,
                                   here - pixels.stride - pixels.channels};
            bits[kGreenFirst] += cost<kGreenFirst>(four);
            bits[kChromaLuma] += cost<kChromaLuma>(four);
            bits[kSubtractGreen] += cost<kSubtractGreen>(four);
            bits[kCoCgLuma] += cost<kCoCgLuma>(four);
        }
    // The trained predictors and tables are for one of them, which better ones must make up for.
    bits[kSubtractGreen] -= bits[kSubtractGreen] / 32;
    unsigned best = kSubtractGreen;
    for (unsigned t = 0; t < kTransforms; ++t)
        if (bits[t] < bits[best]) best = t;
    return best;
}

template unsigned choose_transform(View<const std::uint8_t>, Component, const Band&);
template unsigned choose_transform(View<const std::uint16_t>, Component, const Band&);

}  // namespace aig
