// The kernels that exist once in plain C++ and once per instruction set, all with the same results.
// Includes nothing but integer types: the AVX2 unit must not instantiate code that others share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aig {

struct Kernels {
    const char* name;
    // 8x8 samples -> 64 coefficients, 16 x the orthonormal DCT; index 8 * horizontal + vertical frequency.
    void (*forward_block)(const std::uint8_t* samples, std::ptrdiff_t stride, std::int16_t* coefficients);
    // One row of n interleaved RGB pixels to planar YCbCr.
    void (*rgb_to_ycc)(const std::uint8_t* rgb, int n, std::uint8_t* y, std::uint8_t* cb, std::uint8_t* cr);
};

struct SampleKernels;
struct TransformKernels;

// The kernels in use: the best that this processor runs, or what choose_kernels() named.
const Kernels& kernels();
const SampleKernels& sample_kernels();
const TransformKernels& transform_kernels();
// "auto", "plain", "vector", "avx2" or "avx512"; false where this build or processor lacks them.
bool choose_kernels(const char* name);

}  // namespace aig
