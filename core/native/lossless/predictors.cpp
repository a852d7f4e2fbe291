#include "lossless/predictors.hpp"

#include <bit>

namespace aig {
namespace {

#include "lossless/trained_predictors.inl"
static_assert(std::size(kTrainedColour) == kTrained && std::size(kTrainedGrey) == kTrained);

// Rice code with an escape: unary quotient below the limit, else the value in 10 bits.
constexpr unsigned kUnaryLimit = 20, kEscapeBits = 10;

void put_rice(BitWriter& out, std::uint32_t value, unsigned k) {
    const std::uint32_t q = value >> k;
    if (q < kUnaryLimit) {
        out.put((1u << q) - 1, q + 1);
        out.put(value & ((1u << k) - 1), k);
    } else {
        out.put((1u << kUnaryLimit) - 1, kUnaryLimit);
        out.put(value, kEscapeBits);
    }
}

std::uint32_t get_rice(BitReader& in, unsigned k) {
    const unsigned q = in.unary(kUnaryLimit);
    return q < kUnaryLimit ? q << k | in.get(k) : in.get(kEscapeBits);
}

unsigned rice_bits(std::uint32_t value, unsigned k) {
    return value >> k < kUnaryLimit ? (value >> k) + 1 + k : kUnaryLimit + kEscapeBits;
}

template <class Values> unsigned best_rice(const Values& values, unsigned limit) {
    unsigned best = 0;
    std::uint64_t least = ~std::uint64_t{0};
    for (unsigned k = 0; k < limit; ++k) {
        std::uint64_t bits = 0;
        for (std::uint32_t v : values) bits += rice_bits(v, k);
        if (bits < least) least = bits, best = k;
    }
    return best;
}

// The blocks' classes as ranks in a list of the classes by how recently they were used.
class RecentFirst {
  public:
    explicit RecentFirst(unsigned n) : list_(n) {
        for (unsigned i = 0; i < n; ++i) list_[i] = static_cast<std::uint8_t>(i);
    }
    std::uint32_t rank_of(std::uint8_t value) {
        const auto found = std::find(list_.begin(), list_.end(), value);
        const auto rank = static_cast<std::uint32_t>(found - list_.begin());
        std::rotate(list_.begin(), found, found + 1);
        return rank;
    }
    std::uint8_t at(std::uint32_t rank) {
        std::rotate(list_.begin(), list_.begin() + rank, list_.begin() + rank + 1);
        return list_.front();
    }

  private:
    std::vector<std::uint8_t> list_;
};

constexpr unsigned kClassRices = 4;

}  // namespace

Predictor expand(const Coefficients& coefficients, int planes) {
    Predictor p{};
    for (int c = 0; c < planes; ++c) {
        p.base[c] = 1 << kPredictionBits;
        for (int i = 0; i < taps_of(c); ++i) {
            p.tap[c][i] = coefficients[static_cast<std::size_t>(first_tap(c) + i)];
            if (i < kOwnTaps) p.base[c] -= p.tap[c][i];
        }
        const auto halves = [](std::int32_t low, std::int32_t high) {
            return static_cast<std::int32_t>(static_cast<std::uint32_t>(high) << 16 |
                                             (static_cast<std::uint32_t>(low) & 0xFFFF));
        };
        p.pair[c][0] = halves(p.base[c], -(1 << kPredictionBits));
        for (int i = 0; i < taps_of(c); i += 2) p.pair[c][1 + i / 2] = halves(p.tap[c][i], p.tap[c][i + 1]);
    }
    return p;
}

Coefficients trained_predictor(unsigned index, int planes) {
    Coefficients out{};
    if (planes == 1)
        std::copy_n(kTrainedGrey[index], kOwnTaps, out.begin());
    else
        std::copy_n(kTrainedColour[index], kColourTaps, out.begin());
    return out;
}

void write_predictors(BitWriter& out, const PredictorSet& set, const Band& band, int planes) {
    const auto n = static_cast<unsigned>(set.parents.size());
    out.put(n - 1, 5);
    for (unsigned k = 0; k < n; ++k) {
        out.put(set.parents[k], 5);
        const Coefficients parent = trained_predictor(set.parents[k], planes);
        const bool fitted = parent != set.coefficients[k];
        out.put(fitted, 1);
        if (!fitted) continue;
        for (int c = 0; c < planes; ++c) {
            std::vector<std::uint32_t> differences;
            for (int i = first_tap(c); i < first_tap(c) + taps_of(c); ++i) {
                const auto j = static_cast<std::size_t>(i);
                differences.push_back(zigzag(set.coefficients[k][j] - parent[j]));
            }
            const unsigned rice = best_rice(differences, 8);
            out.put(rice, 3);
            for (std::uint32_t d : differences) put_rice(out, d, rice);
        }
    }
    if (n == 1) return;
    RecentFirst recent(n);
    std::vector<std::uint32_t> ranks;
    for (int s = 0; s < band.strips(); ++s)
        for (int b = 0; b < band.blocks(); ++b)
            if (band.block_is_active(s, b))
                ranks.push_back(recent.rank_of(set.classes[static_cast<std::size_t>(s * band.blocks() + b)]));
    const unsigned rice = best_rice(ranks, kClassRices);
    out.put(rice, 2);
    for (std::uint32_t r : ranks) put_rice(out, r, rice);
}

PredictorSet read_predictors(BitReader& in, const Band& band, int planes) {
    PredictorSet set;
    const unsigned n = in.get(5) + 1;
    for (unsigned k = 0; k < n; ++k) {
        set.parents.push_back(in.get(5));
        Coefficients coefficients = trained_predictor(set.parents.back(), planes);
        if (in.get(1))
            for (int c = 0; c < planes; ++c) {
                const unsigned rice = in.get(3);
                for (int i = first_tap(c); i < first_tap(c) + taps_of(c); ++i) {
                    std::int8_t& coefficient = coefficients[static_cast<std::size_t>(i)];
                    const int value = coefficient + unzigzag(get_rice(in, rice));
                    if (value < -128 || value > 127) throw Corrupt("predictor coefficient out of range");
                    coefficient = static_cast<std::int8_t>(value);
                }
            }
        set.coefficients.push_back(coefficients);
    }
    set.classes.assign(static_cast<std::size_t>(band.strips()) * static_cast<std::size_t>(band.blocks()), 0);
    if (n == 1) return set;
    RecentFirst recent(n);
    const unsigned rice = in.get(2);
    for (int s = 0; s < band.strips(); ++s)
        for (int b = 0; b < band.blocks(); ++b) {
            if (!band.block_is_active(s, b)) continue;
            const std::uint32_t rank = get_rice(in, rice);
            if (rank >= n || !in.ok()) throw Corrupt("block class out of range");
            set.classes[static_cast<std::size_t>(s * band.blocks() + b)] = recent.at(rank);
        }
    return set;
}

}  // namespace aig
