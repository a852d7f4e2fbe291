// Rate-distortion optimised quantisation: the levels that cost least in squared error plus lambda times bits (Sullivan
// and Wiegand 1998), chosen one after the other from high to low frequencies.
#pragma once
#include "dct/levels.hpp"

namespace aig {

struct LevelEffort {
    float lambda = 0.09f;  // in squared steps per bit
    bool exact = true;     // by the probabilities as they have been learned, else by those of training
    bool alone = false;  // of the latter, those of blocks among others that are neither busy nor quiet: blocks need not
                         // wait for each other
};

// Bits of a decision in a model, as floats.
float bits_of(AdaptiveBit p, bool one);

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

    // The levels of a block that somebody else chose, by index.
    static void take(Shape shape, const std::int16_t* chosen, BlockLevels& levels);
    // The levels of one block. coefficients and inverse_steps by index; those of the 1/8 image play no part.
    void choose(const HighModel& model, int plane, Shape shape, int around, const std::int16_t* coefficients,
                const float* inverse_steps, BlockLevels& levels) const;

  private:
    // Coefficients that may become levels, by their position in the scan.
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
    void by_thresholds(const Task& task, Candidates& candidates, BlockLevels& levels) const;
    void by_costs(const HighModel& model, const Task& task, const Candidates& candidates, BlockLevels& levels) const;

    LevelEffort effort_;
    Thresholds thresholds_[kPlaneClasses][kSizeClasses][kBands][kMagnitudeClasses][kBusyClasses];
    float last_one_, least_;
};

}  // namespace aig
