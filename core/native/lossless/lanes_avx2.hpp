// Sixteen 32-bit integers in two AVX2 registers. Included by lossless/lanes.hpp only.
#pragma once
#include "lossless/lanes_narrow.hpp"

namespace aig {
namespace {

struct Lanes {
    __m256i a, b;
};
using Mask = Lanes;  // all bits of a lane or none

#define AIG_LANEWISE(name, intrinsic)                                                                                  \
    AIG_INLINE Lanes name(Lanes x, Lanes y) { return {intrinsic(x.a, y.a), intrinsic(x.b, y.b)}; }
AIG_LANEWISE(operator+, _mm256_add_epi32)
AIG_LANEWISE(operator-, _mm256_sub_epi32)
AIG_LANEWISE(operator*, _mm256_mullo_epi32)
AIG_LANEWISE(operator&, _mm256_and_si256)
AIG_LANEWISE(operator|, _mm256_or_si256)
AIG_LANEWISE(operator^, _mm256_xor_si256)
AIG_LANEWISE(min, _mm256_min_epi32)
AIG_LANEWISE(max, _mm256_max_epi32)
AIG_LANEWISE(operator>, _mm256_cmpgt_epi32)
AIG_LANEWISE(shift_left, _mm256_sllv_epi32)
AIG_LANEWISE(shift_right_unsigned, _mm256_srlv_epi32)
#undef AIG_LANEWISE

AIG_INLINE Lanes all(int v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }
template <int N> AIG_INLINE Lanes left(Lanes x) { return {_mm256_slli_epi32(x.a, N), _mm256_slli_epi32(x.b, N)}; }
template <int N> AIG_INLINE Lanes right(Lanes x) { return {_mm256_srai_epi32(x.a, N), _mm256_srai_epi32(x.b, N)}; }
template <int N> AIG_INLINE Lanes right_unsigned(Lanes x) {
    return {_mm256_srli_epi32(x.a, N), _mm256_srli_epi32(x.b, N)};
}
AIG_INLINE Lanes right(Lanes x, int n) {
    const __m128i count = _mm_cvtsi32_si128(n);
    return {_mm256_sra_epi32(x.a, count), _mm256_sra_epi32(x.b, count)};
}
AIG_INLINE Lanes abs(Lanes x) { return {_mm256_abs_epi32(x.a), _mm256_abs_epi32(x.b)}; }
AIG_INLINE Lanes choose(Mask m, Lanes yes, Lanes no) {
    return {_mm256_blendv_epi8(no.a, yes.a, m.a), _mm256_blendv_epi8(no.b, yes.b, m.b)};
}
AIG_INLINE unsigned bits_of(Mask m) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(m.a))) |
           static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(m.b))) << 8;
}
AIG_INLINE Mask mask_of(unsigned bits) {
    const __m256i low = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128),
                  all_bits = _mm256_set1_epi32(static_cast<int>(bits));
    const __m256i high = _mm256_slli_epi32(low, 8);
    return {_mm256_cmpeq_epi32(_mm256_and_si256(all_bits, low), low),
            _mm256_cmpeq_epi32(_mm256_and_si256(all_bits, high), high)};
}
AIG_INLINE Lanes load(const std::int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
}
AIG_INLINE void store(std::int32_t* p, Lanes x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x.a);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), x.b);
}
// log2(x) with N fractional bits, linear between powers of two; 1 <= x < 2^24. The exponent and the first
// bits of the mantissa of a float are just that, and the conversion is exact.
template <int N> AIG_INLINE Lanes log2_of(Lanes x) {
    const auto f = [](__m256i v) { return _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(v)), 23 - N); };
    return Lanes{f(x.a), f(x.b)} - all(127 << N);
}
AIG_INLINE Lanes gather(const std::int32_t* table, Lanes i) {
    return {_mm256_i32gather_epi32(table, i.a, 4), _mm256_i32gather_epi32(table, i.b, 4)};
}
AIG_INLINE std::uint32_t sum(Lanes x) {
    const __m256i pairs = _mm256_hadd_epi32(_mm256_add_epi32(x.a, x.b), _mm256_setzero_si256());
    const __m256i quads = _mm256_hadd_epi32(pairs, _mm256_setzero_si256());
    return static_cast<std::uint32_t>(_mm256_extract_epi32(quads, 0) + _mm256_extract_epi32(quads, 4));
}
// Lanes write in order, so where several share a cell the last one's value stays.
AIG_INLINE void scatter(std::int32_t* table, const Lanes& i, const Lanes& x, unsigned active) {
    std::int32_t cells[kLanes], values[kLanes];
    store(cells, i);
    store(values, x);
    for (unsigned k = 0; k < kLanes; ++k)
        if (active >> k & 1) table[cells[k]] = values[k];
}
// The low and high halves of 64-bit entries.
struct Halves {
    Lanes low, high;
};
AIG_INLINE Halves gather_pairs(const std::uint64_t* table, Lanes i) {
    const auto* t = reinterpret_cast<const long long*>(table);
    const auto half = [t](__m256i v, __m256i& low, __m256i& high) {
        const __m256 x = _mm256_castsi256_ps(_mm256_i32gather_epi64(t, _mm256_castsi256_si128(v), 8));
        const __m256 y = _mm256_castsi256_ps(_mm256_i32gather_epi64(t, _mm256_extracti128_si256(v, 1), 8));
        low = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88)), 0xD8);
        high = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xDD)), 0xD8);
    };
    Halves h;
    half(i.a, h.low.a, h.high.a);
    half(i.b, h.low.b, h.high.b);
    return h;
}

AIG_INLINE Lanes widen(Narrow x) {
    return {_mm256_cvtepi16_epi32(_mm256_castsi256_si128(x.v)),
            _mm256_cvtepi16_epi32(_mm256_extracti128_si256(x.v, 1))};
}
AIG_INLINE void narrow(Lanes x, Narrow& out) { out.v = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xD8); }

// Sums of products of 16-bit features with coefficients by twos; their lanes lie in an order of their own.
struct PairSum {
    Lanes v;
};
AIG_INLINE PairSum no_pairs() { return {all(0)}; }
AIG_INLINE Lanes interleave(Narrow x, Narrow y) {
    return {_mm256_unpacklo_epi16(x.v, y.v), _mm256_unpackhi_epi16(x.v, y.v)};
}
AIG_INLINE void add(PairSum& sum, Lanes pairs, std::int32_t coefficients) {
    const __m256i c = _mm256_set1_epi32(coefficients);
    sum.v = sum.v + Lanes{_mm256_madd_epi16(pairs.a, c), _mm256_madd_epi16(pairs.b, c)};
}
AIG_INLINE Lanes in_order(PairSum sum) {
    return {_mm256_permute2x128_si256(sum.v.a, sum.v.b, 0x20), _mm256_permute2x128_si256(sum.v.a, sum.v.b, 0x31)};
}
AIG_INLINE PairSum out_of_order(Lanes x) {
    return {{_mm256_permute2x128_si256(x.a, x.b, 0x20), _mm256_permute2x128_si256(x.a, x.b, 0x31)}};
}

// For every set of lanes that need a word: which of the next words each takes.
struct WordOrder {
    std::uint64_t of[256];
    constexpr WordOrder() : of{} {
        for (unsigned m = 0; m < 256; ++m)
            for (unsigned k = 0, n = 0; k < 8; ++k)
                of[m] |= static_cast<std::uint64_t>(m >> k & 1 ? n++ : 0) << (8 * k);
    }
};
inline constexpr WordOrder kWordOrder;

// States below 2^16 take a word each, in order of the lanes.
AIG_INLINE Lanes refill(Lanes x, const std::uint16_t*& words) {
    const auto half = [&words](__m256i v) {
        const __m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(v, 16), _mm256_setzero_si256());
        const auto m = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(low)));
        const __m256i next = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(words)));
        const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(kWordOrder.of[m])));
        const __m256i mine = _mm256_permutevar8x32_epi32(next, order);
        words += std::popcount(m);
        return _mm256_blendv_epi8(v, _mm256_or_si256(_mm256_slli_epi32(v, 16), mine), low);
    };
    const __m256i a = half(x.a);
    return {a, half(x.b)};
}

// For every set of lanes whose words are to be written: the bytes that bring them, in order, to the end.
struct WordPacking {
    alignas(16) std::uint8_t of[256][16];
    constexpr WordPacking() : of{} {
        for (unsigned m = 0; m < 256; ++m) {
            int place = 16 - 2 * std::popcount(m);
            for (int i = 0; i < place; ++i) of[m][i] = 0x80;
            for (unsigned k = 0; k < 8; ++k)
                if (m >> k & 1)
                    of[m][place] = static_cast<std::uint8_t>(2 * k),
                    of[m][place + 1] = static_cast<std::uint8_t>(2 * k + 1), place += 2;
        }
    }
};
inline constexpr WordPacking kWordPacking;

// Write the low words of some lanes in front of `next`, in order of the lanes; eight words there may change.
AIG_INLINE void emit(Lanes x, Mask which, std::uint16_t*& next) {
    const auto half = [&next](__m256i v, __m256i mask) {
        const auto m = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(mask)));
        const __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xFFFF));
        const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
        const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(kWordPacking.of[m]));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(next - 8), _mm_shuffle_epi8(words, order));
        next -= std::popcount(m);
    };
    half(x.b, which.b);
    half(x.a, which.a);
}
// x / y rounded down, or one less, as with AVX-512. Both halves of x are exact as floats, and their sum is rounded
// once.
AIG_INLINE Lanes quotient(Lanes x, Lanes y) {
    const auto half = [](__m256i p, __m256i q) {
        const __m256 high = _mm256_cvtepi32_ps(_mm256_srli_epi32(p, 16)),
                     low = _mm256_cvtepi32_ps(_mm256_and_si256(p, _mm256_set1_epi32(0xFFFF))),
                     dividend = _mm256_add_ps(_mm256_mul_ps(high, _mm256_set1_ps(1 << 16)), low);
        return _mm256_cvttps_epi32(
            _mm256_mul_ps(_mm256_div_ps(dividend, _mm256_cvtepi32_ps(q)), _mm256_set1_ps(kBelowOne)));
    };
    return {half(x.a, y.a), half(x.b, y.b)};
}
// One word may be read behind the last.
AIG_INLINE Lanes gather(const std::uint16_t* table, Lanes i) {
    const auto half = [table](__m256i at) {
        return _mm256_and_si256(_mm256_i32gather_epi32(reinterpret_cast<const int*>(table), at, 2),
                                _mm256_set1_epi32(0xFFFF));
    };
    return {half(i.a), half(i.b)};
}

// Sixteen floats, for the encoder's fit.
struct Floats {
    __m256 a, b;
};

#define AIG_LANEWISE(name, intrinsic)                                                                                  \
    AIG_INLINE Floats name(Floats x, Floats y) { return {intrinsic(x.a, y.a), intrinsic(x.b, y.b)}; }
AIG_LANEWISE(operator+, _mm256_add_ps)
AIG_LANEWISE(operator-, _mm256_sub_ps)
AIG_LANEWISE(operator*, _mm256_mul_ps)
AIG_LANEWISE(operator/, _mm256_div_ps)
#undef AIG_LANEWISE

AIG_INLINE Floats all_floats(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
AIG_INLINE Floats floats(Lanes x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
AIG_INLINE Floats abs(Floats x) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
AIG_INLINE Floats load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
AIG_INLINE void store(float* p, Floats x) { _mm256_storeu_ps(p, x.a), _mm256_storeu_ps(p + 8, x.b); }

}  // namespace
}  // namespace aig
