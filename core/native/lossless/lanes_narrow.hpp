// Sixteen 16-bit integers in an AVX2 register. Included by lossless/lanes.hpp only.
#pragma once
#include "entropy/alias.hpp"
#include "lossless/wavefront.hpp"

#include <bit>
#include <cstring>

#include <immintrin.h>

namespace aig {
namespace {

inline constexpr float kBelowOne = 1 - 1.0f / (1 << 22);

// Sixteen 16-bit integers, where those do.
struct Narrow {
    __m256i v;
};

#define AIG_NARROW(name, intrinsic)                                                                                    \
    AIG_INLINE Narrow name(Narrow x, Narrow y) { return {intrinsic(x.v, y.v)}; }
AIG_NARROW(operator+, _mm256_add_epi16)
AIG_NARROW(operator-, _mm256_sub_epi16)
AIG_NARROW(min, _mm256_min_epi16)
AIG_NARROW(max, _mm256_max_epi16)
#undef AIG_NARROW

AIG_INLINE Narrow abs(Narrow x) { return {_mm256_abs_epi16(x.v)}; }
template <int N> AIG_INLINE Narrow left(Narrow x) { return {_mm256_slli_epi16(x.v, N)}; }
AIG_INLINE Narrow right(Narrow x, int n) { return {_mm256_sra_epi16(x.v, _mm_cvtsi32_si128(n))}; }
AIG_INLINE Narrow choose(Narrow m, Narrow yes, Narrow no) { return {_mm256_blendv_epi8(no.v, yes.v, m.v)}; }
AIG_INLINE Narrow load(const std::int16_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
AIG_INLINE void store(std::int16_t* p, Narrow x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.v); }

}  // namespace
}  // namespace aig
