// Sixteen 32-bit integers in an AVX-512 register. Included by lossless/lanes.hpp only.
#pragma once
#include "lossless/lanes_narrow.hpp"

namespace aig {
namespace {

struct Lanes {
    __m512i v;
};
using Mask = Lanes;  // all bits of a lane or none

#define AIG_LANEWISE(name, intrinsic)                                                                                  \
    AIG_INLINE Lanes name(Lanes x, Lanes y) { return {intrinsic(x.v, y.v)}; }
AIG_LANEWISE(operator+, _mm512_add_epi32)
AIG_LANEWISE(operator-, _mm512_sub_epi32)
AIG_LANEWISE(operator*, _mm512_mullo_epi32)
AIG_LANEWISE(operator&, _mm512_and_si512)
AIG_LANEWISE(operator|, _mm512_or_si512)
AIG_LANEWISE(operator^, _mm512_xor_si512)
AIG_LANEWISE(min, _mm512_min_epi32)
AIG_LANEWISE(max, _mm512_max_epi32)
AIG_LANEWISE(shift_left, _mm512_sllv_epi32)
AIG_LANEWISE(shift_right_unsigned, _mm512_srlv_epi32)
#undef AIG_LANEWISE

AIG_INLINE Mask operator>(Lanes x, Lanes y) { return {_mm512_movm_epi32(_mm512_cmpgt_epi32_mask(x.v, y.v))}; }
AIG_INLINE Lanes all(int v) { return {_mm512_set1_epi32(v)}; }
template <int N> AIG_INLINE Lanes left(Lanes x) { return {_mm512_slli_epi32(x.v, N)}; }
template <int N> AIG_INLINE Lanes right(Lanes x) { return {_mm512_srai_epi32(x.v, N)}; }
template <int N> AIG_INLINE Lanes right_unsigned(Lanes x) { return {_mm512_srli_epi32(x.v, N)}; }
AIG_INLINE Lanes right(Lanes x, int n) { return {_mm512_sra_epi32(x.v, _mm_cvtsi32_si128(n))}; }
AIG_INLINE Lanes abs(Lanes x) { return {_mm512_abs_epi32(x.v)}; }
AIG_INLINE Lanes choose(Mask m, Lanes yes, Lanes no) { return {_mm512_ternarylogic_epi32(m.v, yes.v, no.v, 0xCA)}; }
AIG_INLINE unsigned bits_of(Mask m) { return _mm512_movepi32_mask(m.v); }
AIG_INLINE Mask mask_of(unsigned bits) { return {_mm512_movm_epi32(static_cast<__mmask16>(bits))}; }
AIG_INLINE Lanes load(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
AIG_INLINE void store(std::int32_t* p, Lanes x) { _mm512_storeu_si512(p, x.v); }
// log2(x) with N fractional bits, as with AVX2.
template <int N> AIG_INLINE Lanes log2_of(Lanes x) {
    return Lanes{_mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepi32_ps(x.v)), 23 - N)} - all(127 << N);
}
AIG_INLINE Lanes gather(const std::int32_t* table, Lanes i) { return {_mm512_i32gather_epi32(i.v, table, 4)}; }
AIG_INLINE std::uint32_t sum(Lanes x) { return static_cast<std::uint32_t>(_mm512_reduce_add_epi32(x.v)); }
// The low and high halves of 64-bit entries.
struct Halves {
    Lanes low, high;
};
AIG_INLINE Halves gather_pairs(const std::uint64_t* table, Lanes i) {
    const __m512i x = _mm512_i32gather_epi64(_mm512_castsi512_si256(i.v), table, 8);
    const __m512i y = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(i.v, 1), table, 8);
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
    return {{_mm512_permutex2var_epi32(x, even, y)}, {_mm512_permutex2var_epi32(x, odd, y)}};
}
// Lanes write in order, so where several share a cell the last one's value stays.
AIG_INLINE void scatter(std::int32_t* table, Lanes i, Lanes x, unsigned active) {
    _mm512_mask_i32scatter_epi32(table, static_cast<__mmask16>(active), i.v, x.v, 4);
}

AIG_INLINE Lanes widen(Narrow x) { return {_mm512_cvtepi16_epi32(x.v)}; }
AIG_INLINE void narrow(Lanes x, Narrow& out) { out.v = _mm512_cvtsepi32_epi16(x.v); }

// Sums of products of 16-bit features with coefficients by twos; their lanes lie in an order of their own.
struct PairSum {
    Lanes v;
};
AIG_INLINE PairSum no_pairs() { return {all(0)}; }
AIG_INLINE Lanes interleave(Narrow x, Narrow y) {
    return {_mm512_inserti64x4(_mm512_castsi256_si512(_mm256_unpacklo_epi16(x.v, y.v)), _mm256_unpackhi_epi16(x.v, y.v),
                               1)};
}
AIG_INLINE void add(PairSum& sum, Lanes pairs, std::int32_t coefficients) {
    sum.v = sum.v + Lanes{_mm512_madd_epi16(pairs.v, _mm512_set1_epi32(coefficients))};
}
AIG_INLINE Lanes in_order(PairSum sum) { return {_mm512_shuffle_i64x2(sum.v.v, sum.v.v, 0xD8)}; }
AIG_INLINE PairSum out_of_order(Lanes x) { return {{_mm512_shuffle_i64x2(x.v, x.v, 0xD8)}}; }

// States below 2^16 take a word each, in order of the lanes.
AIG_INLINE Lanes refill(Lanes x, const std::uint16_t*& words) {
    const __mmask16 low = _mm512_cmplt_epu32_mask(x.v, _mm512_set1_epi32(1 << 16));
    const __m512i next = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)));
    words += std::popcount(static_cast<unsigned>(low));
    return {_mm512_mask_or_epi32(x.v, low, _mm512_slli_epi32(x.v, 16), _mm512_maskz_expand_epi32(low, next))};
}
// Write the low words of some lanes in front of `next`, in order of the lanes; sixteen words there may change.
AIG_INLINE void emit(Lanes x, Mask which, std::uint16_t*& next) {
    const __mmask16 m = _mm512_movepi32_mask(which.v);
    const int n = std::popcount(static_cast<unsigned>(m));
    const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // The words come first; turned by their number, they come last.
    const __m512i words =
        _mm512_permutexvar_epi32(_mm512_add_epi32(order, _mm512_set1_epi32(n)), _mm512_maskz_compress_epi32(m, x.v));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(next - kLanes), _mm512_cvtepi32_epi16(words));
    next -= n;
}
// x / y rounded down, or one less, for unsigned x < 2^20 y and y <= 2^13: three roundings and a factor, which together
// make it less by no more than 7 / 2^24 of itself. Anything for y = 0.
AIG_INLINE Lanes quotient(Lanes x, Lanes y) {
    const __m512 q = _mm512_div_ps(_mm512_cvtepu32_ps(x.v), _mm512_cvtepi32_ps(y.v));
    return {_mm512_cvttps_epi32(_mm512_mul_ps(q, _mm512_set1_ps(kBelowOne)))};
}
// One word may be read behind the last.
AIG_INLINE Lanes gather(const std::uint16_t* table, Lanes i) {
    return Lanes{_mm512_i32gather_epi32(i.v, table, 2)} & all(0xFFFF);
}

// Sixteen floats, for the encoder's fit.
struct Floats {
    __m512 v;
};

#define AIG_LANEWISE(name, intrinsic)                                                                                  \
    AIG_INLINE Floats name(Floats x, Floats y) { return {intrinsic(x.v, y.v)}; }
AIG_LANEWISE(operator+, _mm512_add_ps)
AIG_LANEWISE(operator-, _mm512_sub_ps)
AIG_LANEWISE(operator*, _mm512_mul_ps)
AIG_LANEWISE(operator/, _mm512_div_ps)
#undef AIG_LANEWISE

AIG_INLINE Floats all_floats(float x) { return {_mm512_set1_ps(x)}; }
AIG_INLINE Floats floats(Lanes x) { return {_mm512_cvtepi32_ps(x.v)}; }
AIG_INLINE Floats abs(Floats x) { return {_mm512_abs_ps(x.v)}; }
AIG_INLINE Floats load(const float* p) { return {_mm512_loadu_ps(p)}; }
AIG_INLINE void store(float* p, Floats x) { _mm512_storeu_ps(p, x.v); }

}  // namespace
}  // namespace aig
