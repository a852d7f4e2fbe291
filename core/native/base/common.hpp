// Shared small types: views of image data, the error of damaged streams, integer helpers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

// For the few functions that decide the speed of a decoder, and for loops of a small constant number of rounds.
#if defined(__GNUC__) || defined(__clang__)
#define AIG_INLINE inline __attribute__((always_inline))
#define AIG_INLINE_LAMBDA __attribute__((always_inline))
#define AIG_UNROLL _Pragma("GCC unroll 4")
#define AIG_UNROLL_ALL _Pragma("GCC unroll 16")
#else
#define AIG_INLINE inline
#define AIG_INLINE_LAMBDA
#define AIG_UNROLL
#define AIG_UNROLL_ALL
#endif
// Vector types with __builtin_shufflevector and __builtin_convertvector.
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define AIG_VECTORS
#endif

namespace aig {

// The bytes of a file contradict themselves; becomes aig_codec.errors.CorruptError.
struct Corrupt : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A two-dimensional view of samples; `stride` counts samples from one row to the next, `channels`
// samples lie side by side for one pixel.
template <class T> struct View {
    T* data;
    std::ptrdiff_t stride;
    int width, height, channels;

    T* row(int y) const { return data + y * stride; }
};

template <class T> View<const T> constant(const View<T>& v) {
    return {v.data, v.stride, v.width, v.height, v.channels};
}

using Bytes = std::vector<std::uint8_t>;

// The class of a pixel in the class map (format.md, 5.4).
inline constexpr int kBackground = 0;
inline constexpr int kCoreBase = 1;  // core of center k is kCoreBase + k
inline constexpr int kMidBase = 5;   // mid of center k is kMidBase + k
inline constexpr int kDrawn = 8;     // outside the cores, coded as screen content

inline bool is_core(int c) { return c >= kCoreBase && c < kMidBase; }
inline bool is_mid(int c) { return c >= kMidBase && c < kDrawn; }

inline int clamp_int(int v, int lo, int hi) { return v < lo ? lo : v > hi ? hi : v; }
inline std::uint8_t clamp_u8(int v) { return static_cast<std::uint8_t>(clamp_int(v, 0, 255)); }
inline int abs_int(int v) { return v < 0 ? -v : v; }

// Signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2, 2 -> 0, 1, 2, 3, 4.
inline std::uint32_t zigzag(int v) {
    return (static_cast<std::uint32_t>(v) << 1) ^ static_cast<std::uint32_t>(v >> 31);
}
inline int unzigzag(std::uint32_t v) { return static_cast<int>(v >> 1) ^ -static_cast<int>(v & 1); }

// Median of W, N and W + N - NW: the LOCO-I predictor (Weinberger, Seroussi, Sapiro 1996).
inline int med(int w, int n, int nw) { return clamp_int(w + n - nw, w < n ? w : n, w < n ? n : w); }

}  // namespace aig
