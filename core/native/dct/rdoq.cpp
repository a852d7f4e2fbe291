#include "dct/rdoq.hpp"

#include "dct/transforms.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

// Bits that the last level of a block of one level costs beside its own, roughly.
constexpr float kEndBits = 6.0f;
// The activity class that blocks alone are taken to be in: the middle one.
constexpr int kActivityAlone = 1;
// Larger levels round up from here.
constexpr float kUpwards = 0.55f;

}  // namespace

LevelSearch::LevelSearch(const LevelEffort& effort) : effort_(effort) {
    const float half = effort.lambda / 2;
    for (int p = 0; p < kPlaneClasses; ++p)
        for (int s = 0; s < kSizeClasses; ++s)
            for (int b = 0; b < kBands; ++b)
                for (int m = 0; m < kMagnitudeClasses; ++m)
                    for (int n = 0; n < kActivityClasses; ++n) {
                        const BinaryCosts costs(trained_high().of[p][s]);
                        const LevelContext c{p, s, b, m, n, 2 * m};
                        const float zero = costs.level(c, 0), one = costs.level(c, 1), two = costs.level(c, 2);
                        thresholds_[p][s][b][m][n] = {0.5f + half * (one - zero + kContextBits),
                                                      1.5f + half * (two - one + kContextBits)};
                    }
    last_one_ = 0.5f + half * kEndBits;
    least_ = last_one_;
    for (const auto& plane : thresholds_)
        for (const auto& size : plane)
            for (const auto& band : size)
                for (const auto& magnitude : band)
                    for (const Thresholds& t : magnitude) least_ = std::min(least_, t.one);
}

std::array<LevelSearch::Thresholds, LevelSearch::kThresholds> LevelSearch::thresholds_alone() const {
    std::array<Thresholds, kThresholds> out;
    std::size_t i = 0;
    for (const auto& plane : thresholds_)
        for (const auto& size : plane)
            for (const auto& band : size)
                for (const auto& magnitude : band) out[i++] = magnitude[kActivityAlone];
    return out;
}

LevelSearch::Candidates LevelSearch::reaching(Shape shape, const std::int16_t* coefficients, const float* inverse_steps,
                                              float threshold) {
    std::uint64_t masks[kMaxBlockSamples / 64];
    Candidates candidates;
    const int words = shape.samples() / 64;
    transform_kernels().candidates(coefficients, inverse_steps, threshold, shape.samples(), masks);
    std::fill_n(candidates.begin(), words, std::uint64_t{0});
    const auto positions = scan_positions_of(shape);
    for (int w = 0; w < words; ++w)
        for (std::uint64_t left = masks[w]; left; left &= left - 1) {
            const unsigned position = positions[static_cast<std::size_t>(64 * w + std::countr_zero(left))];
            if (position != kNotInScan) candidates[position / 64] |= std::uint64_t{1} << position % 64;
        }
    return candidates;
}

void LevelSearch::take(Shape shape, const std::int16_t* chosen, BlockLevels& levels) {
    static constexpr std::array<float, kMaxBlockSamples> ones = [] {
        std::array<float, kMaxBlockSamples> out{};
        for (float& one : out) one = 1;
        return out;
    }();
    Candidates candidates = reaching(shape, chosen, ones.data(), 1);
    const ScanEntry* scan = scan_of(shape).data();
    levels.count = 0;
    for (int w = shape.samples() / 64; w-- > 0;)
        for (std::uint64_t& left = candidates[static_cast<std::size_t>(w)]; left;) {
            const int bit = 63 - std::countl_zero(left);
            left ^= std::uint64_t{1} << bit;
            levels.add(static_cast<unsigned>(64 * w + bit), chosen[scan[64 * w + bit].coefficient]);
        }
}

void LevelSearch::by_thresholds(const Task& task, BlockLevels& levels) const {
    Candidates candidates = reaching(task.shape, task.coefficients, task.inverse_steps, least_);
    LevelContext context = block_context(task.plane, task.shape, task.around);
    if (effort_.alone) context.activity = kActivityAlone;
    const auto& thresholds = thresholds_[task.plane][context.size];
    const ScanEntry* scan = scan_of(task.shape).data();
    Surroundings surroundings(task.shape);
    for (int w = task.shape.samples() / 64; w-- > 0;)
        for (std::uint64_t& left = candidates[static_cast<std::size_t>(w)]; left;) {
            const int bit = 63 - std::countl_zero(left);
            left ^= std::uint64_t{1} << bit;
            const ScanEntry& e = scan[64 * w + bit];
            move_to(context, e, surroundings);
            const float a = task.magnitude(e);
            const Thresholds& t = thresholds[context.band][context.magnitude][context.activity];
            if (a < (levels.count ? t.one : last_one_)) continue;
            const int level =
                a < t.two ? 1 : std::min(kLargestLevel, std::max(2, static_cast<int>(a + (1 - kUpwards))));
            levels.add(static_cast<unsigned>(64 * w + bit), task.signed_level(e, level));
            surroundings.add(e, static_cast<unsigned>(level));
        }
}

}  // namespace aig
