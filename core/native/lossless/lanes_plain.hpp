// Sixteen integers in plain C++, for the compiler to make of them what it can. Included by lossless/lanes.hpp only.
#pragma once
#include "entropy/alias.hpp"
#include "lossless/wavefront.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace aig {
namespace {

struct Lanes {
    std::int32_t v[kLanes];
};
using Mask = Lanes;

template <class F> AIG_INLINE Lanes each(F f) {
    Lanes out;
    for (int k = 0; k < kLanes; ++k) out.v[k] = f(k);
    return out;
}
AIG_INLINE std::uint32_t u32(std::int32_t v) { return static_cast<std::uint32_t>(v); }
AIG_INLINE std::int32_t i32(std::uint32_t v) { return static_cast<std::int32_t>(v); }

// Arithmetic wraps, and shifts by 32 give 0, as those of vector registers do. No shift is negative.
AIG_INLINE Lanes operator+(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return i32(u32(x.v[k]) + u32(y.v[k])); });
}
AIG_INLINE Lanes operator-(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return i32(u32(x.v[k]) - u32(y.v[k])); });
}
AIG_INLINE Lanes operator*(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return i32(u32(x.v[k]) * u32(y.v[k])); });
}
AIG_INLINE Lanes operator&(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return x.v[k] & y.v[k]; });
}
AIG_INLINE Lanes operator|(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return x.v[k] | y.v[k]; });
}
AIG_INLINE Lanes operator^(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return x.v[k] ^ y.v[k]; });
}
AIG_INLINE Mask operator>(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return -(x.v[k] > y.v[k]); });
}
AIG_INLINE Lanes min(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return x.v[k] < y.v[k] ? x.v[k] : y.v[k]; });
}
AIG_INLINE Lanes max(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return x.v[k] > y.v[k] ? x.v[k] : y.v[k]; });
}
AIG_INLINE Lanes abs(const Lanes& x) {
    return each([&](int k) { return x.v[k] < 0 ? i32(0u - u32(x.v[k])) : x.v[k]; });
}
AIG_INLINE Lanes shift_left(const Lanes& x, const Lanes& n) {
    return each([&](int k) { return n.v[k] > 31 ? 0 : i32(u32(x.v[k]) << n.v[k]); });
}
AIG_INLINE Lanes shift_right_unsigned(const Lanes& x, const Lanes& n) {
    return each([&](int k) { return n.v[k] > 31 ? 0 : i32(u32(x.v[k]) >> n.v[k]); });
}
AIG_INLINE Lanes all(int v) {
    return each([&](int) { return v; });
}
template <int N> AIG_INLINE Lanes left(const Lanes& x) {
    return each([&](int k) { return i32(u32(x.v[k]) << N); });
}
template <int N> AIG_INLINE Lanes right(const Lanes& x) {
    return each([&](int k) { return x.v[k] >> N; });
}
template <int N> AIG_INLINE Lanes right_unsigned(const Lanes& x) {
    return each([&](int k) { return i32(u32(x.v[k]) >> N); });
}
AIG_INLINE Lanes right(const Lanes& x, int n) {
    return each([&](int k) { return x.v[k] >> n; });
}
AIG_INLINE Lanes choose(const Mask& m, const Lanes& yes, const Lanes& no) {
    return each([&](int k) { return (yes.v[k] & m.v[k]) | (no.v[k] & ~m.v[k]); });
}
AIG_INLINE unsigned bits_of(const Mask& m) {
    unsigned bits = 0;
    for (int k = 0; k < kLanes; ++k) bits |= (u32(m.v[k]) >> 31) << k;
    return bits;
}
AIG_INLINE Mask mask_of(unsigned bits) {
    return each([&](int k) { return -i32(bits >> k & 1); });
}
AIG_INLINE Lanes load(const std::int32_t* p) {
    return each([&](int k) { return p[k]; });
}
AIG_INLINE void store(std::int32_t* p, const Lanes& x) { std::memcpy(p, x.v, sizeof x.v); }
template <int N> AIG_INLINE Lanes log2_of(const Lanes& x) {
    return each([&](int k) {
        const int top = std::bit_width(u32(x.v[k])) - 1;
        return (top << N) + i32((static_cast<std::uint64_t>(u32(x.v[k])) << N >> top) & ((1u << N) - 1));
    });
}
AIG_INLINE Lanes gather(const std::int32_t* table, const Lanes& i) {
    return each([&](int k) { return table[i.v[k]]; });
}
AIG_INLINE std::uint32_t sum(const Lanes& x) {
    std::uint32_t total = 0;
    for (int k = 0; k < kLanes; ++k) total += u32(x.v[k]);
    return total;
}
// Lanes write in order, so where several share a cell the last one's value stays.
AIG_INLINE void scatter(std::int32_t* table, const Lanes& i, const Lanes& x, unsigned active) {
    std::int32_t cells[kLanes], values[kLanes];
    store(cells, i);
    store(values, x);
    for (unsigned k = 0; k < kLanes; ++k)
        if (active >> k & 1) table[cells[k]] = values[k];
}
struct Halves {
    Lanes low, high;
};
AIG_INLINE Halves gather_pairs(const std::uint64_t* table, const Lanes& i) {
    Halves h;
    for (int k = 0; k < kLanes; ++k) {
        h.low.v[k] = static_cast<std::int32_t>(static_cast<std::uint32_t>(table[i.v[k]]));
        h.high.v[k] = static_cast<std::int32_t>(static_cast<std::uint32_t>(table[i.v[k]] >> 32));
    }
    return h;
}
AIG_INLINE void emit(const Lanes& x, const Mask& which, std::uint16_t*& next) {
    for (int k = kLanes; k-- > 0;)
        if (which.v[k]) *--next = static_cast<std::uint16_t>(x.v[k]);
}
// Unsigned; anything for y = 0.
AIG_INLINE Lanes quotient(const Lanes& x, const Lanes& y) {
    return each([&](int k) { return i32(u32(x.v[k]) / std::max(u32(y.v[k]), 1u)); });
}
AIG_INLINE Lanes gather(const std::uint16_t* table, const Lanes& i) {
    return each([&](int k) { return std::int32_t{table[i.v[k]]}; });
}

struct Narrow {
    std::int16_t v[kLanes];
};

template <class F> AIG_INLINE Narrow each_narrow(F f) {
    Narrow out;
    for (int k = 0; k < kLanes; ++k) out.v[k] = static_cast<std::int16_t>(f(k));
    return out;
}
AIG_INLINE Narrow operator+(const Narrow& x, const Narrow& y) {
    return each_narrow([&](int k) { return x.v[k] + y.v[k]; });
}
AIG_INLINE Narrow operator-(const Narrow& x, const Narrow& y) {
    return each_narrow([&](int k) { return x.v[k] - y.v[k]; });
}
AIG_INLINE Narrow min(const Narrow& x, const Narrow& y) {
    return each_narrow([&](int k) { return x.v[k] < y.v[k] ? x.v[k] : y.v[k]; });
}
AIG_INLINE Narrow max(const Narrow& x, const Narrow& y) {
    return each_narrow([&](int k) { return x.v[k] > y.v[k] ? x.v[k] : y.v[k]; });
}
AIG_INLINE Narrow abs(const Narrow& x) {
    return each_narrow([&](int k) { return x.v[k] < 0 ? -x.v[k] : x.v[k]; });
}
template <int N> AIG_INLINE Narrow left(const Narrow& x) {
    return each_narrow([&](int k) { return x.v[k] * (1 << N); });
}
AIG_INLINE Narrow right(const Narrow& x, int n) {
    return each_narrow([&](int k) { return x.v[k] >> n; });
}
AIG_INLINE Narrow choose(const Narrow& m, const Narrow& yes, const Narrow& no) {
    return each_narrow([&](int k) { return m.v[k] ? yes.v[k] : no.v[k]; });
}
AIG_INLINE Narrow load(const std::int16_t* p) {
    return each_narrow([&](int k) { return p[k]; });
}
AIG_INLINE void store(std::int16_t* p, const Narrow& x) { std::memcpy(p, x.v, sizeof x.v); }
AIG_INLINE Lanes widen(const Narrow& x) {
    return each([&](int k) { return std::int32_t{x.v[k]}; });
}
AIG_INLINE void narrow(const Lanes& x, Narrow& out) {
    out = each_narrow([&](int k) { return x.v[k]; });
}

struct Pairs {
    Narrow x, y;
};
struct PairSum {
    Lanes v;
};
AIG_INLINE PairSum no_pairs() { return {all(0)}; }
AIG_INLINE Pairs interleave(const Narrow& x, const Narrow& y) { return {x, y}; }
AIG_INLINE void add(PairSum& sum, const Pairs& pairs, std::int32_t coefficients) {
    const auto a = static_cast<std::int16_t>(coefficients & 0xFFFF), b = static_cast<std::int16_t>(coefficients >> 16);
    for (int k = 0; k < kLanes; ++k) sum.v.v[k] += pairs.x.v[k] * a + pairs.y.v[k] * b;
}
AIG_INLINE Lanes in_order(const PairSum& sum) { return sum.v; }
AIG_INLINE PairSum out_of_order(const Lanes& x) { return {x}; }

AIG_INLINE Lanes refill(Lanes x, const std::uint16_t*& words) {
    for (int k = 0; k < kLanes; ++k)
        if (u32(x.v[k]) < kStateLow) x.v[k] = i32(u32(x.v[k]) << 16 | *words++);
    return x;
}

// Sixteen floats, for the encoder's fit.
struct Floats {
    float v[kLanes];
};

template <class F> AIG_INLINE Floats each_float(F f) {
    Floats out;
    for (int k = 0; k < kLanes; ++k) out.v[k] = f(k);
    return out;
}

#define AIG_LANEWISE(op)                                                                                               \
    AIG_INLINE Floats operator op(const Floats& x, const Floats& y) {                                                  \
        return each_float([&](int k) { return x.v[k] op y.v[k]; });                                                    \
    }
AIG_LANEWISE(+)
AIG_LANEWISE(-)
AIG_LANEWISE(*)
AIG_LANEWISE(/)
#undef AIG_LANEWISE

AIG_INLINE Floats all_floats(float x) {
    return each_float([&](int) { return x; });
}
AIG_INLINE Floats floats(const Lanes& x) {
    return each_float([&](int k) { return static_cast<float>(x.v[k]); });
}
AIG_INLINE Floats abs(const Floats& x) {
    return each_float([&](int k) { return x.v[k] < 0 ? -x.v[k] : x.v[k]; });
}
AIG_INLINE Floats load(const float* p) {
    return each_float([&](int k) { return p[k]; });
}
AIG_INLINE void store(float* p, const Floats& x) { std::copy_n(x.v, kLanes, p); }

}  // namespace
}  // namespace aig
