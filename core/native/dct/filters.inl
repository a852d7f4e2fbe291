// Body of dct/filters.hpp, included by one unit per instruction set. Everything is in an anonymous namespace: each unit
// is compiled for another processor, and the linker must not merge their code.
//
// Loops are written so that compilers make vectors of them. What they do badly, interleaved pixels and sums of products
// of 16-bit numbers, has a second form for AVX2.
#include "dct/filters.hpp"

#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace aig {
namespace {

using i16 = std::int16_t;
using i32 = std::int32_t;
using u8 = std::uint8_t;

constexpr i16 kLowest = -2048, kHighest = 2047;

// Marks values that fit 16 bits, for which the compiler can use twice as many lanes.
inline i16 narrow(i32 v) { return static_cast<i16>(v); }
inline i16 least(i16 a, i16 b) { return a < b ? a : b; }
inline i16 greatest(i16 a, i16 b) { return a > b ? a : b; }
inline i16 clip(i16 v, i16 low, i16 high) { return least(greatest(v, low), high); }
inline i16 magnitude(i16 v) { return narrow(v < 0 ? -v : v); }
// a * b / 2^15, rounded: an instruction of many processors, which compilers recognise in this form.
inline i16 scaled(i16 a, i16 b) { return narrow(((a * b >> 14) + 1) >> 1); }

// ITU-R BT.601 with full range (JFIF): from RGB in 1/16384, to RGB in 1/32768 and without the whole part.
struct Weights {
    i16 r, g, b;
};
constexpr Weights kLuma{4899, 9617, 1868}, kBlueDifference{-2765, -5427, 8192}, kRedDifference{8192, -6860, -1332};
constexpr i16 kRedOfRed = 13173, kGreenOfBlue = 11277, kGreenOfRed = 23401, kBlueOfBlue = 25297;
constexpr i32 kLumaOffset = 512 - (2048 << 10);
constexpr i16 kGreyOffset = 2048 + 8;  // from the centre to black, and for rounding

inline i32 weighted(const Weights& w, i32 r, i32 g, i32 b) { return w.r * r + w.g * g + w.b * b; }
inline i16 luma_of(const u8* p) { return narrow((weighted(kLuma, p[0], p[1], p[2]) + kLumaOffset) >> 10); }
// A sample with kGreyOffset to a byte.
inline u8 byte_of(i32 v) { return static_cast<u8>(clip(narrow(narrow(v) >> 4), 0, 255)); }

#if defined(__AVX2__)
inline __m128i load_8(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void store_8(void* p, __m128i v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }
inline __m256i load_16(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void store_16(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
inline __m256i all(i16 v) { return _mm256_set1_epi16(v); }

// Two lanes of 128 bits, from and to places that lie `apart` bytes or samples apart.
inline __m256i two_lanes(__m128i a, __m128i b) { return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1); }
template <class T> inline __m256i load_lanes(const T* p, std::ptrdiff_t apart) {
    return two_lanes(load_8(p), load_8(p + apart));
}
template <class T> inline void store_lanes(T* p, std::ptrdiff_t apart, __m256i v) {
    store_8(p, _mm256_castsi256_si128(v));
    store_8(p + apart, _mm256_extracti128_si256(v, 1));
}

// Covers 0..n by blocks, of which the last may overlap the one before it; false where n is less than a block.
template <int Block, class F> inline bool for_blocks(int n, F f) {
    if (n < Block) return false;
    for (int i = 0; i < n - Block; i += Block) f(i);
    f(n - Block);
    return true;
}

// Four pixels per lane: pairs of red and green, and blue.
struct Pixels {
    __m256i rg, b;
};

inline Pixels operator+(Pixels p, Pixels q) { return {_mm256_add_epi16(p.rg, q.rg), _mm256_add_epi16(p.b, q.b)}; }

// Sixteen pixels, the lanes 24 bytes apart so that packing two registers leaves pixels in their order. The second
// register begins four bytes early, so as to read nothing behind the last pixel.
struct Row {
    Pixels p, q;

    explicit Row(const u8* rgb) : p(pixels(rgb, 0)), q(pixels(rgb + 8, 4)) {}

  private:
    static Pixels pixels(const u8* from, char skip) {
        const __m128i rg = _mm_setr_epi8(0, -128, 1, -128, 3, -128, 4, -128, 6, -128, 7, -128, 9, -128, 10, -128);
        const __m128i b =
            _mm_setr_epi8(2, -128, -128, -128, 5, -128, -128, -128, 8, -128, -128, -128, 11, -128, -128, -128);
        const __m256i bytes = load_lanes(from, 24);
        const auto chosen = [=](__m128i order) {
            return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(_mm_add_epi8(order, _mm_set1_epi8(skip))));
        };
        return {chosen(rg), chosen(b)};
    }
};

inline __m256i weighted(const Weights& w, Pixels p, i32 offset) {
    const __m256i rg = _mm256_madd_epi16(p.rg, _mm256_set1_epi32((w.r & 0xFFFF) | w.g * 65536));
    return _mm256_add_epi32(_mm256_add_epi32(rg, _mm256_madd_epi16(p.b, _mm256_set1_epi32(w.b))),
                            _mm256_set1_epi32(offset));
}
inline __m256i weighted(const Weights& w, const Row& row, i32 offset) {
    return _mm256_packs_epi32(_mm256_srai_epi32(weighted(w, row.p, offset), 10),
                              _mm256_srai_epi32(weighted(w, row.q, offset), 10));
}

// One of any two neighbouring pixels.
template <int Which> inline Pixels every_other(Pixels p, Pixels q) {
    const auto chosen = [](__m256i a, __m256i b) {
        return _mm256_castps_si256(
            _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), Which ? 0xDD : 0x88));
    };
    return {chosen(p.rg, q.rg), chosen(p.b, q.b)};
}
#endif

void rgb_to_planes(const u8* rgb, int n, i16* y, i16* cb, i16* cr) {
#if defined(__AVX2__)
    const bool done = for_blocks<16>(n, [=](int i) {
        const Row row(rgb + 3 * i);
        store_16(y + i, weighted(kLuma, row, kLumaOffset));
        store_16(cb + i, _mm256_min_epi16(weighted(kBlueDifference, row, 512), all(kHighest)));
        store_16(cr + i, _mm256_min_epi16(weighted(kRedDifference, row, 512), all(kHighest)));
    });
    if (done) return;
#endif
    for (int i = 0; i < n; ++i) {
        const u8* p = rgb + 3 * i;
        y[i] = luma_of(p);
        cb[i] = least(narrow((weighted(kBlueDifference, p[0], p[1], p[2]) + 512) >> 10), kHighest);
        cr[i] = least(narrow((weighted(kRedDifference, p[0], p[1], p[2]) + 512) >> 10), kHighest);
    }
}

void rgb_rows_to_planes(const u8* rgb0, const u8* rgb1, int n, i16* y0, i16* y1, i16* cb, i16* cr) {
    int i = 0;
#if defined(__AVX2__)
    const int even = n & ~1;
    const bool done = for_blocks<16>(even, [=](int x) {
        const Row upper(rgb0 + 3 * x), lower(rgb1 + 3 * x);
        store_16(y0 + x, weighted(kLuma, upper, kLumaOffset));
        store_16(y1 + x, weighted(kLuma, lower, kLumaOffset));
        const Pixels p = upper.p + lower.p, q = upper.q + lower.q, sums = every_other<0>(p, q) + every_other<1>(p, q);
        const auto put = [=](i16* out, const Weights& w) {
            const __m256i v = _mm256_srai_epi32(weighted(w, sums, 2048), 12);
            const __m128i narrowed = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
            store_8(out + x / 2, _mm_min_epi16(narrowed, _mm_set1_epi16(kHighest)));
        };
        put(cb, kBlueDifference);
        put(cr, kRedDifference);
    });
    if (done) i = even;
#endif
    for (; i < n; i += 2) {
        const int left = 3 * i, right = i + 1 < n ? left + 3 : left;
        y0[i] = luma_of(rgb0 + left), y1[i] = luma_of(rgb1 + left);
        if (right > left) y0[i + 1] = luma_of(rgb0 + right), y1[i + 1] = luma_of(rgb1 + right);
        const auto sum = [=](int c) { return rgb0[left + c] + rgb0[right + c] + rgb1[left + c] + rgb1[right + c]; };
        const i32 r = sum(0), g = sum(1), b = sum(2);
        cb[i / 2] = least(narrow((weighted(kBlueDifference, r, g, b) + 2048) >> 12), kHighest);
        cr[i / 2] = least(narrow((weighted(kRedDifference, r, g, b) + 2048) >> 12), kHighest);
    }
}

void grey_to_plane(const u8* __restrict grey, int n, i16* __restrict y) {
    for (int i = 0; i < n; ++i) y[i] = narrow(16 * grey[i] - 2048);
}

void upsample(const i16* __restrict nearer, const i16* __restrict farther, int n, i16* __restrict out) {
    const auto column = [=](int i) { return narrow(3 * nearer[i] + farther[i]); };
    const auto put = [=](int i, i16 before, i16 here, i16 after) {
        out[2 * i] = narrow(narrow(3 * here + before + 8) >> 4);
        out[2 * i + 1] = narrow(narrow(3 * here + after + 8) >> 4);
    };
    if (n == 1) return put(0, column(0), column(0), column(0));
    put(0, column(0), column(0), column(1));
    for (int i = 1; i < n - 1; ++i) put(i, column(i - 1), column(i), column(i + 1));
    put(n - 1, column(n - 2), column(n - 1), column(n - 1));
}

#if defined(__AVX2__)
// 32 pixels.
template <int Channels> inline void put_pixels(__m256i r, __m256i g, __m256i b, u8* out) {
    if constexpr (Channels == 3) {
        // Byte i of a lane goes to byte 3i, 3i + 1 or 3i + 2 of 48: modulo 16 that is a permutation, and from which
        // colour a byte of the three results comes repeats with every third.
        const auto all_lanes = [](__m128i v) { return _mm256_broadcastsi128_si256(v); };
        r = _mm256_shuffle_epi8(r, all_lanes(_mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5)));
        g = _mm256_shuffle_epi8(g, all_lanes(_mm_setr_epi8(5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10)));
        b = _mm256_shuffle_epi8(b, all_lanes(_mm_setr_epi8(10, 5, 0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15)));
        const __m256i first = all_lanes(_mm_setr_epi8(-1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1));
        const __m256i second = all_lanes(_mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0));
        const auto put = [=](u8* p, __m256i x, __m256i y, __m256i z) {
            store_lanes(p, 48, _mm256_blendv_epi8(_mm256_blendv_epi8(z, y, second), x, first));
        };
        put(out, r, g, b);
        put(out + 16, g, b, r);
        put(out + 32, b, r, g);
    } else {
        const __m256i fourth = _mm256_slli_epi32(_mm256_set1_epi32(255), 24), zero = _mm256_setzero_si256();
        const auto put = [=](u8* p, __m256i v) {
            store_lanes(p, 64, _mm256_or_si256(v, _mm256_and_si256(load_lanes(p, 64), fourth)));
        };
        const __m256i low_rg = _mm256_unpacklo_epi8(r, g), high_rg = _mm256_unpackhi_epi8(r, g);
        const __m256i low_b = _mm256_unpacklo_epi8(b, zero), high_b = _mm256_unpackhi_epi8(b, zero);
        put(out, _mm256_unpacklo_epi16(low_rg, low_b));
        put(out + 16, _mm256_unpackhi_epi16(low_rg, low_b));
        put(out + 32, _mm256_unpacklo_epi16(high_rg, high_b));
        put(out + 48, _mm256_unpackhi_epi16(high_rg, high_b));
    }
}
#endif

template <int Channels> void planes_to_rgb(const i16* y, const i16* cb, const i16* cr, int n, u8* out) {
#if defined(__AVX2__)
    const bool done = for_blocks<32>(n, [=](int start) {
        __m256i red[2], green[2], blue[2];
        for (int k = 0; k < 2; ++k) {
            const int i = start + 16 * k;
            const __m256i l = _mm256_add_epi16(load_16(y + i), all(kGreyOffset)), b = load_16(cb + i),
                          r = load_16(cr + i);
            const auto part = [](__m256i v, i16 factor) { return _mm256_mulhrs_epi16(v, all(factor)); };
            red[k] = _mm256_srai_epi16(_mm256_add_epi16(_mm256_add_epi16(l, r), part(r, kRedOfRed)), 4);
            green[k] = _mm256_srai_epi16(
                _mm256_sub_epi16(_mm256_sub_epi16(l, part(b, kGreenOfBlue)), part(r, kGreenOfRed)), 4);
            blue[k] = _mm256_srai_epi16(_mm256_add_epi16(_mm256_add_epi16(l, b), part(b, kBlueOfBlue)), 4);
        }
        const auto bytes = [](const __m256i* v) {
            return _mm256_permute4x64_epi64(_mm256_packus_epi16(v[0], v[1]), 0xD8);
        };
        put_pixels<Channels>(bytes(red), bytes(green), bytes(blue), out + Channels * start);
    });
    if (done) return;
#endif
    // In pieces through planar buffers: the arithmetic becomes vectors even where the interleaving does not.
    constexpr int kPiece = 64;
    u8 red[kPiece], green[kPiece], blue[kPiece];
    for (int start = 0; start < n; start += kPiece) {
        const int count = n - start < kPiece ? n - start : kPiece;
        for (int i = 0; i < count; ++i) {
            const i16 l = narrow(y[start + i] + kGreyOffset), b = cb[start + i], r = cr[start + i];
            red[i] = byte_of(l + r + scaled(r, kRedOfRed));
            green[i] = byte_of(l - scaled(b, kGreenOfBlue) - scaled(r, kGreenOfRed));
            blue[i] = byte_of(l + b + scaled(b, kBlueOfBlue));
        }
        u8* piece = out + Channels * start;
        for (int i = 0; i < count; ++i) {
            piece[Channels * i] = red[i];
            piece[Channels * i + 1] = green[i];
            piece[Channels * i + 2] = blue[i];
        }
    }
}

void planes_to_rgb(const i16* y, const i16* cb, const i16* cr, int n, int channels, u8* out) {
    (channels == 3 ? planes_to_rgb<3> : planes_to_rgb<4>)(y, cb, cr, n, out);
}

void plane_to_grey(const i16* __restrict y, int n, int channels, u8* __restrict out) {
    if (channels == 1) {
        for (int i = 0; i < n; ++i) out[i] = byte_of(y[i] + kGreyOffset);
    } else {
        for (int i = 0; i < n; ++i) out[channels * i] = byte_of(y[i] + kGreyOffset);
    }
}

// Eight lines of two samples before an edge and two behind it.
inline void smooth(const i16* __restrict p1, i16* __restrict p0, i16* __restrict q0, const i16* __restrict q1,
                   EdgeLimits limits) {
    const i16 lowest_change = narrow(-limits.change);
    for (int i = 0; i < 8; ++i) {
        const i16 d = narrow(q0[i] - p0[i]),
                  slope = greatest(magnitude(narrow(p1[i] - p0[i])), magnitude(narrow(q1[i] - q0[i])));
        const bool flat = (magnitude(d) < limits.step) & (slope < limits.slope);
        // A third of 9 d - 3 (q1 - p1), and with (v + v / 2 + 4) / 8 three sixteenths of that: it never leaves 16 bits.
        const i16 v = narrow(3 * d - (q1[i] - p1[i]));
        const i16 wanted = clip(narrow(narrow(v + (v >> 1) + 4) >> 3), lowest_change, limits.change),
                  e = flat ? wanted : i16{0};
        p0[i] = clip(narrow(p0[i] + e), kLowest, kHighest);
        q0[i] = clip(narrow(q0[i] - e), kLowest, kHighest);
    }
}

void smooth_horizontal_edge(i16* samples, std::ptrdiff_t stride, EdgeLimits limits) {
    smooth(samples - 2 * stride, samples - stride, samples, samples + stride, limits);
}

void smooth_vertical_edge(i16* samples, std::ptrdiff_t stride, EdgeLimits limits) {
    alignas(16) i16 columns[4][8];
#if defined(__AVX2__)
    const auto row = [=](int y) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(samples + y * stride - 2)); };
    const __m128i rows_01 = _mm_unpacklo_epi16(row(0), row(1)), rows_23 = _mm_unpacklo_epi16(row(2), row(3));
    const __m128i rows_45 = _mm_unpacklo_epi16(row(4), row(5)), rows_67 = _mm_unpacklo_epi16(row(6), row(7));
    const __m128i p_03 = _mm_unpacklo_epi32(rows_01, rows_23), q_03 = _mm_unpackhi_epi32(rows_01, rows_23);
    const __m128i p_47 = _mm_unpacklo_epi32(rows_45, rows_67), q_47 = _mm_unpackhi_epi32(rows_45, rows_67);
    store_8(columns[0], _mm_unpacklo_epi64(p_03, p_47));
    store_8(columns[1], _mm_unpackhi_epi64(p_03, p_47));
    store_8(columns[2], _mm_unpacklo_epi64(q_03, q_47));
    store_8(columns[3], _mm_unpackhi_epi64(q_03, q_47));
    smooth(columns[0], columns[1], columns[2], columns[3], limits);
    const __m128i p0 = load_8(columns[1]), q0 = load_8(columns[2]);
    __m128i pairs[2] = {_mm_unpacklo_epi16(p0, q0), _mm_unpackhi_epi16(p0, q0)};
    for (int y = 0; y < 8; ++y) {
        const i32 pair = _mm_cvtsi128_si32(pairs[y / 4]);
        std::memcpy(samples + y * stride - 1, &pair, sizeof pair);
        pairs[y / 4] = _mm_srli_si128(pairs[y / 4], 4);
    }
#else
    for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 4; ++x) columns[x][y] = samples[y * stride + x - 2];
    smooth(columns[0], columns[1], columns[2], columns[3], limits);
    for (int y = 0; y < 8; ++y) {
        samples[y * stride - 1] = columns[1][y];
        samples[y * stride] = columns[2][y];
    }
#endif
}

// The neighbours on one side that the filter's taps belong to; the others lie opposite.
struct Offsets {
    std::ptrdiff_t of[kRestorationTaps];

    explicit Offsets(std::ptrdiff_t stride) : of{1, stride, stride + 1, stride - 1, 2, 2 * stride} {}
};

#if !defined(__AVX2__)

void restore_cell(const i16* in, std::ptrdiff_t stride, const i16* taps, i16* __restrict out,
                  std::ptrdiff_t out_stride) {
    const Offsets offsets(stride);
    for (int y = 0; y < 8; ++y, in += stride, out += out_stride)
        for (int x = 0; x < 8; ++x) {
            const i16* here = in + x;
            i32 sum = 32;
            for (int u = 0; u < kRestorationTaps; ++u) {
                const std::ptrdiff_t o = offsets.of[u];
                sum += taps[u] * narrow(here[o] + here[-o] - 2 * *here);
            }
            const i32 v = *here + (sum >> 6);
            out[x] = narrow(v < kLowest ? kLowest : v > kHighest ? kHighest : v);
        }
}

void restore_cells(const i16* in, std::ptrdiff_t stride, const i16* const* taps, int cells, i16* out,
                   std::ptrdiff_t out_stride) {
    for (int i = 0; i < cells; ++i) restore_cell(in + 8 * i, stride, taps[i], out + 8 * i, out_stride);
}

void restoration_statistics(const i16* in, std::ptrdiff_t stride, const i16* original, std::ptrdiff_t original_stride,
                            std::int64_t* sums) {
    const Offsets offsets(stride);
    constexpr int kCount = 24;  // samples of rows 0, 3 and 6
    i16 inputs[kRestorationTaps + 1][kCount];
    for (int i = 0; i < kCount; i += 8, in += 3 * stride, original += 3 * original_stride) {
        for (int u = 0; u < kRestorationTaps; ++u) {
            const std::ptrdiff_t o = offsets.of[u];
            for (int x = 0; x < 8; ++x) inputs[u][i + x] = narrow(in[x + o] + in[x - o] - 2 * in[x]);
        }
        for (int x = 0; x < 8; ++x) inputs[kRestorationTaps][i + x] = narrow(original[x] - in[x]);
    }
    const auto product = [&](int u, int v) {
        i32 sum = 0;  // inputs are at most 8190, so their products fit
        for (int i = 0; i < kCount; ++i) sum += inputs[u][i] * inputs[v][i];
        return sum;
    };
    for (int u = 0; u < kRestorationTaps; ++u)
        for (int v = u; v < kRestorationTaps; ++v) *sums++ += product(u, v);
    for (int u = 0; u < kRestorationTaps; ++u) *sums++ += product(u, kRestorationTaps);
}

#else

// The filter as sums of products of pairs: of six sums of opposite neighbours, and of the sample itself with 1, whose
// weights gather what the taps subtract, the sample and the rounding.
inline __m128i weights_of(const i16* taps) {
    i32 pairs[3], sum = 0;
    std::memcpy(pairs, taps, sizeof pairs);
    for (int u = 0; u < kRestorationTaps; ++u) sum += taps[u];
    return _mm_setr_epi32(pairs[0], pairs[1], pairs[2], ((64 - 2 * sum) & 0xFFFF) | 32 << 16);
}

// Sixteen samples, each lane of which has its own weights: two rows of a cell, or a row of two cells.
struct Filter {
    Offsets offsets;
    __m256i pairs[4];

    Filter(std::ptrdiff_t stride, __m256i weights)
        : offsets(stride), pairs{_mm256_shuffle_epi32(weights, 0x00), _mm256_shuffle_epi32(weights, 0x55),
                                 _mm256_shuffle_epi32(weights, 0xAA), _mm256_shuffle_epi32(weights, 0xFF)} {}

    template <class Load> __m256i restored(const i16* p, Load load) const {
        const __m256i here = load(p), one = _mm256_set1_epi16(1);
        __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(here, one), pairs[3]);
        __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(here, one), pairs[3]);
        for (int k = 0; k < 3; ++k) {
            const std::ptrdiff_t a = offsets.of[2 * k], b = offsets.of[2 * k + 1];
            const __m256i first = _mm256_add_epi16(load(p + a), load(p - a)),
                          second = _mm256_add_epi16(load(p + b), load(p - b));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(first, second), pairs[k]));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(first, second), pairs[k]));
        }
        // Saturation to 16 bits, four of them a fraction, is the clipping of samples.
        return _mm256_srai_epi16(_mm256_packs_epi32(_mm256_srai_epi32(low, 2), _mm256_srai_epi32(high, 2)), 4);
    }
};

void restore_cell(const i16* in, std::ptrdiff_t stride, const i16* taps, i16* out, std::ptrdiff_t out_stride) {
    const Filter filter(stride, _mm256_broadcastsi128_si256(weights_of(taps)));
    const auto rows = [=](const i16* p) { return load_lanes(p, stride); };
    for (int y = 0; y < 8; y += 2)
        store_lanes(out + y * out_stride, out_stride, filter.restored(in + y * stride, rows));
}

void restore_cells(const i16* in, std::ptrdiff_t stride, const i16* const* taps, int cells, i16* out,
                   std::ptrdiff_t out_stride) {
    for (; cells > 1; cells -= 2, taps += 2, in += 16, out += 16) {
        const Filter filter(stride, two_lanes(weights_of(taps[0]), weights_of(taps[1])));
        for (int y = 0; y < 8; ++y) store_16(out + y * out_stride, filter.restored(in + y * stride, load_16));
    }
    if (cells) restore_cell(in, stride, *taps, out, out_stride);
}

void restoration_statistics(const i16* in, std::ptrdiff_t stride, const i16* original, std::ptrdiff_t original_stride,
                            std::int64_t* sums) {
    const Offsets offsets(stride);
    __m256i inputs[kRestorationTaps + 1][2];
    for (int part = 0; part < 2; ++part) {
        // Rows 0 and 3, then row 6 and none.
        const auto rows = [=](const i16* p, std::ptrdiff_t s) {
            return part ? _mm256_zextsi128_si256(load_8(p + 6 * s)) : load_lanes(p, 3 * s);
        };
        const __m256i here = rows(in, stride);
        for (int u = 0; u < kRestorationTaps; ++u) {
            const std::ptrdiff_t o = offsets.of[u];
            const __m256i around = _mm256_add_epi16(rows(in + o, stride), rows(in - o, stride));
            inputs[u][part] = _mm256_sub_epi16(around, _mm256_add_epi16(here, here));
        }
        inputs[kRestorationTaps][part] = _mm256_sub_epi16(rows(original, original_stride), here);
    }
    __m256i products[kRestorationSums + 1];  // inputs are at most 8190, so even the sums of their lanes fit
    const auto product = [&](int u, int v) {
        return _mm256_add_epi32(_mm256_madd_epi16(inputs[u][0], inputs[v][0]),
                                _mm256_madd_epi16(inputs[u][1], inputs[v][1]));
    };
    int count = 0;
    for (int u = 0; u < kRestorationTaps; ++u)
        for (int v = u; v < kRestorationTaps; ++v) products[count++] = product(u, v);
    for (int u = 0; u < kRestorationTaps; ++u) products[count++] = product(u, kRestorationTaps);
    products[count] = _mm256_setzero_si256();
    i32 cell[kRestorationSums + 1];
    for (int i = 0; i <= kRestorationSums; i += 4) {
        const __m256i* p = products + i;
        const __m256i halves = _mm256_hadd_epi32(_mm256_hadd_epi32(p[0], p[1]), _mm256_hadd_epi32(p[2], p[3]));
        const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
        store_8(cell + i, four);
    }
    for (int i = 0; i < kRestorationSums; ++i) sums[i] += cell[i];
}

#endif

constexpr SampleKernels kSamples{rgb_to_planes, rgb_rows_to_planes, grey_to_plane,         upsample,
                                 planes_to_rgb, plane_to_grey,      smooth_vertical_edge,  smooth_horizontal_edge,
                                 restore_cell,  restore_cells,      restoration_statistics};

}  // namespace
}  // namespace aig
