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
    // 64 coefficients -> 8x8 samples, offset by 128 and clipped (format.md, 7.3.4).
    void (*inverse_block)(const std::int16_t* coefficients, std::uint8_t* samples, std::ptrdiff_t stride);
    // 8x8 samples by bilinear interpolation of 3x3 samples that lie 8 apart, `around` row by row with the
    // block's own in the middle; no result differs from that one by more than limit / 256 before rounding.
    void (*smooth_block)(const std::int32_t* around, std::int32_t limit, std::uint8_t* samples, std::ptrdiff_t stride);
    // levels = sign(c) * floor(|c| * inverse_step + offset)
    void (*quantise)(const std::int16_t* coefficients, const float* inverse_steps, float offset, std::int16_t* levels);
    // coefficients = levels * steps, clipped to int16
    void (*dequantise)(const std::int16_t* levels, const std::int32_t* steps, std::int16_t* coefficients);
    // One row of n pixels between interleaved RGB and planar YCbCr.
    void (*rgb_to_ycc)(const std::uint8_t* rgb, int n, std::uint8_t* y, std::uint8_t* cb, std::uint8_t* cr);
    void (*ycc_to_rgb)(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, int n, std::uint8_t* rgb);
    // One chroma row of n samples to 2n, from the nearer and the farther chroma row.
    void (*upsample)(const std::uint8_t* nearer, const std::uint8_t* farther, int n, std::uint8_t* out);
};

// The kernels in use: the best that this processor runs, or what choose_kernels() named.
const Kernels& kernels();
// "auto", "plain", "vector", "avx2" or "avx512"; false where this build or processor lacks them.
bool choose_kernels(const char* name);

}  // namespace aig
