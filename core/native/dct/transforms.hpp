// The DCT of blocks of 8, 16 or 32 samples a side, and the encoder's statistics of every block's coefficients: once in
// plain C++ and once per instruction set, all with the same results. Includes nothing but integer types: units for
// other processors must not instantiate code that others share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aig {

// Blocks are 2^log2w wide and 2^log2h high; coefficient of horizontal frequency k and vertical frequency v is at index
// v * w + k.
struct TransformKernels {
    // Samples in -2048 .. 2047 -> coefficients, 8 / sqrt(w * h) times the orthonormal DCT.
    void (*forward)(const std::int16_t* samples, std::ptrdiff_t stride, int log2w, int log2h,
                    std::int16_t* coefficients);
    // Coefficients -> samples, clipped to -2048 .. 2047. All w * h are there, those outside the
    // lowest `columns` and `rows` frequencies zero.
    void (*inverse)(const std::int16_t* coefficients, int log2w, int log2h, int columns, int rows,
                    std::int16_t* samples, std::ptrdiff_t stride);
    // Sum of about 2^13 * log2(1 + 6.25 a^2), a = coefficient * inverse step, without the first; count a multiple
    // of 64.
    std::int64_t (*cost)(const std::int16_t* coefficients, const float* inverse_steps, int count);
    // Bit i of the masks, 64 each, says whether |coefficient i| * inverse step reaches the threshold; count a multiple
    // of 64.
    void (*candidates)(const std::int16_t* coefficients, const float* inverse_steps, float threshold, int count,
                       std::uint64_t* masks);
};

// Those of the instruction set in use (simd/dispatch.hpp).
const TransformKernels& transform_kernels();
const TransformKernels& plain_transforms();
#ifdef AIG_HAVE_AVX2_BUILD
const TransformKernels& avx2_transforms();
const TransformKernels& avx512_transforms();
#endif

}  // namespace aig
