// Body of every kernel set. Everything is in an anonymous namespace: each including unit is compiled
// for another processor, and the linker must not merge their code.
#include "simd.hpp"

namespace aig {
namespace {

using i16 = std::int16_t;
using i32 = std::int32_t;
using u8 = std::uint8_t;

// Eight 32-bit lanes.
#ifdef AIG_VECTOR_EXTENSIONS
typedef i32 V __attribute__((vector_size(32)));
typedef u8 V8 __attribute__((vector_size(8)));
typedef i16 V16 __attribute__((vector_size(16)));

inline V splat(i32 v) { return V{} + v; }
inline V load(const u8* p) {
    V8 v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, V);
}
inline V load(const i16* p) {
    V16 v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, V);
}
inline void store(u8* p, V v) {
    const V8 out = __builtin_convertvector(v, V8);
    __builtin_memcpy(p, &out, sizeof out);
}
inline void store(i16* p, V v) {
    const V16 out = __builtin_convertvector(v, V16);
    __builtin_memcpy(p, &out, sizeof out);
}
inline void store(i32* p, V v) { __builtin_memcpy(p, &v, sizeof v); }
inline V clamp(V v, i32 lo, i32 hi) {
    const V l = splat(lo), h = splat(hi);
    v = v < l ? l : v;
    return v > h ? h : v;
}
inline void transpose(V r[8]) {
    V t[8], s[8];
    for (int i = 0; i < 4; ++i) {
        t[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        t[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; ++j) {
            s[i + j] = __builtin_shufflevector(t[i + j], t[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            s[i + j + 2] = __builtin_shufflevector(t[i + j], t[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; ++i) {
        r[i] = __builtin_shufflevector(s[i], s[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(s[i], s[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#else
struct V {
    i32 lane[8];
};
template <class F> inline V each(F f) {
    V out;
    for (int i = 0; i < 8; ++i) out.lane[i] = f(i);
    return out;
}
inline V splat(i32 v) { return each([&](int) { return v; }); }
template <class T> inline V load(const T* p) { return each([&](int i) { return i32{p[i]}; }); }
template <class T> inline void store(T* p, V v) {
    for (int i = 0; i < 8; ++i) p[i] = static_cast<T>(v.lane[i]);
}
inline V operator+(V a, V b) { return each([&](int i) { return a.lane[i] + b.lane[i]; }); }
inline V operator-(V a, V b) { return each([&](int i) { return a.lane[i] - b.lane[i]; }); }
inline V operator*(V a, i32 b) { return each([&](int i) { return a.lane[i] * b; }); }
inline V operator>>(V a, int n) { return each([&](int i) { return a.lane[i] >> n; }); }
inline V clamp(V v, i32 lo, i32 hi) {
    return each([&](int i) { return v.lane[i] < lo ? lo : v.lane[i] > hi ? hi : v.lane[i]; });
}
inline void transpose(V r[8]) {
    for (int i = 0; i < 8; ++i)
        for (int j = 0; j < i; ++j) {
            const i32 t = r[i].lane[j];
            r[i].lane[j] = r[j].lane[i];
            r[j].lane[i] = t;
        }
}
#endif

// Eight 8-point transforms at once, lane by lane, with the integer DCT matrix of H.265 (ITU-T H.265,
// 8.6.4.2), by even-odd decomposition. Results are 64 * sqrt(8) times the orthonormal transform.
inline void forward_8(V x[8]) {
    const V s0 = x[0] + x[7], s1 = x[1] + x[6], s2 = x[2] + x[5], s3 = x[3] + x[4];
    const V d0 = x[0] - x[7], d1 = x[1] - x[6], d2 = x[2] - x[5], d3 = x[3] - x[4];
    const V a0 = s0 + s3, a1 = s1 + s2, b0 = s0 - s3, b1 = s1 - s2;
    x[0] = (a0 + a1) * 64;
    x[4] = (a0 - a1) * 64;
    x[2] = b0 * 83 + b1 * 36;
    x[6] = b0 * 36 - b1 * 83;
    x[1] = d0 * 89 + d1 * 75 + d2 * 50 + d3 * 18;
    x[3] = d0 * 75 - d1 * 18 - d2 * 89 - d3 * 50;
    x[5] = d0 * 50 - d1 * 89 + d2 * 18 + d3 * 75;
    x[7] = d0 * 18 - d1 * 50 + d2 * 75 - d3 * 89;
}

inline void inverse_8(V x[8]) {
    const V a0 = (x[0] + x[4]) * 64, a1 = (x[0] - x[4]) * 64;
    const V b0 = x[2] * 83 + x[6] * 36, b1 = x[2] * 36 - x[6] * 83;
    const V e0 = a0 + b0, e1 = a1 + b1, e2 = a1 - b1, e3 = a0 - b0;
    const V o0 = x[1] * 89 + x[3] * 75 + x[5] * 50 + x[7] * 18;
    const V o1 = x[1] * 75 - x[3] * 18 - x[5] * 89 - x[7] * 50;
    const V o2 = x[1] * 50 - x[3] * 89 + x[5] * 18 + x[7] * 75;
    const V o3 = x[1] * 18 - x[3] * 50 + x[5] * 75 - x[7] * 89;
    x[0] = e0 + o0, x[7] = e0 - o0;
    x[1] = e1 + o1, x[6] = e1 - o1;
    x[2] = e2 + o2, x[5] = e2 - o2;
    x[3] = e3 + o3, x[4] = e3 - o3;
}

void forward_block(const u8* samples, std::ptrdiff_t stride, i16* coefficients) {
    V x[8];
    for (int i = 0; i < 8; ++i) x[i] = load(samples + i * stride) - splat(128);
    forward_8(x);  // along columns: x[vertical frequency], lanes are columns
    transpose(x);
    forward_8(x);  // along rows: x[horizontal frequency], lanes are vertical frequencies
    // |sum| < 2^27: nothing is lost before the one rounding shift.
    for (int i = 0; i < 8; ++i) store(coefficients + 8 * i, (x[i] + splat(1024)) >> 11);
}

void inverse_block(const i16* coefficients, u8* samples, std::ptrdiff_t stride) {
    V x[8];
    for (int i = 0; i < 8; ++i) x[i] = load(coefficients + 8 * i);
    inverse_8(x);
    for (int i = 0; i < 8; ++i) x[i] = clamp((x[i] + splat(64)) >> 7, -32768, 32767);
    transpose(x);
    inverse_8(x);
    for (int i = 0; i < 8; ++i) store(samples + i * stride, clamp(((x[i] + splat(2048)) >> 12) + splat(128), 0, 255));
}

void smooth_block(const i32* around, i32 limit, u8* samples, std::ptrdiff_t stride) {
    // Weights in 1/16 of the sample before, of the block's own and of the one behind, along either axis:
    // sample i lies (2i - 7) / 16 of a block from the centre.
    alignas(16) static constexpr i16 before[8] = {7, 5, 3, 1, 0, 0, 0, 0};
    alignas(16) static constexpr i16 own[8] = {9, 11, 13, 15, 15, 13, 11, 9};
    alignas(16) static constexpr i16 behind[8] = {0, 0, 0, 0, 1, 3, 5, 7};
    const V w0 = load(before), w1 = load(own), w2 = load(behind);
    const i32 low = 256 * around[4] - limit, high = 256 * around[4] + limit;
    i32 columns[3][8];  // interpolated along columns: lanes are rows
    for (int i = 0; i < 3; ++i) store(columns[i], w0 * around[i] + w1 * around[3 + i] + w2 * around[6 + i]);
    for (int y = 0; y < 8; ++y) {
        const V sums = w0 * columns[0][y] + w1 * columns[1][y] + w2 * columns[2][y];
        store(samples + y * stride, clamp((clamp(sums, low, high) + splat(128)) >> 8, 0, 255));
    }
}

void quantise(const i16* coefficients, const float* inverse_steps, float offset, i16* levels) {
    for (int i = 0; i < 64; ++i) {
        const i32 c = coefficients[i], magnitude = c < 0 ? -c : c;
        const auto level = static_cast<i32>(static_cast<float>(magnitude) * inverse_steps[i] + offset);
        levels[i] = static_cast<i16>(c < 0 ? -level : level);
    }
}

void dequantise(const i16* levels, const i32* steps, i16* coefficients) {
    for (int i = 0; i < 64; ++i) {
        const i32 c = levels[i] * steps[i];
        coefficients[i] = static_cast<i16>(c < -32768 ? -32768 : c > 32767 ? 32767 : c);
    }
}

// ITU-R BT.601 luma weights, full range (JFIF), in 1/65536.
void rgb_to_ycc(const u8* rgb, int n, u8* y, u8* cb, u8* cr) {
    for (int i = 0; i < n; ++i) {
        const i32 r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
        y[i] = static_cast<u8>((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
        cb[i] = static_cast<u8>((-11059 * r - 21709 * g + 32768 * b + (128 << 16) + 32767) >> 16);
        cr[i] = static_cast<u8>((32768 * r - 27439 * g - 5329 * b + (128 << 16) + 32767) >> 16);
    }
}

inline u8 clip(i32 v) { return static_cast<u8>(v < 0 ? 0 : v > 255 ? 255 : v); }

void ycc_to_rgb(const u8* y, const u8* cb, const u8* cr, int n, u8* rgb) {
    // In pieces through planar buffers: the arithmetic vectorises, only the interleaving does not.
    constexpr int kPiece = 64;
    u8 red[kPiece], green[kPiece], blue[kPiece];
    for (int start = 0; start < n; start += kPiece) {
        const int count = n - start < kPiece ? n - start : kPiece;
        for (int i = 0; i < count; ++i) {
            const i32 l = y[start + i], b = cb[start + i] - 128, r = cr[start + i] - 128;
            red[i] = clip(l + ((91881 * r + 32768) >> 16));
            green[i] = clip(l + ((-22554 * b - 46802 * r + 32768) >> 16));
            blue[i] = clip(l + ((116130 * b + 32768) >> 16));
        }
        u8* out = rgb + 3 * start;
        for (int i = 0; i < count; ++i) {
            out[3 * i] = red[i];
            out[3 * i + 1] = green[i];
            out[3 * i + 2] = blue[i];
        }
    }
}

void upsample(const u8* nearer, const u8* farther, int n, u8* out) {
    const auto column = [&](int i) { return 3 * nearer[i] + farther[i]; };
    const auto put = [&](int i, i32 before, i32 here, i32 after) {
        out[2 * i] = static_cast<u8>((3 * here + before + 8) >> 4);
        out[2 * i + 1] = static_cast<u8>((3 * here + after + 8) >> 4);
    };
    if (n == 1) return put(0, column(0), column(0), column(0));
    put(0, column(0), column(0), column(1));
    for (int i = 1; i < n - 1; ++i) put(i, column(i - 1), column(i), column(i + 1));
    put(n - 1, column(n - 2), column(n - 1), column(n - 1));
}

}  // namespace

const Kernels& AIG_KERNELS() {
    static constexpr Kernels set{AIG_KERNELS_NAME, forward_block, inverse_block, smooth_block, quantise,
                                 dequantise,       rgb_to_ycc,    ycc_to_rgb,    upsample};
    return set;
}

}  // namespace aig
