// Steps of the lossy tiers (format.md, 7.3.3).
#pragma once
#include "dct/blocks.hpp"

namespace aig {

inline constexpr int kMatrices = 2;
inline constexpr int kMostAdaptation = 8;  // adaptive quantisation: of the step, in quarters of an octave up or down

// Weights of the coefficients of a shape in 1/16: matrix 0 is flat, matrix 1 grows with the frequency.
std::span<const std::uint8_t> weights_of(int matrix, Shape shape);

// 2^(quarters / 4) in 1/256.
std::int32_t aq_scale(int quarters);

inline std::int16_t clip_int16(std::int64_t v) {
    return static_cast<std::int16_t>(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

// Level times step, rounded; steps are in 1/16 of a coefficient.
inline std::int16_t dequantise(int level, std::int32_t step) {
    const std::int64_t magnitude = (std::int64_t{abs_int(level)} * step + 8) >> 4;
    return clip_int16(level < 0 ? -magnitude : magnitude);
}

// Of one plane and tier. `base` is the step in 1/16 of a sample, for orthonormal coefficients: 1..32767.
struct Quantiser {
    std::int32_t base = 16;
    int matrix = 0;

    std::int32_t base_at(int quarters) const {
        const std::int32_t b = (base * aq_scale(quarters) + 128) >> 8;
        return b < 1 ? 1 : b;
    }
    // In 1/16 of a coefficient; the product stays below 2^31 for bases up to 2^17.
    static std::int32_t step(std::int32_t base_here, Shape shape, unsigned weight) {
        const std::int32_t s = (base_here * kShapeScale[static_cast<std::size_t>(shape.log_cells())] >> 4) *
                                   static_cast<std::int32_t>(weight) >>
                               4;
        return s < 1 ? 1 : s;
    }
};

// The steps of one block's high frequencies.
struct BlockSteps {
    std::int32_t base;
    Shape shape;
    const std::uint8_t* weights;

    AIG_INLINE std::int16_t coefficient(const ScanEntry& e, int level) const {
        return dequantise(level, Quantiser::step(base, shape, weights[e.coefficient]));
    }
};

}  // namespace aig
