#include "dct/quantiser.hpp"

namespace aig {
namespace {

int isqrt(int v) {
    int root = 0;
    while ((root + 1) * (root + 1) <= v) ++root;
    return root;
}

std::vector<std::uint8_t> make_weights(int matrix, Shape shape) {
    std::vector<std::uint8_t> weights(static_cast<std::size_t>(shape.samples()), 16);
    if (matrix == 0) return weights;
    for (int v = 0; v < shape.height(); ++v)
        for (int h = 0; h < shape.width(); ++h) {
            // In 1/16 of half a cycle per 8 samples, so that all shapes have the same curve.
            const int x = 128 * h / shape.width(), y = 128 * v / shape.height();
            const int above = isqrt(x * x + y * y) - 16;
            if (above > 0)
                weights[static_cast<std::size_t>(v * shape.width() + h)] =
                    static_cast<std::uint8_t>(16 + above * 5 / 16);
        }
    return weights;
}

}  // namespace

std::span<const std::uint8_t> weights_of(int matrix, Shape shape) {
    static const std::vector<std::vector<std::uint8_t>> all = [] {
        std::vector<std::vector<std::uint8_t>> out;
        for (int m = 0; m < kMatrices; ++m)
            for (int i = 0; i < kSizes; ++i) out.push_back(make_weights(m, Shape::of_index(i)));
        return out;
    }();
    return all[static_cast<std::size_t>(matrix * kSizes + shape.size_index())];
}

std::int32_t aq_scale(int quarters) {
    static constexpr std::int32_t scales[2 * kMostAdaptation + 1] = {64,  76,  91,  108, 128, 152, 181, 215, 256,
                                                                     304, 362, 431, 512, 609, 724, 861, 1024};
    return scales[quarters + kMostAdaptation];
}

}  // namespace aig
