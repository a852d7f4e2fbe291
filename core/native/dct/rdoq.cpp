#include "dct/rdoq.hpp"

#include "dct/transforms.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

// What a level says about its neighbours' contexts, which no table shows: bits per unit of its magnitude.
constexpr float kContextBits = 0.25f;
// Bits that the last level of a block of one level costs beside its own, roughly.
constexpr float kEndBits = 6.0f;
// How busy it is around blocks that choose alone: the middle one of the classes.
constexpr int kBusyAlone = 1;
// Larger levels round up from here.
constexpr float kUpwards = 0.55f;

// Bits of a magnitude that is neither first nor certain.
float magnitude_bits(const HighModel::Levels& m, const LevelContext& c, unsigned level) {
    const AdaptiveBit significant = m.significant[c.band][c.magnitude][c.busy];
    if (!level) return bits_of(significant, false);
    float bits = bits_of(significant, true) + 1 + bits_of(m.above_one[c.band][c.magnitude], level > 1);
    if (level < 2) return bits;
    bits += bits_of(m.above_two[c.band][c.magnitude], level > 2);
    if (level < 3) return bits;
    const AdaptiveBit* tail = m.tail[std::min(7, (c.around + 1) / 4)];
    const int k = static_cast<int>(std::bit_width(level - 2)) - 1;
    for (int j = 0; j < k; ++j) bits += bits_of(tail[j], true) + 1;
    return k < kTailClasses ? bits + bits_of(tail[k], false) : bits;
}

float end_bits(const HighModel::Levels& m, int context, unsigned end) {
    const int n = std::bit_width(end);
    float bits = 0;
    for (int j = 0; j < n; ++j) bits += bits_of(m.end_class[context][j], true);
    if (n + 1 < kEndClasses) bits += bits_of(m.end_class[context][n], false);
    if (n < 2) return bits;
    const bool high = end >> (n - 2) & 1;
    bits += bits_of(m.end_high[n], high);
    if (n < 3) return bits;
    return bits + bits_of(m.end_second[n][high], end >> (n - 3) & 1) + static_cast<float>(n - 3);
}

}  // namespace

float bits_of(AdaptiveBit p, bool one) {
    static const std::vector<float> table = [] {
        std::vector<float> t(4097);
        for (std::size_t i = 0; i < t.size(); ++i) t[i] = -std::log2(std::max(0.5f, static_cast<float>(i)) / 4096);
        return t;
    }();
    return table[one ? p >> 4 : 4096 - (p >> 4)];
}

LevelSearch::LevelSearch(const LevelEffort& effort) : effort_(effort) {
    const float half = effort.lambda / 2;
    for (int p = 0; p < kPlaneClasses; ++p)
        for (int s = 0; s < kSizeClasses; ++s)
            for (int b = 0; b < kBands; ++b)
                for (int m = 0; m < kMagnitudeClasses; ++m)
                    for (int n = 0; n < kBusyClasses; ++n) {
                        const auto& model = trained_high().of[p][s];
                        const LevelContext c{p, s, b, m, n, 2 * m};
                        const float zero = magnitude_bits(model, c, 0), one = magnitude_bits(model, c, 1),
                                    two = magnitude_bits(model, c, 2);
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
                for (const auto& magnitude : band) out[i++] = magnitude[kBusyAlone];
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

void LevelSearch::choose(const HighModel& model, int plane, Shape shape, int around, const std::int16_t* coefficients,
                         const float* inverse_steps, BlockLevels& levels) const {
    Candidates candidates = reaching(shape, coefficients, inverse_steps, effort_.exact ? 0.5f : least_);
    levels.count = 0;
    const Task task{plane, shape, around, coefficients, inverse_steps};
    if (effort_.exact)
        by_costs(model, task, candidates, levels);
    else
        by_thresholds(task, candidates, levels);
}

void LevelSearch::by_thresholds(const Task& task, Candidates& candidates, BlockLevels& levels) const {
    LevelContext context = block_context(task.plane, task.shape, task.around);
    if (effort_.alone) context.busy = kBusyAlone;
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
            const Thresholds& t = thresholds[context.band][context.magnitude][context.busy];
            if (a < (levels.count ? t.one : last_one_)) continue;
            const int level =
                a < t.two ? 1 : std::min(kLargestLevel, std::max(2, static_cast<int>(a + (1 - kUpwards))));
            levels.add(static_cast<unsigned>(64 * w + bit), task.signed_level(e, level));
            surroundings.add(e, static_cast<unsigned>(level));
        }
}

void LevelSearch::by_costs(const HighModel& model, const Task& task, const Candidates& candidates,
                           BlockLevels& levels) const {
    LevelContext context = block_context(task.plane, task.shape, task.around);
    const HighModel::Levels& m = model.of[task.plane][context.size];
    const ScanEntry* scan = scan_of(task.shape).data();
    Surroundings surroundings(task.shape);
    auto last = static_cast<unsigned>(task.shape.samples());
    const auto is_candidate = [&](unsigned i) { return (candidates[i / 64] >> i % 64 & 1) != 0; };
    while (last > 0 && !is_candidate(last - 1)) --last;
    // Costs of everything from the top to a level: if it is the last one, and if it is not. What stays 0 either way is
    // left out.
    struct Costs {
        float as_last, through;
    };
    std::array<Costs, kMaxBlockSamples> costs;
    float total = 0, zeros = 0;
    for (unsigned i = last; i-- > 0;) {
        const ScanEntry& e = scan[i];
        move_to(context, e, surroundings);
        const AdaptiveBit significant = m.significant[context.band][context.magnitude][context.busy];
        if (!is_candidate(i)) {
            total += effort_.lambda * bits_of(significant, false);
            continue;
        }
        const float a = task.magnitude(e);
        const auto cost = [&](int l) {
            const float d = a - static_cast<float>(l);
            return d * d + effort_.lambda * (magnitude_bits(m, context, static_cast<unsigned>(l)) +
                                             kContextBits * static_cast<float>(std::min(3, l)));
        };
        int level = std::min(kLargestLevel, static_cast<int>(a + 0.5f));
        float best = cost(level);
        for (int less = level - 1; less >= 0 && less >= level - (level == 2 ? 2 : 1); --less)
            if (const float c = cost(less); c < best) best = c, level = less;
        total += best;
        if (level) {
            // Of the last level it is known that it is not 0.
            costs[levels.count] = {zeros + best - effort_.lambda * bits_of(significant, true), total};
            levels.add(i, task.signed_level(e, level));
            surroundings.add(e, static_cast<unsigned>(level));
        }
        zeros += a * a;
    }
    // Where to end: what is above becomes 0 without a word, what is below costs nearly what it did.
    const int end_at = end_context(task.around);
    float least = zeros + effort_.lambda * end_bits(m, end_at, 0);
    unsigned first = levels.count;
    for (unsigned k = 0; k < levels.count; ++k) {
        const float cost = costs[k].as_last + total - costs[k].through +
                           effort_.lambda * end_bits(m, end_at, levels.levels[k].position + 1u);
        if (cost < least) least = cost, first = k;
    }
    std::copy(levels.levels.begin() + first, levels.levels.begin() + levels.count, levels.levels.begin());
    levels.count -= first;
}

}  // namespace aig
