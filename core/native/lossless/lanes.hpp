// Sixteen integers side by side: the rows that the lossless coder works on at a time.
//
// One interface in three forms. Everything here has internal linkage, since each unit that includes it is compiled
// for another instruction set.
#pragma once
#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include "lossless/lanes_avx512.hpp"
#elif defined(__AVX2__)
#include "lossless/lanes_avx2.hpp"
#else
#include "lossless/lanes_plain.hpp"
#endif

namespace aig {
namespace {

// What is the same for both widths of samples, so that the kernels can be written once.
AIG_INLINE Lanes widen(const Lanes& x) { return x; }
AIG_INLINE void narrow(const Lanes& x, Lanes& out) { out = x; }

template <class T> struct VectorOf { using Type = Lanes; };
template <> struct VectorOf<std::int16_t> { using Type = Narrow; };
template <class T> using Vector = typename VectorOf<T>::Type;

template <class V> AIG_INLINE V same(int v) {
    V out;
    narrow(all(v), out);
    return out;
}

}  // namespace
}  // namespace aig
