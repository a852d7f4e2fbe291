// The encoder's choice of predictors: trained ones first, then k-means in which every class is fitted to its
// blocks by weighted least squares (after Wu, Memon: "CALIC", 1997, and Matsuda et al.: "MRP", 2005, who fit classes of
// blocks likewise).
#include "lossless/predictors.hpp"

#include <algorithm>
#include <cmath>

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

template <class T> class PredictorSearch {
  public:
    PredictorSearch(const std::vector<StripBuffer<T>>& strips, const Band& band, const Search& search)
        : strips_(strips), band_(band), search_(search), planes_(strips.front().planes()) {}

    PredictorSet run() {
        stride_ = search_.first_stride;
        pick_trained();
        stride_ = search_.stride;
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

    // Every so manieth step of a block, where pixels are active; but not those of a multiple of that stride, if it is
    // given.
    Steps sampled_steps(std::size_t block, int stride, int without = 0) const {
        Steps steps;
        const int begin = static_cast<int>(block) % band_.blocks() * kBlockSteps;
        const std::uint16_t* active = band_.active(static_cast<int>(block) / band_.blocks());
        const int stop = std::min(band_.steps(), begin + kBlockSteps);
        // Another phase in every block: even and odd columns often differ in enlarged images.
        const int phase = 5 * (place(block) / search_.block_stride);
        // Strides are powers of two.
        for (int t = begin + (phase & (stride - 1)); t < stop; t += stride)
            if (active[t] && (without == 0 || ((t - begin - phase) & (without - 1)) != 0))
                steps.of[static_cast<std::size_t>(steps.count++)] = t;
        return steps;
    }

    // Whether a block is sampled now; during the search, the sampled ones lie scattered.
    bool is_sampled(std::size_t block) const { return every_block_ || place(block) % search_.block_stride == 0; }
    int place(std::size_t block) const {
        return static_cast<int>(block) + 3 * (static_cast<int>(block) / band_.blocks());
    }
    std::vector<std::size_t> sampled_blocks() const {
        std::vector<std::size_t> sampled;
        for (std::size_t b = 0; b < blocks(); ++b)
            if (is_sampled(b)) sampled.push_back(b);
        return sampled;
    }

    // Add the scores of some steps of a block.
    void add_scores(std::size_t block, const Steps& steps, const Predictor* predictors, std::size_t count,
                    std::uint32_t* totals) const {
        if (!steps.count) return;
        const auto score = [] {
            if constexpr (sizeof(T) == 2)
                return wavefront_kernels().score16;
            else
                return wavefront_kernels().score32;
        }();
        score(strip_with(block), planes_, steps.of.data(), steps.count, predictors, static_cast<int>(count), totals);
    }

    // Scores of the sampled blocks with every one of the predictors.
    std::vector<std::uint32_t> score(const std::vector<Coefficients>& coefficients) const {
        const std::vector<Predictor> predictors = expanded(coefficients);
        std::vector<std::uint32_t> totals(blocks() * predictors.size(), 0);
        for (std::size_t block : sampled_blocks())
            add_scores(block, sampled_steps(block, stride_), predictors.data(), predictors.size(),
                       &totals[block * predictors.size()]);
        return totals;
    }

    std::vector<Predictor> expanded(const std::vector<Coefficients>& coefficients) const {
        std::vector<Predictor> predictors;
        predictors.reserve(coefficients.size());
        for (const Coefficients& c : coefficients) predictors.push_back(expand(c, planes_));
        return predictors;
    }

    // Start from those trained predictors that together code the image best, found one after the other.
    void pick_trained() {
        const auto n = static_cast<std::size_t>(std::min<int>(search_.candidates, kTrained));
        std::vector<Coefficients> trained;
        for (unsigned k = 0; k < n; ++k) trained.push_back(trained_predictor(k, planes_));
        const auto totals = score(trained);
        const auto sampled = sampled_blocks();
        std::vector<std::uint32_t> best(blocks(), 1u << 30);
        const auto limit = std::min<std::size_t>(n, static_cast<std::size_t>(search_.predictors));
        while (set_.parents.size() < limit) {
            std::uint64_t least = ~std::uint64_t{0};
            std::size_t pick = 0;
            for (std::size_t k = 0; k < n; ++k) {
                std::uint64_t sum = 0;
                for (std::size_t b : sampled) sum += std::min(best[b], totals[b * n + k]);
                if (sum < least) least = sum, pick = k;
            }
            const bool first = set_.parents.empty();
            std::uint64_t before = 0;
            for (std::size_t b : sampled) before += best[b];
            // A further class costs bits in every block's choice; it must save some.
            if (!first &&
                (before - least) * static_cast<unsigned>(stride_ * search_.block_stride) < kBit * (16 + blocks() / 16))
                break;
            set_.parents.push_back(static_cast<unsigned>(pick));
            set_.coefficients.push_back(trained[pick]);
            for (std::size_t b : sampled) best[b] = std::min(best[b], totals[b * n + pick]);
        }
    }

    void assign() {
        const std::size_t n = set_.coefficients.size();
        totals_ = score(set_.coefficients);
        set_.classes.assign(blocks(), 0);
        const std::uint32_t switching = switching_at(stride_);
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

    // The cost of a change of class, and what a class may be behind the best one so far, next to scores of every so
    // manieth step. How far scores of few steps miss those of all grows with the square root of their number.
    static std::uint32_t switching_at(int stride) { return kSwitchBits * kBit / static_cast<unsigned>(stride); }
    std::uint32_t margin_at(int stride) const {
        return static_cast<std::uint32_t>(static_cast<float>(search_.margin * kBit) /
                                          std::sqrt(static_cast<float>(stride)));
    }

    // The final choice for every block: its best predictors are compared again on more pixels, by and by if there is a
    // margin, behind which they are given up.
    void decide() {
        const std::size_t n = set_.coefficients.size();
        const std::vector<Predictor> predictors = expanded(set_.coefficients);
        std::vector<Predictor> chosen(n);
        struct Candidate {
            std::uint32_t total;
            std::size_t predictor;
        };
        std::vector<Candidate> left;
        std::vector<std::uint32_t> totals(n);
        std::size_t previous = 0;
        for (std::size_t b = 0; b < blocks(); ++b) {
            left.clear();
            for (std::size_t k = 0; k < n; ++k) left.push_back({totals_[b * n + k], k});
            for (int stride = stride_;;) {
                const auto cost = [&](const Candidate& c) {
                    return c.total + (c.predictor == previous ? 0 : switching_at(stride));
                };
                std::sort(left.begin(), left.end(), [&](const Candidate& x, const Candidate& y) {
                    return cost(x) != cost(y) ? cost(x) < cost(y) : x.predictor < y.predictor;
                });
                const auto same =
                    std::find_if(left.begin(), left.end(), [&](const Candidate& c) { return c.predictor == previous; });
                if (const auto most = static_cast<std::size_t>(search_.finalists); left.size() > most) {
                    if (same - left.begin() >= search_.finalists) left[most - 1] = *same;
                    left.resize(most);
                }
                if (search_.margin)
                    while (cost(left.back()) > cost(left.front()) + margin_at(stride)) left.pop_back();
                if (left.size() == 1 || stride <= search_.last_stride) break;
                const int next = search_.margin ? stride / 2 : search_.last_stride;
                for (std::size_t i = 0; i < left.size(); ++i)
                    chosen[i] = predictors[left[i].predictor], totals[i] = left[i].total;
                add_scores(b, sampled_steps(b, next, stride), chosen.data(), left.size(), totals.data());
                for (std::size_t i = 0; i < left.size(); ++i) left[i].total = totals[i];
                stride = next;
            }
            previous = left.front().predictor;
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
                solve(sums, c, set_.coefficients[k], parent_of(k));
            }
    }

    void add_block(std::size_t block, int c, const Coefficients& coefficients, Sums& sums) const {
        std::array<float, kMaxTaps> scaled;
        for (int j = 0; j < taps_of(c); ++j)
            scaled[static_cast<std::size_t>(j)] =
                static_cast<float>(coefficients[static_cast<std::size_t>(first_tap(c) + j)]) / (1 << kPredictionBits);
        const Steps steps = sampled_steps(block, search_.fit_stride);
        if (!steps.count) return;
        const auto add = [&] {
            if constexpr (sizeof(T) == 2)
                return wavefront_kernels().least_squares16;
            else
                return wavefront_kernels().least_squares32;
        }();
        sums.pixels += add(strip_with(block), c, steps.of.data(), steps.count, scaled.data(), sums.products.data());
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
        std::vector<std::int64_t> saved(n, 0);
        std::vector<std::array<Predictor, 2>> both;
        for (std::size_t k = 0; k < n; ++k)
            both.push_back({expand(set_.coefficients[k], planes_), expand(parent_of(k), planes_)});
        for (std::size_t b : sampled_blocks()) {
            const std::size_t k = set_.classes[b];
            std::array<std::uint32_t, 2> totals{};
            add_scores(b, sampled_steps(b, stride_), both[k].data(), 2, totals.data());
            saved[k] += static_cast<std::int64_t>(totals[1]) - totals[0];
        }
        for (std::size_t k = 0; k < n; ++k) {
            const std::int64_t score = saved[k] * stride_ * search_.block_stride,
                               bits = 5 * (planes_ == 1 ? kOwnTaps : kColourTaps);
            if (score < bits * kBit) set_.coefficients[k] = parent_of(k);
        }
    }

    Coefficients parent_of(std::size_t k) const { return trained_predictor(set_.parents[k], planes_); }

    const std::vector<StripBuffer<T>>& strips_;
    const Band& band_;
    const Search& search_;
    int planes_;
    PredictorSet set_;
    std::vector<std::uint32_t> totals_;
    int stride_ = 1;  // of the steps that are scored
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
