// The choice of instruction set at run time, and the small kernels of the encoder's cost estimates. Kernels exist once
// in plain C++ and once per instruction set, all with the same results; the coders' own are in their folders. Includes
// nothing but integer types: the AVX2 unit must not instantiate code that others share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aig {

// `vector`: the compiler's vector extensions at its baseline.
enum class InstructionSet : std::uint8_t { plain, vector, avx2, avx512 };

struct Kernels {
    // 8x8 samples -> 64 coefficients, 16 x the orthonormal DCT; index 8 * horizontal + vertical frequency.
    void (*forward_block)(const std::uint8_t* samples, std::ptrdiff_t stride, std::int16_t* coefficients);
    // One row of n interleaved RGB pixels to planar YCbCr.
    void (*rgb_to_ycc)(const std::uint8_t* rgb, int n, std::uint8_t* y, std::uint8_t* cb, std::uint8_t* cr);
};

// The set in use: the best that this build and processor have, or what choose_kernels() was given.
InstructionSet instruction_set();
const char* name_of(InstructionSet set);
// "auto", "plain", "vector", "avx2" or "avx512"; false where this build or processor lacks them.
bool choose_kernels(const char* name);

// The kernels of the set in use.
const Kernels& kernels();

}  // namespace aig
