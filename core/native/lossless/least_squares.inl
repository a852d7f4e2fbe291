// What the encoder's fit of predictors needs of the samples (lossless/predictor_search.cpp). Included by one unit per
// instruction set, behind what it uses. The loops run over sixteen lanes and leave it to the compiler how; the order of
// all additions is fixed, so that every instruction set finds the same sums.
#include "lossless/wavefront.hpp"

namespace aig {
namespace {

using Floats = float[kLanes];

inline float sum_of(const Floats& x) {
    float sums[kLanes];
    for (int k = 0; k < kLanes; ++k) sums[k] = x[k];
    for (int half = kLanes / 2; half; half /= 2)
        for (int k = 0; k < half; ++k) sums[k] += sums[k + half];
    return sums[0];
}

// One plane at one step: the taps' differences from the base, and the sample's own, each sixteen lanes.
template <class T> void features(const Strip<T>& strip, int plane, int t, Floats* out) {
    static constexpr int dy[] = {0, -1, -1, -1, 0, -2, -2, -2, -1, -2, 0, -3},
                         dx[] = {-1, 0, -1, 1, -2, 0, 1, -1, -2, 2, -3, 0};
    static_assert(sizeof dy == kOwnTaps * sizeof(int) && sizeof dx == sizeof dy);
    const auto at = [](int row, int column) { return (column + kSkew * row) * kSlots + row; };
    const T* here = strip.samples[plane] + t * kSlots + kAbove;
    std::int32_t base[kLanes];
    store(base, widen(neighbours<T>(here).base()));
    for (int i = 0; i < kOwnTaps; ++i, ++out) {
        const T* tap = here + at(dy[i], dx[i]);
        for (int k = 0; k < kLanes; ++k) (*out)[k] = static_cast<float>(tap[k] - base[k]);
    }
    for (int other = 0; other < plane; ++other) {
        const T* x = strip.samples[other] + t * kSlots + kAbove;
        for (int i = 0; i < kCrossTaps; ++i, ++out) {
            const T* tap = x + at(dy[i], dx[i]);
            for (int k = 0; k < kLanes; ++k) (*out)[k] = static_cast<float>(x[k] - tap[k]);
        }
    }
    for (int k = 0; k < kLanes; ++k) (*out)[k] = static_cast<float>(here[k] - base[k]);
}

// Add a block's weighted products to a class's sums; see WavefrontKernels.
template <class T>
float least_squares(const Strip<T>& strip, int plane, const int* steps, int count, const float* coefficients,
                    float* sums) {
    constexpr int most = kMaxTaps + 1;
    const int taps = kOwnTaps + plane * kCrossTaps;
    alignas(64) Floats rows[kBlockSteps][most], weight[kBlockSteps];
    Floats mean{}, pixels{};
    for (int s = 0; s < count; ++s) {
        features(strip, plane, steps[s], rows[s]);
        Floats error;
        for (int k = 0; k < kLanes; ++k) error[k] = rows[s][taps][k];
        for (int j = 0; j < taps; ++j)
            for (int k = 0; k < kLanes; ++k) error[k] -= coefficients[j] * rows[s][j][k];
        for (int k = 0; k < kLanes; ++k) {
            const float inside = static_cast<float>(strip.active[steps[s]] >> k & 1),
                        magnitude = error[k] < 0 ? -error[k] : error[k];
            weight[s][k] = magnitude;
            mean[k] += inside * magnitude;
            pixels[k] += inside;
        }
    }
    const float total = sum_of(pixels), offset = sum_of(mean) / total + 0.7f;
    for (int s = 0; s < count; ++s)
        for (int k = 0; k < kLanes; ++k)
            weight[s][k] = static_cast<float>(strip.active[steps[s]] >> k & 1) / ((weight[s][k] + offset) * offset);
    for (int s = 0; s < count; ++s) {
        float* sum = sums;
        for (int i = 0; i <= taps; ++i) {
            Floats weighted;
            for (int k = 0; k < kLanes; ++k) weighted[k] = weight[s][k] * rows[s][i][k];
            for (int j = 0; j <= i; ++j, sum += kLanes)
                for (int k = 0; k < kLanes; ++k) sum[k] += weighted[k] * rows[s][j][k];
        }
    }
    return total;
}

}  // namespace
}  // namespace aig
