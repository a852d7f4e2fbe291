// Rate-distortion optimised quantisation: the levels (quantised coefficients) that cost least in squared error plus
// lambda times bits (Sullivan and Wiegand 1998), chosen one after the other from high to low frequencies.
#pragma once
#include "dct/levels.hpp"

#include <algorithm>

namespace aig {

struct LevelEffort {
    float lambda = 0.09f;  // in squared steps per bit
    bool exact = true;     // by what contexts have learned, else by what training left them with
    bool alone = false;  // of the latter, for blocks of the middle activity class: blocks need not wait for each other
};

class LevelSearch {
  public:
    explicit LevelSearch(const LevelEffort& effort);

    // From which magnitude on, in steps, 1 and 2 pay; the last level of a block pays for the end as well.
    struct Thresholds {
        float one, two;
    };
    static constexpr int kThresholds = kPlaneClasses * kSizeClasses * kBands * kMagnitudeClasses;
    // Those of blocks alone, by plane, size, band and magnitude; and from where on a level may be the last one.
    std::array<Thresholds, kThresholds> thresholds_alone() const;
    float last_one() const { return last_one_; }

    // The levels of a block that were chosen elsewhere, by index.
    static void take(Shape shape, const std::int16_t* chosen, BlockLevels& levels);
    // The levels of one block. coefficients and inverse_steps by index; those of the LF image play no part.
    template <HighSyntax Syntax>
    void choose(const Syntax& syntax, int plane, Shape shape, int around, const std::int16_t* coefficients,
                const float* inverse_steps, BlockLevels& levels) const {
        const Task task{plane, shape, around, coefficients, inverse_steps};
        levels.count = 0;
        if (effort_.exact)
            by_costs(syntax.costs(plane, size_class(shape)), task, levels);
        else
            by_thresholds(task, levels);
    }

  private:
    // What a level adds to the costs of its neighbours by their contexts, which no table shows: bits per unit of its
    // magnitude.
    static constexpr float kContextBits = 0.25f;

    // Coefficients that may become levels other than 0, by their position in the scan.
    using Candidates = std::array<std::uint64_t, kMaxBlockSamples / 64>;
    // Of a block: what choosing its levels needs to know.
    struct Task {
        int plane;
        Shape shape;
        int around;
        const std::int16_t* coefficients;
        const float* inverse_steps;

        float magnitude(const ScanEntry& e) const {
            return static_cast<float>(abs_int(coefficients[e.coefficient])) * inverse_steps[e.coefficient];
        }
        int signed_level(const ScanEntry& e, int level) const {
            return coefficients[e.coefficient] < 0 ? -level : level;
        }
    };
    static Candidates reaching(Shape shape, const std::int16_t* coefficients, const float* inverse_steps,
                               float threshold);
    void by_thresholds(const Task& task, BlockLevels& levels) const;
    template <LevelCosts Costs> void by_costs(const Costs& bits, const Task& task, BlockLevels& levels) const;

    LevelEffort effort_;
    Thresholds thresholds_[kPlaneClasses][kSizeClasses][kBands][kMagnitudeClasses][kActivityClasses];
    float last_one_, least_;
};

template <LevelCosts Costs> void LevelSearch::by_costs(const Costs& bits, const Task& task, BlockLevels& levels) const {
    const Candidates candidates = reaching(task.shape, task.coefficients, task.inverse_steps, 0.5f);
    LevelContext context = block_context(task.plane, task.shape, task.around);
    const ScanEntry* scan = scan_of(task.shape).data();
    Surroundings surroundings(task.shape);
    auto last = static_cast<unsigned>(task.shape.samples());
    const auto is_candidate = [&](unsigned i) { return (candidates[i / 64] >> i % 64 & 1) != 0; };
    while (last > 0 && !is_candidate(last - 1)) --last;
    // Costs of everything from the top to a level: if it is the last one, and if it is not. What stays 0 either way is
    // left out.
    struct Totals {
        float as_last, through;
    };
    std::array<Totals, kMaxBlockSamples> totals;
    float total = 0, zeros = 0;
    for (unsigned i = last; i-- > 0;) {
        const ScanEntry& e = scan[i];
        move_to(context, e, surroundings);
        if (!is_candidate(i)) {
            total += effort_.lambda * bits.level(context, 0);
            continue;
        }
        const float a = task.magnitude(e);
        const auto cost = [&](int l) {
            const float d = a - static_cast<float>(l);
            return d * d + effort_.lambda * (bits.level(context, static_cast<unsigned>(l)) +
                                             kContextBits * static_cast<float>(std::min(3, l)));
        };
        int level = std::min(kLargestLevel, static_cast<int>(a + 0.5f));
        float best = cost(level);
        for (int less = level - 1; less >= 0 && less >= level - (level == 2 ? 2 : 1); --less)
            if (const float c = cost(less); c < best) best = c, level = less;
        total += best;
        if (level) {
            // Of the last level it is known that it is not 0.
            const float spared = bits.spared_by_last(context, static_cast<unsigned>(level));
            totals[levels.count] = {zeros + best - effort_.lambda * spared, total};
            levels.add(i, task.signed_level(e, level));
            surroundings.add(e, static_cast<unsigned>(level));
        }
        zeros += a * a;
    }
    // Where to end: what is above becomes 0 for no bits, what is below costs nearly what it did.
    const int end_at = end_context(task.around);
    float least = zeros + effort_.lambda * bits.end(end_at, 0);
    unsigned first = levels.count;
    for (unsigned k = 0; k < levels.count; ++k) {
        const float cost = totals[k].as_last + total - totals[k].through +
                           effort_.lambda * bits.end(end_at, levels.levels[k].position + 1u);
        if (cost < least) least = cost, first = k;
    }
    std::copy(levels.levels.begin() + first, levels.levels.begin() + levels.count, levels.levels.begin());
    levels.count -= first;
}

}  // namespace aig
