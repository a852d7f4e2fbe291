// Eight 32-bit integers side by side, and sums over 32 of 16 bits: what the mixed coder's loops are made of.
//
// One interface in two forms, which give the same bits. Everything here has internal linkage, since each unit that
// includes it is compiled for another instruction set.
#pragma once
#include "base/common.hpp"

#include <algorithm>
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace aig {
namespace {

// Of the inputs of a mixer, and of the features of a fit with their target.
inline constexpr int kWide = 32;

#ifdef __AVX2__

struct Octet {
    __m256i v;
};

AIG_INLINE Octet load(const std::int32_t* p) { return {_mm256_load_si256(reinterpret_cast<const __m256i*>(p))}; }
AIG_INLINE void store(std::int32_t* p, Octet x) { _mm256_store_si256(reinterpret_cast<__m256i*>(p), x.v); }
AIG_INLINE Octet all(std::int32_t x) { return {_mm256_set1_epi32(x)}; }
AIG_INLINE Octet operator+(Octet a, Octet b) { return {_mm256_add_epi32(a.v, b.v)}; }
AIG_INLINE Octet operator-(Octet a, Octet b) { return {_mm256_sub_epi32(a.v, b.v)}; }
AIG_INLINE Octet operator*(Octet a, Octet b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
AIG_INLINE Octet min(Octet a, Octet b) { return {_mm256_min_epi32(a.v, b.v)}; }
AIG_INLINE Octet max(Octet a, Octet b) { return {_mm256_max_epi32(a.v, b.v)}; }
AIG_INLINE Octet abs(Octet a) { return {_mm256_abs_epi32(a.v)}; }
template <int N> AIG_INLINE Octet right(Octet a) { return {_mm256_srai_epi32(a.v, N)}; }
AIG_INLINE Octet right(Octet a, int n) { return {_mm256_sra_epi32(a.v, _mm_cvtsi32_si128(n))}; }
AIG_INLINE Octet left(Octet a, int n) { return {_mm256_sll_epi32(a.v, _mm_cvtsi32_si128(n))}; }
AIG_INLINE Octet left(Octet a, Octet n) { return {_mm256_sllv_epi32(a.v, n.v)}; }
AIG_INLINE Octet right(Octet a, Octet n) { return {_mm256_srav_epi32(a.v, n.v)}; }
// The upper halves of the products.
AIG_INLINE Octet high_product(Octet a, Octet b) {
    const __m256i even = _mm256_srli_epi64(_mm256_mul_epi32(a.v, b.v), 32);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
    return {_mm256_blend_epi32(even, odd, 0xAA)};
}
// The same with one factor for all, of which the other's odd lanes have been moved to the even ones by odd_lanes().
AIG_INLINE Octet odd_lanes(Octet a) { return {_mm256_srli_epi64(a.v, 32)}; }
AIG_INLINE Octet high_product(std::int32_t a, Octet b, Octet odd_of_b) {
    const __m256i factor = _mm256_set1_epi32(a);
    const __m256i even = _mm256_srli_epi64(_mm256_mul_epi32(factor, b.v), 32);
    return {_mm256_blend_epi32(even, _mm256_mul_epi32(factor, odd_of_b.v), 0xAA)};
}
AIG_INLINE std::int32_t sum(Octet a) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(a.v), _mm256_extracti128_si256(a.v, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}
// table[i] of each lane, i = 0..15.
AIG_INLINE Octet lookup(const std::int32_t* table, Octet i) {
    const __m256i low = _mm256_permutevar8x32_epi32(load(table).v, i.v);
    const __m256i high = _mm256_permutevar8x32_epi32(load(table + 8).v, i.v);
    const __m256i upper = _mm256_slli_epi32(i.v, 28);  // bit 3 to the sign
    return {_mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), _mm256_castsi256_ps(upper)))};
}
AIG_INLINE Octet widen(const std::int16_t* p) {
    return {_mm256_cvtepi16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(p)))};
}
// With saturation.
AIG_INLINE void narrow(std::int16_t* p, Octet x) {
    const __m128i packed = _mm_packs_epi32(_mm256_castsi256_si128(x.v), _mm256_extracti128_si256(x.v, 1));
    _mm_store_si128(reinterpret_cast<__m128i*>(p), packed);
}
// a[0], b[0], a[1], b[1], .. of eight each.
AIG_INLINE void interleave(std::int16_t* out, const std::int16_t* a, const std::int16_t* b) {
    const __m128i x = _mm_load_si128(reinterpret_cast<const __m128i*>(a));
    const __m128i y = _mm_load_si128(reinterpret_cast<const __m128i*>(b));
    _mm_store_si128(reinterpret_cast<__m128i*>(out), _mm_unpacklo_epi16(x, y));
    _mm_store_si128(reinterpret_cast<__m128i*>(out) + 1, _mm_unpackhi_epi16(x, y));
}
// Of every lane, pairs[2 i] * pair[0] + pairs[2 i + 1] * pair[1].
AIG_INLINE Octet pair_products(const std::int16_t* pairs, const std::int16_t* pair) {
    std::int32_t both;
    __builtin_memcpy(&both, pair, sizeof both);
    return {_mm256_madd_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(pairs)), _mm256_set1_epi32(both))};
}

AIG_INLINE __m256i half(const std::int16_t* p, int k) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p) + k);
}
// Sum of a[i] * b[i] over kWide.
AIG_INLINE std::int32_t dot(const std::int16_t* a, const std::int16_t* b) {
    return sum(
        {_mm256_add_epi32(_mm256_madd_epi16(half(a, 0), half(b, 0)), _mm256_madd_epi16(half(a, 1), half(b, 1)))});
}
// Sum of x[i] * (a[i] + b[i] + c[i]), these sums saturated.
AIG_INLINE std::int32_t dot(const std::int16_t* x, const std::int16_t* a, const std::int16_t* b,
                            const std::int16_t* c) {
    const auto part = [&](int k) {
        const __m256i weights = _mm256_adds_epi16(_mm256_adds_epi16(half(a, k), half(b, k)), half(c, k));
        return _mm256_madd_epi16(half(x, k), weights);
    };
    return sum({_mm256_add_epi32(part(0), part(1))});
}
// w[i] += (x[i] * step + 2^14) >> 15, saturated, for three w at once.
AIG_INLINE void learn(const std::int16_t* x, int step, std::int16_t* a, std::int16_t* b, std::int16_t* c) {
    const __m256i by = _mm256_set1_epi16(static_cast<std::int16_t>(step));
    for (int k = 0; k < 2; ++k) {
        const __m256i change = _mm256_mulhrs_epi16(half(x, k), by);
        for (std::int16_t* w : {a, b, c})
            _mm256_store_si256(reinterpret_cast<__m256i*>(w) + k, _mm256_adds_epi16(half(w, k), change));
    }
}
AIG_INLINE std::int32_t largest(const std::int16_t* x) {
    const __m256i both = _mm256_max_epi16(_mm256_abs_epi16(half(x, 0)), _mm256_abs_epi16(half(x, 1)));
    const __m128i eight = _mm_max_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    return 0xFFFF - _mm_extract_epi16(_mm_minpos_epu16(_mm_sub_epi16(_mm_set1_epi16(-1), eight)), 0);
}

#else

struct Octet {
    std::int32_t v[8];
};

template <class F> AIG_INLINE Octet each(F f) {
    Octet out;
    for (int i = 0; i < 8; ++i) out.v[i] = f(i);
    return out;
}
AIG_INLINE Octet load(const std::int32_t* p) {
    return each([&](int i) { return p[i]; });
}
AIG_INLINE void store(std::int32_t* p, const Octet& x) {
    for (int i = 0; i < 8; ++i) p[i] = x.v[i];
}
AIG_INLINE Octet all(std::int32_t x) {
    return each([&](int) { return x; });
}
AIG_INLINE Octet operator+(const Octet& a, const Octet& b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
}
AIG_INLINE Octet operator-(const Octet& a, const Octet& b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
}
AIG_INLINE Octet operator*(const Octet& a, const Octet& b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
}
AIG_INLINE Octet min(const Octet& a, const Octet& b) {
    return each([&](int i) { return std::min(a.v[i], b.v[i]); });
}
AIG_INLINE Octet max(const Octet& a, const Octet& b) {
    return each([&](int i) { return std::max(a.v[i], b.v[i]); });
}
AIG_INLINE Octet abs(const Octet& a) {
    return each([&](int i) { return abs_int(a.v[i]); });
}
template <int N> AIG_INLINE Octet right(const Octet& a) {
    return each([&](int i) { return a.v[i] >> N; });
}
AIG_INLINE Octet right(const Octet& a, int n) {
    return each([&](int i) { return a.v[i] >> n; });
}
AIG_INLINE Octet left(const Octet& a, int n) {
    return each([&](int i) { return a.v[i] << n; });
}
AIG_INLINE Octet left(const Octet& a, const Octet& n) {
    return each([&](int i) { return a.v[i] << n.v[i]; });
}
AIG_INLINE Octet right(const Octet& a, const Octet& n) {
    return each([&](int i) { return a.v[i] >> n.v[i]; });
}
AIG_INLINE Octet high_product(const Octet& a, const Octet& b) {
    return each([&](int i) { return static_cast<std::int32_t>(std::int64_t{a.v[i]} * b.v[i] >> 32); });
}
AIG_INLINE Octet odd_lanes(const Octet& a) { return a; }
AIG_INLINE Octet high_product(std::int32_t a, const Octet& b, const Octet&) { return high_product(all(a), b); }
AIG_INLINE std::int32_t sum(const Octet& a) {
    std::int32_t total = 0;
    for (int i = 0; i < 8; ++i) total += a.v[i];
    return total;
}
AIG_INLINE Octet lookup(const std::int32_t* table, const Octet& at) {
    return each([&](int i) { return table[at.v[i] & 15]; });
}
AIG_INLINE Octet widen(const std::int16_t* p) {
    return each([&](int i) { return std::int32_t{p[i]}; });
}
AIG_INLINE void narrow(std::int16_t* p, const Octet& x) {
    for (int i = 0; i < 8; ++i) p[i] = static_cast<std::int16_t>(clamp_int(x.v[i], -32768, 32767));
}
AIG_INLINE void interleave(std::int16_t* out, const std::int16_t* a, const std::int16_t* b) {
    for (int i = 0; i < 8; ++i) out[2 * i] = a[i], out[2 * i + 1] = b[i];
}
AIG_INLINE Octet pair_products(const std::int16_t* pairs, const std::int16_t* pair) {
    return each([&](int i) { return pairs[2 * i] * pair[0] + pairs[2 * i + 1] * pair[1]; });
}
AIG_INLINE std::int32_t dot(const std::int16_t* a, const std::int16_t* b) {
    std::int32_t total = 0;
    for (int i = 0; i < kWide; ++i) total += a[i] * b[i];
    return total;
}
AIG_INLINE std::int16_t saturated(int x) { return static_cast<std::int16_t>(clamp_int(x, -32768, 32767)); }
AIG_INLINE std::int32_t dot(const std::int16_t* x, const std::int16_t* a, const std::int16_t* b,
                            const std::int16_t* c) {
    std::int32_t total = 0;
    for (int i = 0; i < kWide; ++i) total += x[i] * saturated(saturated(a[i] + b[i]) + c[i]);
    return total;
}
AIG_INLINE void learn(const std::int16_t* x, int step, std::int16_t* a, std::int16_t* b, std::int16_t* c) {
    for (int i = 0; i < kWide; ++i) {
        const int change = (x[i] * step + (1 << 14)) >> 15;
        for (std::int16_t* w : {a, b, c}) w[i] = saturated(w[i] + change);
    }
}
AIG_INLINE std::int32_t largest(const std::int16_t* x) {
    std::int32_t most = 0;
    for (int i = 0; i < kWide; ++i) most = std::max(most, abs_int(x[i]));
    return most;
}

#endif

AIG_INLINE Octet clamp(const Octet& x, const Octet& low, const Octet& high) { return min(max(x, low), high); }

}  // namespace
}  // namespace aig
