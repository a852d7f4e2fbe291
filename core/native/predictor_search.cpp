// The encoder's choice of predictors: trained ones first, then k-means in which every class is fitted to its
// blocks by weighted least squares (after Wu, Memon: "CALIC", 1997, and Matsuda et al.: "MRP", 2005, who fit classes of
// blocks likewise).
#include "predictors.hpp"

#include <cmath>
#include <numeric>

namespace aig {
namespace {

constexpr int kBlockSamples = kBlockSteps * kLanes;
constexpr std::uint32_t kBit = 1u << kScoreBits;
constexpr std::uint32_t kSwitchBits = 2;  // of changing the class from block to block

template <class T> Strip<T> strip_of(const StripBuffer<T>& buffer, const Band& band, int strip) {
    Strip<T> out{};
    for (int c = 0; c < buffer.planes(); ++c) out.samples[c] = buffer.plane(c);
    out.active = band.active(strip);
    out.steps = band.steps();
    return out;
}

template <class T> auto score_of() {
    if constexpr (sizeof(T) == 2) return wavefront_kernels().score16;
    else return wavefront_kernels().score32;
}

template <class T> class PredictorSearch {
  public:
    PredictorSearch(const std::vector<StripBuffer<T>>& strips, const Band& band, const Search& search)
        : strips_(strips), band_(band), search_(search), planes_(strips.front().planes()) {}

    PredictorSet run() {
        pick_trained();
        for (int round = 0; round < search_.rounds; ++round) {
            assign();
            fit();
        }
        if (search_.rounds) drop_fits_that_do_not_pay();
        every_block_ = true;
        assign();
        if (search_.last_stride < search_.stride) decide();
        return std::move(set_);
    }

  private:
    std::size_t blocks() const { return static_cast<std::size_t>(band_.strips()) * static_cast<std::size_t>(band_.blocks()); }

    template <class F> void for_sampled_steps(std::size_t block, int stride, F f) const {
        const int strip = static_cast<int>(block) / band_.blocks(), b = static_cast<int>(block) % band_.blocks();
        const Strip<T> s = strip_of(strips_[static_cast<std::size_t>(strip)], band_, strip);
        const int stop = std::min(band_.steps(), (b + 1) * kBlockSteps);
        // Another phase in every block: even and odd columns often differ, in pictures that were enlarged once.
        const int phase = 5 * (place(block) / search_.block_stride) % stride;
        for (int t = b * kBlockSteps + phase; t < stop; t += stride)
            if (s.active[t]) f(s, t);
    }

    // Whether a block is looked at now; those that are, in the search, lie scattered.
    bool is_sampled(std::size_t block) const {
        return every_block_ || place(block) % search_.block_stride == 0;
    }
    int place(std::size_t block) const { return static_cast<int>(block) + 3 * (static_cast<int>(block) / band_.blocks()); }

    // Scores of the sampled blocks with every one of the predictors.
    std::vector<std::uint32_t> score(const std::vector<Coefficients>& coefficients) const {
        std::vector<Predictor> predictors;
        for (const Coefficients& c : coefficients) predictors.push_back(expand(c, planes_));
        std::vector<std::uint32_t> totals(blocks() * predictors.size(), 0);
        for (std::size_t block = 0; block < blocks(); ++block)
            if (is_sampled(block)) for_sampled_steps(block, search_.stride, [&](const Strip<T>& s, int t) {
                score_of<T>()(s, planes_, t, predictors.data(), static_cast<int>(predictors.size()), &totals[block * predictors.size()]);
            });
        return totals;
    }

    // Start from those trained predictors that together code the picture best, found one after the other.
    void pick_trained() {
        const auto n = static_cast<std::size_t>(std::min<int>(search_.candidates, kTrained));
        std::vector<Coefficients> trained;
        for (unsigned k = 0; k < n; ++k) trained.push_back(trained_predictor(k, planes_));
        const auto totals = score(trained);
        std::vector<std::uint32_t> best(blocks(), 1u << 30);
        const auto limit = std::min<std::size_t>(n, static_cast<std::size_t>(search_.predictors));
        while (set_.parents.size() < limit) {
            std::uint64_t least = ~std::uint64_t{0};
            std::size_t pick = 0;
            for (std::size_t k = 0; k < n; ++k) {
                std::uint64_t sum = 0;
                for (std::size_t b = 0; b < blocks(); ++b) sum += std::min(best[b], totals[b * n + k]);
                if (sum < least) least = sum, pick = k;
            }
            const bool first = set_.parents.empty();
            std::uint64_t before = 0;
            for (std::size_t b = 0; b < blocks(); ++b) before += best[b];
            // A further class costs bits in every block's choice; it must save some.
            if (!first && (before - least) * static_cast<unsigned>(search_.stride * search_.block_stride) < kBit * (16 + blocks() / 16)) break;
            set_.parents.push_back(static_cast<unsigned>(pick));
            set_.coefficients.push_back(trained[pick]);
            for (std::size_t b = 0; b < blocks(); ++b) best[b] = std::min(best[b], totals[b * n + pick]);
        }
    }

    void assign() {
        const std::size_t n = set_.coefficients.size();
        totals_ = score(set_.coefficients);
        set_.classes.assign(blocks(), 0);
        const std::uint32_t switching = kSwitchBits * kBit / static_cast<unsigned>(search_.stride);
        std::size_t previous = 0;
        for (std::size_t b = 0; b < blocks(); ++b) {
            std::size_t best = previous;
            std::uint32_t least = totals_[b * n + previous];
            for (std::size_t k = 0; k < n; ++k)
                if (totals_[b * n + k] + switching < least) least = totals_[b * n + k] + switching, best = k;
            set_.classes[b] = static_cast<std::uint8_t>(best);
            previous = best;
        }
    }

    // The last word on every block: its best predictors again, on more pixels.
    void decide() {
        const std::size_t n = set_.coefficients.size(), m = std::min(n, static_cast<std::size_t>(search_.finalists));
        std::vector<Predictor> predictors, chosen(m);
        for (const Coefficients& c : set_.coefficients) predictors.push_back(expand(c, planes_));
        std::vector<std::size_t> order(n);
        std::vector<std::uint32_t> totals(m);
        const std::uint32_t switching = kSwitchBits * kBit / static_cast<unsigned>(search_.last_stride);
        std::size_t previous = 0;
        for (std::size_t b = 0; b < blocks(); ++b) {
            const std::uint32_t* coarse = &totals_[b * n];
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m), order.end(),
                              [&](std::size_t i, std::size_t j) { return coarse[i] != coarse[j] ? coarse[i] < coarse[j] : i < j; });
            if (std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m), previous) == order.begin() + static_cast<std::ptrdiff_t>(m)) order[m - 1] = previous;
            for (std::size_t i = 0; i < m; ++i) chosen[i] = predictors[order[i]], totals[i] = order[i] == previous ? 0 : switching;
            for_sampled_steps(b, search_.last_stride, [&](const Strip<T>& s, int t) {
                score_of<T>()(s, planes_, t, chosen.data(), static_cast<int>(m), totals.data());
            });
            previous = order[static_cast<std::size_t>(std::min_element(totals.begin(), totals.end()) - totals.begin())];
            set_.classes[b] = static_cast<std::uint8_t>(previous);
        }
    }

    // Features of a plane at one step, in rows kBlockSamples apart: the taps, then what they are to sum to.
    void features(const Strip<T>& s, int c, int t, float* out) const {
        static constexpr int dy[] = {0, -1, -1, -1, 0, -2, -2, -2, -1, -2, 0, -3},
                             dx[] = {-1, 0, -1, 1, -2, 0, 1, -1, -2, 2, -3, 0};
        static_assert(std::size(dy) == kOwnTaps && std::size(dx) == kOwnTaps);
        const auto at = [](int row, int column) { return (column + kSkew * row) * kSlots + row; };
        const T* here = s.samples[c] + t * kSlots + kAbove;
        std::int32_t base[kLanes];
        for (int k = 0; k < kLanes; ++k) base[k] = med(here[at(0, -1) + k], here[at(-1, 0) + k], here[at(-1, -1) + k]);
        for (int i = 0; i < kOwnTaps; ++i, out += kBlockSamples) {
            const T* tap = here + at(dy[i], dx[i]);
            for (int k = 0; k < kLanes; ++k) out[k] = static_cast<float>(tap[k] - base[k]);
        }
        for (int other = 0; other < c; ++other) {
            const T* x = s.samples[other] + t * kSlots + kAbove;
            for (int i = 0; i < kCrossTaps; ++i, out += kBlockSamples) {
                const T* tap = x + at(dy[i], dx[i]);
                for (int k = 0; k < kLanes; ++k) out[k] = static_cast<float>(x[k] - tap[k]);
            }
        }
        for (int k = 0; k < kLanes; ++k) out[k] = static_cast<float>(here[k] - base[k]);
    }

    // Sums of products of a class's features, with less weight where errors are large anyway.
    struct Sums {
        std::vector<double> products;
        double weight = 0;
    };

    void add_block(std::size_t block, int c, Sums& sums) const {
        const int taps = taps_of(c);
        std::array<float, (kMaxTaps + 1) * kBlockSamples> rows;
        std::array<float, kBlockSamples> error, weight;
        int n = 0;
        for_sampled_steps(block, search_.stride, [&](const Strip<T>& s, int t) {
            features(s, c, t, &rows[static_cast<std::size_t>(n)]);
            for (int k = 0; k < kLanes; ++k) weight[static_cast<std::size_t>(n + k)] = static_cast<float>(s.active[t] >> k & 1);
            n += kLanes;
        });
        if (!n) return;
        const Coefficients& coefficients = set_.coefficients[set_.classes[block]];
        std::copy_n(&rows[static_cast<std::size_t>(taps * kBlockSamples)], n, error.begin());
        for (int j = 0; j < taps; ++j) {
            const float coefficient = static_cast<float>(coefficients[static_cast<std::size_t>(first_tap(c) + j)]) / (1 << kPredictionBits);
            const float* row = &rows[static_cast<std::size_t>(j * kBlockSamples)];
            for (int i = 0; i < n; ++i) error[static_cast<std::size_t>(i)] -= coefficient * row[i];
        }
        float mean = 0, count = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
            error[i] = std::abs(error[i]);
            mean += weight[i] * error[i];
            count += weight[i];
        }
        mean /= count;
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) weight[i] /= (error[i] + mean + 0.7f) * (mean + 0.7f);
        wavefront_kernels().products(rows.data(), taps + 1, weight.data(), n, sums.products.data());
        sums.weight += count;
    }

    void fit() {
        const std::size_t n = set_.coefficients.size();
        for (int c = 0; c < planes_; ++c) {
            const auto rows = static_cast<std::size_t>(taps_of(c) + 1);
            std::vector<Sums> sums(n, Sums{std::vector<double>(rows * (rows + 1) / 2, 0.0)});
            for (std::size_t block = 0; block < blocks(); ++block)
                if (is_sampled(block)) add_block(block, c, sums[set_.classes[block]]);
            for (std::size_t k = 0; k < n; ++k) solve(sums[k], c, set_.coefficients[k], trained_predictor(set_.parents[k], planes_));
        }
    }

    // Least squares with a pull towards the trained coefficients that counts as much as a few pixels.
    static void solve(const Sums& sums, int c, Coefficients& coefficients, const Coefficients& parent) {
        const auto n = static_cast<std::size_t>(taps_of(c)), first = static_cast<std::size_t>(first_tap(c));
        if (sums.weight < 8 * static_cast<double>(n)) return;
        constexpr double pull = 2;
        const auto at = [&](std::size_t i, std::size_t j) { return sums.products[i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i]; };
        std::vector<double> a(n * n), x(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) a[i * n + j] = at(i, j);
            const double ridge = 1e-3 + pull * at(i, i) / sums.weight;
            a[i * n + i] += ridge;
            x[i] = at(n, i) + ridge * parent[first + i] / (1 << kPredictionBits);
        }
        // Cholesky: the matrix is positive definite by the ridge.
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j <= i; ++j) {
                double sum = a[i * n + j];
                for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
                a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
            }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < i; ++k) x[i] -= a[i * n + k] * x[k];
            x[i] /= a[i * n + i];
        }
        for (std::size_t i = n; i-- > 0;) {
            for (std::size_t k = i + 1; k < n; ++k) x[i] -= a[k * n + i] * x[k];
            x[i] /= a[i * n + i];
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double scaled = std::floor(x[i] * (1 << kPredictionBits) + 0.5);
            coefficients[first + i] = static_cast<std::int8_t>(std::clamp(scaled, -128.0, 127.0));
        }
    }

    // Predictors for few pixels go back to the trained one that they come from, which costs no bits.
    void drop_fits_that_do_not_pay() {
        const std::size_t n = set_.coefficients.size();
        std::vector<Coefficients> both = set_.coefficients;
        for (unsigned parent : set_.parents) both.push_back(trained_predictor(parent, planes_));
        const auto totals = score(both);
        std::vector<std::int64_t> saved(n, 0);
        for (std::size_t b = 0; b < blocks(); ++b) {
            const std::size_t k = set_.classes[b];
            saved[k] += static_cast<std::int64_t>(totals[b * 2 * n + n + k]) - totals[b * 2 * n + k];
        }
        for (std::size_t k = 0; k < n; ++k) {
            const std::int64_t score = saved[k] * search_.stride * search_.block_stride, bits = 5 * (planes_ == 1 ? kOwnTaps : kColourTaps);
            if (score < bits * kBit) set_.coefficients[k] = both[n + k];
        }
    }

    const std::vector<StripBuffer<T>>& strips_;
    const Band& band_;
    const Search& search_;
    int planes_;
    PredictorSet set_;
    std::vector<std::uint32_t> totals_;
    bool every_block_ = false;
};

}  // namespace

template <class T> PredictorSet choose_predictors(const std::vector<StripBuffer<T>>& strips, const Band& band, const Search& search) {
    return PredictorSearch<T>(strips, band, search).run();
}

template PredictorSet choose_predictors(const std::vector<StripBuffer<std::int16_t>>&, const Band&, const Search&);
template PredictorSet choose_predictors(const std::vector<StripBuffer<std::int32_t>>&, const Band&, const Search&);

}  // namespace aig
