// Body of every kernel set. Everything is in an anonymous namespace: each including unit is compiled
// for another processor, and the linker must not merge their code.
#include "base/common.hpp"
#include "simd/dispatch.hpp"

namespace aig {
namespace {

using i16 = std::int16_t;
using i32 = std::int32_t;
using u8 = std::uint8_t;

// Eight 32-bit lanes.
#if defined(AIG_VECTOR_EXTENSIONS) && defined(AIG_VECTORS)
using V __attribute__((vector_size(32))) = i32;
using V8 __attribute__((vector_size(8))) = u8;
using V16 __attribute__((vector_size(16))) = i16;

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
inline V splat(i32 v) {
    return each([&](int) { return v; });
}
template <class T> inline V load(const T* p) {
    return each([&](int i) { return i32{p[i]}; });
}
template <class T> inline void store(T* p, V v) {
    for (int i = 0; i < 8; ++i) p[i] = static_cast<T>(v.lane[i]);
}
inline V operator+(V a, V b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline V operator-(V a, V b) {
    return each([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline V operator*(V a, i32 b) {
    return each([&](int i) { return a.lane[i] * b; });
}
inline V operator>>(V a, int n) {
    return each([&](int i) { return a.lane[i] >> n; });
}
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

void forward_block(const u8* samples, std::ptrdiff_t stride, i16* coefficients) {
    V x[8];
    for (int i = 0; i < 8; ++i) x[i] = load(samples + i * stride) - splat(128);
    forward_8(x);  // along columns: x[vertical frequency], lanes are columns
    transpose(x);
    forward_8(x);  // along rows: x[horizontal frequency], lanes are vertical frequencies
    // |sum| < 2^27: nothing is lost before the one rounding shift.
    for (int i = 0; i < 8; ++i) store(coefficients + 8 * i, (x[i] + splat(1024)) >> 11);
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

}  // namespace

const Kernels& AIG_KERNELS() {
    static constexpr Kernels set{forward_block, rgb_to_ycc};
    return set;
}

}  // namespace aig
