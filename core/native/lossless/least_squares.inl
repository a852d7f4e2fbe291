// What the encoder's fit of predictors needs of the samples (lossless/predictor_search.cpp). Included by one unit per
// instruction set, behind what it uses. The order of
// all additions is fixed, so that every instruction set finds the same sums.
#include "lossless/wavefront.hpp"

namespace aig {
namespace {

#if defined(__GNUC__) || defined(__clang__)
using Floats __attribute__((vector_size(4 * kLanes))) = float;

AIG_INLINE Floats all_floats(float x) { return x - Floats{}; }
#else
struct Floats {
    float v[kLanes];
};
AIG_INLINE Floats all_floats(float x) {
    Floats out;
    for (float& v : out.v) v = x;
    return out;
}
#define AIG_LANEWISE(op)                                                                                               \
    AIG_INLINE Floats operator op(Floats x, const Floats& y) {                                                         \
        for (int k = 0; k < kLanes; ++k) x.v[k] = x.v[k] op y.v[k];                                                    \
        return x;                                                                                                      \
    }
AIG_LANEWISE(+)
AIG_LANEWISE(-)
AIG_LANEWISE(*)
AIG_LANEWISE(/)
#undef AIG_LANEWISE
#endif

AIG_INLINE Floats load_floats(const float* p) {
    Floats out;
    std::memcpy(&out, p, sizeof out);
    return out;
}
AIG_INLINE void store_floats(float* p, const Floats& x) { std::memcpy(p, &x, sizeof x); }
AIG_INLINE Floats floats(const Lanes& x) {
    std::int32_t integers[kLanes];
    float out[kLanes];
    store(integers, x);
    for (int k = 0; k < kLanes; ++k) out[k] = static_cast<float>(integers[k]);
    return load_floats(out);
}
AIG_INLINE Floats magnitude(const Floats& x) {
    std::int32_t bits[kLanes];
    std::memcpy(bits, &x, sizeof bits);
    for (std::int32_t& b : bits) b &= 0x7FFFFFFF;
    Floats out;
    std::memcpy(&out, bits, sizeof out);
    return out;
}

inline float sum_of(const Floats& x) {
    float sums[kLanes];
    store_floats(sums, x);
    for (int half = kLanes / 2; half; half /= 2)
        for (int k = 0; k < half; ++k) sums[k] += sums[k + half];
    return sums[0];
}

// One plane at one step: the taps' differences from the base, and the sample's own.
template <class T, int Plane> AIG_INLINE void features(const Strip<T>& strip, int t, Floats* out) {
    const T* here = strip.samples[Plane] + t * kSlots + kAbove;
    const auto s = neighbours<T>(here);
    const auto base = s.base();
    for (const auto& tap : {s.w, s.n, s.nw, s.ne, s.ww, s.nn}) *out++ = floats(widen(tap - base));
    for (std::ptrdiff_t offset : kFarTaps) *out++ = floats(widen(load(here + offset) - base));
    for (int other = 0; other < Plane; ++other) {
        const T* there = strip.samples[other] + t * kSlots + kAbove;
        const auto x = load(there);
        for (std::ptrdiff_t offset : {kW, kN, kNW, kNE}) *out++ = floats(widen(x - load(there + offset)));
    }
    *out = floats(widen(load(here) - base));
}

// See least_squares.
template <class T, int Plane>
float plane_least_squares(const Strip<T>& strip, const int* steps, int count, const float* coefficients, float* sums) {
    constexpr int taps = kOwnTaps + Plane * kCrossTaps;
    alignas(64) Floats rows[kBlockSteps][taps + 1], weight[kBlockSteps];
    Floats mean = all_floats(0), pixels = mean;
    for (int s = 0; s < count; ++s) {
        features<T, Plane>(strip, steps[s], rows[s]);
        Floats error = rows[s][taps];
        for (int j = 0; j < taps; ++j) error = error - all_floats(coefficients[j]) * rows[s][j];
        const Floats inside = floats(mask_of(strip.active[steps[s]]) & all(1));
        weight[s] = magnitude(error);
        mean = mean + inside * weight[s];
        pixels = pixels + inside;
    }
    const float total = sum_of(pixels);
    const Floats offset = all_floats(sum_of(mean) / total + 0.7f);
    for (int s = 0; s < count; ++s)
        weight[s] = floats(mask_of(strip.active[steps[s]]) & all(1)) / ((weight[s] + offset) * offset);
    // A product's sums stay in registers for all the steps, and some side by side share what they load.
    float* sum = sums;
    for (int i = 0; i <= taps; ++i) {
        Floats weighted[kBlockSteps];
        for (int s = 0; s < count; ++s) weighted[s] = weight[s] * rows[s][i];
        int j = 0;
        for (; j + 3 <= i; j += 4, sum += 4 * kLanes) {
            Floats a = load_floats(sum), b = load_floats(sum + kLanes), c = load_floats(sum + 2 * kLanes),
                   d = load_floats(sum + 3 * kLanes);
            for (int s = 0; s < count; ++s) {
                a = a + weighted[s] * rows[s][j];
                b = b + weighted[s] * rows[s][j + 1];
                c = c + weighted[s] * rows[s][j + 2];
                d = d + weighted[s] * rows[s][j + 3];
            }
            store_floats(sum, a), store_floats(sum + kLanes, b);
            store_floats(sum + 2 * kLanes, c), store_floats(sum + 3 * kLanes, d);
        }
        for (; j <= i; ++j, sum += kLanes) {
            Floats a = load_floats(sum);
            for (int s = 0; s < count; ++s) a = a + weighted[s] * rows[s][j];
            store_floats(sum, a);
        }
    }
    return total;
}

// Add a block's weighted products to a class's sums; see WavefrontKernels.
template <class T>
float least_squares(const Strip<T>& strip, int plane, const int* steps, int count, const float* coefficients,
                    float* sums) {
    return (plane == 0   ? plane_least_squares<T, 0>
            : plane == 1 ? plane_least_squares<T, 1>
                         : plane_least_squares<T, 2>)(strip, steps, count, coefficients, sums);
}

}  // namespace
}  // namespace aig
