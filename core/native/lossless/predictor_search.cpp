// The encoder's choice of predictors: trained ones first, then k-means in which every class is fitted to its
// blocks by weighted least squares (after Wu, Memon: "CALIC", 1997, and Matsuda et al.: "MRP", 2005, who fit classes of
// blocks likewise).
#include "lossless/predictors.hpp"

#include <cmath>
#include <numeric>

namespace aig {
namespace {

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
    if constexpr (sizeof(T) == 2)
        return wavefront_kernels().score16;
    else
        return wavefront_kernels().score32;
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
    std::size_t blocks() const {
        return static_cast<std::size_t>(band_.strips()) * static_cast<std::size_t>(band_.blocks());
    }

    // Steps of a block, as many as there are in an array.
    struct Steps {
        std::array<int, kBlockSteps> of;
        int count = 0;
    };

    Strip<T> strip_with(std::size_t block) const {
        const int strip = static_cast<int>(block) / band_.blocks();
        return strip_of(strips_[static_cast<std::size_t>(strip)], band_, strip);
    }

    // Every so manieth step of a block, where pixels are active.
    Steps sampled_steps(std::size_t block, int stride) const {
        Steps steps;
        const int b = static_cast<int>(block) % band_.blocks();
        const std::uint16_t* active = band_.active(static_cast<int>(block) / band_.blocks());
        const int stop = std::min(band_.steps(), (b + 1) * kBlockSteps);
        // Another phase in every block: even and odd columns often differ in enlarged images.
        const int phase = 5 * (place(block) / search_.block_stride) % stride;
        for (int t = b * kBlockSteps + phase; t < stop; t += stride)
            if (active[t]) steps.of[static_cast<std::size_t>(steps.count++)] = t;
        return steps;
    }

    // Whether a block is sampled now; during the search, the sampled ones lie scattered.
    bool is_sampled(std::size_t block) const { return every_block_ || place(block) % search_.block_stride == 0; }
    int place(std::size_t block) const {
        return static_cast<int>(block) + 3 * (static_cast<int>(block) / band_.blocks());
    }

    // Scores of the sampled blocks with every one of the predictors.
    std::vector<std::uint32_t> score(const std::vector<Coefficients>& coefficients) const {
        std::vector<Predictor> predictors;
        predictors.reserve(coefficients.size());
        for (const Coefficients& c : coefficients) predictors.push_back(expand(c, planes_));
        std::vector<std::uint32_t> totals(blocks() * predictors.size(), 0);
        for (std::size_t block = 0; block < blocks(); ++block)
            if (is_sampled(block)) {
                const Steps steps = sampled_steps(block, search_.stride);
                score_of<T>()(strip_with(block), planes_, steps.of.data(), steps.count, predictors.data(),
                              static_cast<int>(predictors.size()), &totals[block * predictors.size()]);
            }
        return totals;
    }

    // Start from those trained predictors that together code the image best, found one after the other.
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
            if (!first && (before - least) * static_cast<unsigned>(search_.stride * search_.block_stride) <
                              kBit * (16 + blocks() / 16))
                break;
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

    // The final choice for every block: its best predictors are compared again, on more pixels.
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
            std::partial_sort(
                order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m), order.end(),
                [&](std::size_t i, std::size_t j) { return coarse[i] != coarse[j] ? coarse[i] < coarse[j] : i < j; });
            if (std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(m), previous) ==
                order.begin() + static_cast<std::ptrdiff_t>(m))
                order[m - 1] = previous;
            for (std::size_t i = 0; i < m; ++i)
                chosen[i] = predictors[order[i]], totals[i] = order[i] == previous ? 0 : switching;
            const Steps steps = sampled_steps(b, search_.last_stride);
            score_of<T>()(strip_with(b), planes_, steps.of.data(), steps.count, chosen.data(), static_cast<int>(m),
                          totals.data());
            previous = order[static_cast<std::size_t>(std::min_element(totals.begin(), totals.end()) - totals.begin())];
            set_.classes[b] = static_cast<std::uint8_t>(previous);
        }
    }

    // A class's products of features, by lanes, and the number of pixels in them.
    struct Sums {
        std::vector<float> products;
        double pixels = 0;

        double of(std::size_t i, std::size_t j) const {  // j <= i
            const float* lanes = &products[(i * (i + 1) / 2 + j) * kLanes];
            double sums[4] = {};  // one would wait for every addition
            for (std::size_t k = 0; k < kLanes; ++k) sums[k % 4] += lanes[k];
            return sums[0] + sums[1] + (sums[2] + sums[3]);
        }
    };

    // The classes one by one, so that the sums of one stay in the first cache.
    void fit() {
        std::vector<std::vector<std::size_t>> members(set_.coefficients.size());
        for (std::size_t block = 0; block < blocks(); ++block)
            if (is_sampled(block)) members[set_.classes[block]].push_back(block);
        for (int c = 0; c < planes_; ++c)
            for (std::size_t k = 0; k < members.size(); ++k) {
                const auto rows = static_cast<std::size_t>(taps_of(c) + 1);
                Sums sums{std::vector<float>(rows * (rows + 1) / 2 * kLanes, 0.0f)};
                for (std::size_t block : members[k]) add_block(block, c, set_.coefficients[k], sums);
                solve(sums, c, set_.coefficients[k], trained_predictor(set_.parents[k], planes_));
            }
    }

    void add_block(std::size_t block, int c, const Coefficients& coefficients, Sums& sums) const {
        std::array<float, kMaxTaps> scaled;
        for (int j = 0; j < taps_of(c); ++j)
            scaled[static_cast<std::size_t>(j)] =
                static_cast<float>(coefficients[static_cast<std::size_t>(first_tap(c) + j)]) / (1 << kPredictionBits);
        const Steps steps = sampled_steps(block, search_.stride);
        if (!steps.count) return;
        const auto add = [&] {
            if constexpr (sizeof(T) == 2)
                return wavefront_kernels().least_squares16;
            else
                return wavefront_kernels().least_squares32;
        }();
        sums.pixels +=
            add(strip_with(block), c, steps.of.data(), steps.count, scaled.data(), sums.products.data());
    }

    // Least squares with a pull towards the trained coefficients that counts as much as a few pixels.
    static void solve(const Sums& sums, int c, Coefficients& coefficients, const Coefficients& parent) {
        const auto n = static_cast<std::size_t>(taps_of(c)), first = static_cast<std::size_t>(first_tap(c));
        if (sums.pixels < 8 * static_cast<double>(n)) return;
        constexpr double pull = 2;
        std::vector<double> a(n * n), x(n);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j <= i; ++j) a[i * n + j] = sums.of(i, j);
            const double ridge = 1e-3 + pull * a[i * n + i] / sums.pixels;
            a[i * n + i] += ridge;
            x[i] = sums.of(n, i) + ridge * parent[first + i] / (1 << kPredictionBits);
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
            const std::int64_t score = saved[k] * search_.stride * search_.block_stride,
                               bits = 5 * (planes_ == 1 ? kOwnTaps : kColourTaps);
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

template <class T>
PredictorSet choose_predictors(const std::vector<StripBuffer<T>>& strips, const Band& band, const Search& search) {
    return PredictorSearch<T>(strips, band, search).run();
}

template PredictorSet choose_predictors(const std::vector<StripBuffer<std::int16_t>>&, const Band&, const Search&);
template PredictorSet choose_predictors(const std::vector<StripBuffer<std::int32_t>>&, const Band&, const Search&);

}  // namespace aig
