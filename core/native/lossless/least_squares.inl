// What the encoder's fit of predictors needs of the samples (lossless/predictor_search.cpp). Included by one unit per
// instruction set, behind what it uses. The order of all additions is fixed, so that every instruction set finds the
// same sums.
#include "lossless/wavefront.hpp"

namespace aig {
namespace {

inline float sum_of(const Floats& x) {
    float sums[kLanes];
    store(sums, x);
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
        weight[s] = abs(error);
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
            Floats a = load(sum), b = load(sum + kLanes), c = load(sum + 2 * kLanes), d = load(sum + 3 * kLanes);
            for (int s = 0; s < count; ++s) {
                a = a + weighted[s] * rows[s][j];
                b = b + weighted[s] * rows[s][j + 1];
                c = c + weighted[s] * rows[s][j + 2];
                d = d + weighted[s] * rows[s][j + 3];
            }
            store(sum, a), store(sum + kLanes, b);
            store(sum + 2 * kLanes, c), store(sum + 3 * kLanes, d);
        }
        for (; j <= i; ++j, sum += kLanes) {
            Floats a = load(sum);
            for (int s = 0; s < count; ++s) a = a + weighted[s] * rows[s][j];
            store(sum, a);
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
