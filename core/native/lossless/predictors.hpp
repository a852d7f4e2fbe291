// The lossless coder's predictors: their form in a file, and the encoder's choice (format.md, 7.1.4).
#pragma once
#include "base/bits.hpp"
#include "lossless/strips.hpp"

#include <optional>

namespace aig {

inline constexpr unsigned kTrained = 32;  // predictors that need not be sent
inline constexpr unsigned kMaxPredictors = 32;
static_assert(kTrained <= kMaxScored && kMaxPredictors <= kMaxScored);
inline constexpr int kColourTaps = 3 * kOwnTaps + 3 * kCrossTaps;

// Taps of plane c, and where they begin among a predictor's coefficients.
constexpr int taps_of(int c) { return kOwnTaps + c * kCrossTaps; }
constexpr int first_tap(int c) { return c * kOwnTaps + c * (c - 1) / 2 * kCrossTaps; }

using Coefficients = std::array<std::int8_t, kColourTaps>;

Predictor expand(const Coefficients& coefficients, int planes);
Coefficients trained_predictor(unsigned index, int planes);

struct PredictorSet {
    std::vector<unsigned> parents;  // trained predictors that the set's begin from
    std::vector<Coefficients> coefficients;
    std::vector<std::uint8_t> classes;  // predictor of every block, strip by strip
};

void write_predictors(BitWriter& out, const PredictorSet& set, const Band& band, int planes);
PredictorSet read_predictors(BitReader& in, const Band& band, int planes);

// The effort of the search.
struct Search {
    int candidates;    // trained predictors that are tried
    int first_stride;  // on every so manieth step of a block
    int predictors;    // at most that many are used
    int rounds;        // of fitting them to the image by least squares
    int block_stride;  // distance between the blocks sampled up to here
    int stride;        // every so manieth step chooses a block's predictor
    int fit_stride;    // and is part of the fit
    int finalists;     // so many of a block's predictors are compared once more
    int last_stride;   // on every so manieth step
    int margin;        // if not 0: none that is more bits behind the best, for a block of whose steps all were compared
};

template <class T>
PredictorSet choose_predictors(const std::vector<StripBuffer<T>>& strips, const Band& band, const Search& search);

}  // namespace aig
