// Registers of AVX2 and of AVX-512, as far as the transforms need them, under names for both widths. Included by
// dct/transforms.inl only; internal linkage, since each unit is compiled for another processor.
#pragma once
#include "base/common.hpp"

#include <cstring>

#include <immintrin.h>

namespace aig {
namespace {

using i16 = std::int16_t;

// A register of 32-bit lanes or, where a name says 16, of twice as many of 16 bits.
struct V8 {
    static constexpr int kLanes = 8;
    __m256i v;

    AIG_INLINE static V8 all(int x) { return {_mm256_set1_epi32(x)}; }
    AIG_INLINE static V8 all(long long x) { return {_mm256_set1_epi64x(x)}; }
    AIG_INLINE static V8 all(__m128i x) { return {_mm256_broadcastsi128_si256(x)}; }
    AIG_INLINE static V8 load(const i16* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
    AIG_INLINE static V8 load(const i16* low, const i16* high) {
        return {_mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(high), reinterpret_cast<const __m128i*>(low))};
    }
    AIG_INLINE void store(i16* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
    AIG_INLINE void store(i16* low, i16* high) const {
        _mm256_storeu2_m128i(reinterpret_cast<__m128i*>(high), reinterpret_cast<__m128i*>(low), v);
    }
};
#define AIG_BINARY_8(name, intrinsic)                                                                                  \
    AIG_INLINE V8 name(V8 x, V8 y) { return {_mm256_##intrinsic(x.v, y.v)}; }
#define AIG_SHIFT_8(name, intrinsic)                                                                                   \
    template <int N> AIG_INLINE V8 name(V8 x) { return {_mm256_##intrinsic(x.v, N)}; }

#if defined(__AVX512BW__)
struct V16 {
    static constexpr int kLanes = 16;
    __m512i v;

    AIG_INLINE static V16 all(int x) { return {_mm512_set1_epi32(x)}; }
    AIG_INLINE static V16 all(long long x) { return {_mm512_set1_epi64(x)}; }
    AIG_INLINE static V16 all(__m128i x) { return {_mm512_broadcast_i32x4(x)}; }
    AIG_INLINE static V16 load(const i16* p) { return {_mm512_loadu_si512(p)}; }
    AIG_INLINE static V16 load(const i16* low, const i16* high) {
        return {_mm512_inserti64x4(_mm512_castsi256_si512(V8::load(low).v), V8::load(high).v, 1)};
    }
    AIG_INLINE void store(i16* p) const { _mm512_storeu_si512(p, v); }
    AIG_INLINE void store(i16* low, i16* high) const {
        V8{_mm512_castsi512_si256(v)}.store(low);
        V8{_mm512_extracti64x4_epi64(v, 1)}.store(high);
    }
};
using Widest = V16;
#define AIG_BINARY(name, intrinsic)                                                                                    \
    AIG_BINARY_8(name, intrinsic)                                                                                      \
    AIG_INLINE V16 name(V16 x, V16 y) { return {_mm512_##intrinsic(x.v, y.v)}; }
#define AIG_SHIFT(name, intrinsic)                                                                                     \
    AIG_SHIFT_8(name, intrinsic)                                                                                       \
    template <int N> AIG_INLINE V16 name(V16 x) { return {_mm512_##intrinsic(x.v, N)}; }
#else
using Widest = V8;
#define AIG_BINARY AIG_BINARY_8
#define AIG_SHIFT AIG_SHIFT_8
#endif

AIG_BINARY(operator+, add_epi32)
AIG_BINARY(operator-, sub_epi32)
AIG_BINARY(add16, add_epi16)
AIG_BINARY(sub16, sub_epi16)
AIG_BINARY(min16, min_epi16)
AIG_BINARY(max16, max_epi16)
AIG_BINARY(multiply_pairs, madd_epi16)
AIG_BINARY(multiply_rounded16, mulhrs_epi16)
AIG_SHIFT(right, srai_epi32)
AIG_SHIFT(right16, srai_epi16)
AIG_SHIFT(left, slli_epi32)
// These work on each 128 bits on their own: rows that went in as a whole come out in parts, which later ones put in
// order.
AIG_BINARY(narrow, packs_epi32)
AIG_BINARY(interleave_low, unpacklo_epi16)
AIG_BINARY(interleave_high, unpackhi_epi16)
AIG_BINARY(interleave_pairs_low, unpacklo_epi32)
AIG_BINARY(interleave_pairs_high, unpackhi_epi32)
AIG_BINARY(shuffle_bytes, shuffle_epi8)
#undef AIG_BINARY
#undef AIG_BINARY_8
#undef AIG_SHIFT
#undef AIG_SHIFT_8

AIG_INLINE V8 alternate16(V8 x, V8 y) { return {_mm256_blend_epi16(x.v, y.v, 0xAA)}; }
AIG_INLINE V8 swap_middle(V8 x) { return {_mm256_shuffle_epi32(x.v, 0xD8)}; }
AIG_INLINE bool any_above16(V8 x, short limit) {
    const __m256i over = _mm256_subs_epu16(x.v, _mm256_set1_epi16(limit));
    return !_mm256_testz_si256(over, over);
}
// Four numbers of either half to each 128 bits, and back.
AIG_INLINE V8 mix_halves(V8 x) { return {_mm256_permute4x64_epi64(x.v, 0xD8)}; }
AIG_INLINE V8 split_halves(V8 x) { return {_mm256_permute4x64_epi64(x.v, 0xD8)}; }
// The first parts of all 128 bits, then the last in reverse order; of one row by fours, or of two rows by twos.
AIG_INLINE V8 unfold_row(V8 x) { return {_mm256_permute4x64_epi64(x.v, 0x78)}; }
AIG_INLINE V8 unfold_rows(V8 x) {
    return {_mm256_permutevar8x32_epi32(x.v, _mm256_setr_epi32(0, 4, 5, 1, 2, 6, 7, 3))};
}

#if defined(__AVX512BW__)
AIG_INLINE V16 alternate16(V16 x, V16 y) { return {_mm512_mask_blend_epi16(0xAAAAAAAA, x.v, y.v)}; }
AIG_INLINE V16 swap_middle(V16 x) { return {_mm512_shuffle_epi32(x.v, _MM_PERM_DBCA)}; }
AIG_INLINE bool any_above16(V16 x, short limit) { return _mm512_cmpgt_epu16_mask(x.v, _mm512_set1_epi16(limit)) != 0; }
AIG_INLINE V16 mix_halves(V16 x) { return {_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), x.v)}; }
AIG_INLINE V16 unfold_row(V16 x) { return {_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 7, 5, 3, 1), x.v)}; }
AIG_INLINE V16 unfold_rows(V16 x) {
    return {_mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 13, 9, 5, 1, 2, 6, 10, 14, 15, 11, 7, 3), x.v)};
}
#endif

// Two or four numbers, everywhere the same.
template <class V> AIG_INLINE V pair(const i16* p) {
    int x;
    std::memcpy(&x, p, sizeof x);
    return V::all(x);
}
template <class V> AIG_INLINE V quad(const i16* p) {
    long long x;
    std::memcpy(&x, p, sizeof x);
    return V::all(x);
}

// Said to happen in this order, since GCC would otherwise compute all products first and run out of registers.
template <class V> AIG_INLINE void add_products(V& sum, V x, V y) {
    sum = sum + multiply_pairs(x, y);
#if defined(__GNUC__)
    asm("" : "+v"(sum.v));
#endif
}

}  // namespace
}  // namespace aig
