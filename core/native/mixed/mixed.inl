// The mixed coder's loop, compiled once per instruction set (format.md, 7.1.12).
//
// One sample: features, two fitted predictions and five simple ones, their combination, its bias; then decisions, "is
// it at least t?", from the prediction outwards. Each decision joins in the logistic domain what eight logistic
// distributions, two counters and six memories of colours say of it, by weights that learn (Mahoney, "Adaptive weighing
// of context models for lossless data compression", 2005). Predictions are combined by their errors nearby, and coded
// by their distributions, as in "TMW" (Meyer, Tischer 1997).
#pragma once
#include "mixed/local_fit.hpp"
#include "mixed/mixed.hpp"
#include "mixed/variants.hpp"

namespace aig::mixed {
namespace {

#include "mixed/trained_mixer.inl"

inline constexpr int kPad = 4;      // columns beside the region's box
inline constexpr int kRows = 4;     // rows that are kept: this one, and three above
inline constexpr int kExperts = 8;  // logistic distributions: four means at two scales
inline constexpr int kErrors = 8;   // predictions whose errors are kept: fit, LMS, combination, five simple ones
inline constexpr int kCounters = 2, kMemories = 6;
inline constexpr int kCounterInput = kExperts, kMemoryInput = kCounterInput + kCounters,
                     kConstantInput = kMemoryInput + kMemories;
inline constexpr int kInputs = kConstantInput + 1;
inline constexpr std::int16_t kConstant = 80;
inline constexpr int kNodes = 64;  // places in the order of a sample's decisions
inline constexpr int kContexts = 1024;
inline constexpr int kEnergies = 24;
inline constexpr int kByErrors = 32, kByConfidence = 36;
inline constexpr int kBiases = 64 * kEnergies;
inline constexpr int kFeatureLimit = 2047;
inline constexpr int kLine = 16;  // thresholds that share a line of memory

// 0, 1, 2, 3, 4, 5, ..: twice the binary logarithm.
AIG_INLINE int half_octaves(std::uint32_t v) {
    if (v < 2) return 0;
    const int top = std::bit_width(v) - 1;
    return 2 * top + static_cast<int>(v >> (top - 1) & 1);
}
AIG_INLINE int eighth(int v) { return std::min(7, half_octaves(static_cast<std::uint32_t>(v) + 1)); }

struct Counter {
    std::uint16_t p;  // of "yes", in 1/65536
    std::uint8_t seen, check;
    AIG_INLINE void learn(bool yes) {
        p = static_cast<std::uint16_t>(p + (((yes ? 65535 : 0) - int{p}) * kRate[seen] >> 16));
        seen = static_cast<std::uint8_t>(seen + (seen < kPatience));
    }
};
inline constexpr Counter kNew{32768, 0, 0};

template <class T> void fill(const Scratch<T>& s, std::size_t n, const T& v) { std::fill_n(s.get(), n, v); }

// What the coder has learnt of one plane.
struct PlaneModel {
    Scratch<Counter> counters{std::size_t{kCounters} * kContexts * kNodes};
    std::vector<Weights> by_energy, by_errors, by_confidence;
    std::vector<std::int32_t> bias;  // in 1/4096
    std::vector<std::uint8_t> bias_seen;
    alignas(64) std::int32_t lms[kWide] = {};  // in 1/65536
    alignas(64) Weights lms_high;              // the same in 1/4096
    int decisions = 0;

    // How fast the mixers learn, in 1/64: slower as there is more that they have learnt from.
    AIG_INLINE int rate() {
        const int n = decisions;
        decisions += n < 300000;
        return n < 20000 ? 6 : n < 100000 ? 4 : n < 300000 ? 3 : 2;
    }

    explicit PlaneModel(int trained)
        : by_energy(kNodes * kEnergies), by_errors(kNodes * kByErrors), by_confidence(kNodes * kByConfidence),
          bias(kBiases, 0), bias_seen(kBiases, 0) {
        fill(counters, std::size_t{kCounters} * kContexts * kNodes, kNew);
        const auto start = [&](std::vector<Weights>& sets, int which, std::size_t each) {
            for (std::size_t s = 0; s < sets.size(); ++s)
                for (std::size_t i = 0; i < kInputs; ++i)
                    sets[s].w[i] = kTrainedMixer[(trained * 3 + which) * kNodes + s / each][i];
        };
        start(by_energy, 0, kEnergies);
        start(by_errors, 1, kByErrors);
        start(by_confidence, 2, kByConfidence);
    }
};

// Rows of one plane, each with kPad columns on both sides; row(0) is the current one, row(k) the k-th above.
template <class T> class Rows {
  public:
    Rows(int width, T v) : stride_(width + 2 * kPad), data_(static_cast<std::size_t>(kRows * stride_), v) {}
    AIG_INLINE T* row(int up) { return const_cast<T*>(std::as_const(*this).row(up)); }
    AIG_INLINE const T* row(int up) const { return data_.data() + ((at_ - up) & (kRows - 1)) * stride_ + kPad; }
    void advance() { at_ = (at_ + 1) & (kRows - 1); }

  private:
    int stride_;
    std::vector<T> data_;
    int at_ = 0;
};

struct alignas(16) Errors {
    std::int16_t of[kErrors] = {};
};

template <class Sample> struct Plane {
    Rows<Sample> samples;
    Rows<std::uint16_t> error;  // of the final prediction, in 1/8
    Rows<Errors> errors;        // of each, in 1/16
    LocalFit fit;
    PlaneModel model;

    Plane(int width, Sample start, int features, int trained)
        : samples(width, start), error(width, 0), errors(width, Errors{}), fit(features, width), model(trained) {}
};

template <class Pixel, class Coder> class Codec {
    static constexpr bool kDeep = sizeof(Pixel) > 1;
    static constexpr int kMost = static_cast<Pixel>(-1);
    static constexpr int kDepth = 8 * sizeof(Pixel);
    using Sample = Pixel;

  public:
    Codec(Coder& coder, const MixedPlanes& planes, const Box& box, std::int64_t pixels, int shift, const int* start)
        : coder_(coder), planes_(planes), width_(box.right - box.left), shift_(kDeep ? shift : 0) {
        plane_.reserve(static_cast<std::size_t>(planes.count));
        for (int c = 0; c < planes.count; ++c)
            plane_.emplace_back(width_, static_cast<Sample>(start[c]), features_of(c), is_alpha(c) ? 0 : c);
        memory_bits_ = memory_bits(pixels * planes.count);
        memory_ = Scratch<Counter>((std::size_t{kLine} << memory_bits_) + kLine);
        lines_ =
            reinterpret_cast<Counter*>((reinterpret_cast<std::uintptr_t>(memory_.get()) + 63) & ~std::uintptr_t{63});
        std::fill_n(lines_, std::size_t{kLine} << memory_bits_, kNew);
    }

    // Code the region's pixels within the box; `pixels` is read or written.
    template <class P> void run(View<P> pixels, const Region& region, const Box& box) {
        for (int y = box.top; y < box.bottom; ++y) {
            const std::uint8_t* classes = region.map.row(y) + box.left;
            const auto inside = [&](int x) { return classes[x] >= region.first && classes[x] <= region.last; };
            int first = 0;
            while (first < width_ && !inside(first)) ++first;
            if (first == width_) continue;
            start_row();
            P* row = pixels.row(y) + std::ptrdiff_t{box.left} * pixels.channels;
            bool solved = false, started = false;
            for (int x = 0; x < width_; ++x) {
                if (x % kBlock == 0) {
                    if (x) close(x / kBlock - 1);
                    solved = false;
                }
                if (!inside(x)) {
                    skip(x, started);
                    continue;
                }
                started = true;
                for (int c = 0; c < planes_.count; ++c) {
                    if (!solved) plane_[static_cast<std::size_t>(c)].fit.solve(x / kBlock);
                    P& sample = row[std::ptrdiff_t{x} * pixels.channels + planes_.channel[c]];
                    const int v = code(c, x, Coder::kEncodes ? int{sample} : 0);
                    if constexpr (!Coder::kEncodes) sample = static_cast<P>(v);
                }
                solved = true;
                if constexpr (requires { coder_.coded(x, y); }) coder_.coded(box.left + x, y);
            }
            close((width_ - 1) / kBlock);
            end_row();
            if (coder_.damaged()) throw Corrupt("lossless data is cut");
        }
    }

  private:
    bool is_alpha(int c) const { return planes_.alpha && c == planes_.count - 1; }
    int colours() const { return planes_.count - (planes_.alpha ? 1 : 0); }
    // Four for each earlier plane, two for each later one, of which alpha is none; with the constant.
    int features_of(int c) const { return 14 + 4 * c + 2 * std::max(0, colours() - c - 1) + 1; }
    static int memory_bits(std::int64_t samples) {
        const int bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(samples)));
        return std::clamp(bits - 2, 8, 17);
    }

    void start_row() {
        for (auto& p : plane_) {
            p.samples.advance(), p.error.advance(), p.errors.advance();
            for (int i = -kPad; i < 0; ++i) {
                p.samples.row(0)[i] = p.samples.row(1)[0];
                p.error.row(0)[i] = p.error.row(1)[0];
                p.errors.row(0)[i] = p.errors.row(1)[0];
            }
            p.fit.start_row();
        }
    }
    // Outside the region, what is to the left counts as what is there, at the start of a row what is above.
    void skip(int x, bool started) {
        const int up = started ? 0 : 1, from = started ? x - 1 : x;
        for (auto& p : plane_) {
            p.samples.row(0)[x] = p.samples.row(up)[from];
            p.error.row(0)[x] = p.error.row(up)[from];
            p.errors.row(0)[x] = p.errors.row(up)[from];
        }
    }
    void close(int block) {
        for (auto& p : plane_) p.fit.close(block);
    }
    void end_row() {
        for (auto& p : plane_) {
            for (int i = width_; i < width_ + kPad; ++i) {
                p.samples.row(0)[i] = p.samples.row(0)[width_ - 1];
                p.error.row(0)[i] = p.error.row(0)[width_ - 1];
                p.errors.row(0)[i] = p.errors.row(0)[width_ - 1];
            }
            p.fit.end_row();
        }
    }

    // A difference of samples as a feature.
    AIG_INLINE std::int16_t feature(int difference) const {
        if constexpr (kDeep)
            return static_cast<std::int16_t>(clamp_int(difference >> shift_, -kFeatureLimit, kFeatureLimit));
        return static_cast<std::int16_t>(difference);
    }

    int code(int c, int x, int value);
    // About what a sample may be that follows plane 0.
    AIG_INLINE int near_by(int x, int w, int n) const {
        const auto& z = plane_[0].samples;
        return std::max(0, z.row(0)[x] + ((w - z.row(0)[x - 1] + n - z.row(1)[x]) >> 1));
    }
    void look_up(int c, int x, int near);
    AIG_INLINE Counter* counter(int k, int node) const {
        return &model_->counters[static_cast<std::size_t>((k * kContexts + context_[k]) * kNodes + node)];
    }
    Counter* line_of(std::uint32_t hash, int threshold) const {
        const std::uint32_t h = (hash + static_cast<std::uint32_t>(threshold / kLine) * 0x9E3779B1u) * 0x85EBCA6Bu;
        return lines_ + static_cast<std::size_t>(h >> (32 - memory_bits_)) * kLine;
    }
    AIG_INLINE void fetch(std::uint32_t hash, int threshold) const { __builtin_prefetch(line_of(hash, threshold), 1); }
    AIG_INLINE bool decide(bool yes, int node, int threshold, const Octet& logits);

    AIG_INLINE Octet distance(int threshold) const {
        const Octet d = all(64 * threshold - 32) - load(means_);
        return right<12>(clamp(kDeep ? right(d, shift_) : d, all(-8191), all(8191)) * load(inverse_));
    }
    // ln(1 + e^x)
    static AIG_INLINE Octet softplus(const Octet& x) {
        const Octet a = min(abs(x), all(kLogitLimit)), entry = lookup(kSoftplus.data(), right<7>(a));
        const Octet part = a - left(right<7>(a), 7);
        return max(x, all(0)) + right<16>(entry) - right<7>((entry - left(right<16>(entry), 16)) * part);
    }
    AIG_INLINE Octet step_logit(int step) const {
        const int width = static_cast<int>(std::min<std::int64_t>(std::int64_t{step} * 64 >> shift_, 8191));
        alignas(32) std::int32_t d[8];
        store(d, min(right<12>(all(width) * load(inverse_)), all(kStepLimit)));
        for (std::int32_t& i : d) i = kStepLogit[static_cast<std::size_t>(i)];
        return load(d);
    }

    Coder& coder_;
    MixedPlanes planes_;
    int width_, shift_;
    std::vector<Plane<Sample>> plane_;
    int memory_bits_;
    Scratch<Counter> memory_{0};
    Counter* lines_;

    // Of the sample that is being coded.
    alignas(32) std::int32_t means_[kExperts], inverse_[kExperts];  // in 1/64; 2^20 over the scale in 1/64
    alignas(64) std::int16_t inputs_[kWide] = {};
    int current_ = 0;  // the plane
    PlaneModel* model_ = nullptr;
    int context_[kCounters];
    std::uint32_t hash_[kMemories];
    int earlier_[2];  // the earlier planes' samples, or what stands in for them
    int energy_ = 0, errors_ = 0;
};

template <class Pixel, class Coder>
bool Codec<Pixel, Coder>::decide(bool yes, int node, int threshold, const Octet& logits) {
    narrow(inputs_, clamp(logits, all(-kLogitLimit), all(kLogitLimit)));
    Counter* counters[kCounters + kMemories];
    for (int k = 0; k < kCounters; ++k) {
        counters[k] = counter(k, node);
        inputs_[kCounterInput + k] = static_cast<std::int16_t>(kLogistic.stretch(counters[k]->p));
    }
    for (int k = 0; k < kMemories; ++k) {
        Counter* slot = line_of(hash_[k], threshold) + threshold % kLine;
        const auto check = static_cast<std::uint8_t>(hash_[k]);
        if (slot->check != check) *slot = {32768, 0, check};
        counters[kCounters + k] = slot;
        inputs_[kMemoryInput + k] = static_cast<std::int16_t>(kLogistic.stretch(slot->p));
    }
    static constexpr std::uint8_t confidence[kPatience + 1] = {
        0, 1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
        5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
    const int sure = confidence[counters[kCounters]->seen] * 6 + confidence[counters[kCounters + 1]->seen];
    inputs_[kConstantInput] = kConstant;
    std::int16_t* a = model_->by_energy[static_cast<std::size_t>(node * kEnergies + energy_)].w;
    std::int16_t* b = model_->by_errors[static_cast<std::size_t>(node * kByErrors + errors_)].w;
    std::int16_t* d = model_->by_confidence[static_cast<std::size_t>(node * kByConfidence + sure)].w;
    const unsigned p = kLogistic.squash(clamp_int(dot(inputs_, a, b, d) >> 14, -kLogitLimit, kLogitLimit));
    yes = coder_.bit(p, yes);
    learn(inputs_, (((yes ? 65536 : 0) - static_cast<int>(p)) * model_->rate()) >> 6, a, b, d);
    if constexpr (requires { coder_.note(0, 0, 0, a); })
        coder_.note(current_, 0, node, a), coder_.note(current_, 1, node, b), coder_.note(current_, 2, node, d);
    for (Counter* counter : counters) counter->learn(yes);
    return yes;
}

AIG_INLINE std::uint32_t joined(std::uint32_t k, int a, int b, int c) {
    std::uint32_t h = k * 0x9E3779B1u;
    for (const int v : {a, b, c}) {
        h = (h ^ static_cast<std::uint32_t>(v)) * 0x85EBCA6Bu;
        h ^= h >> 15;
    }
    return h;
}

// The contexts of the memories. What is there is fetched for the line of `near`.
template <class Pixel, class Coder> AIG_INLINE void Codec<Pixel, Coder>::look_up(int c, int x, int near) {
    const auto& own = plane_[static_cast<std::size_t>(c)].samples;
    const Sample *here = own.row(0) + x, *up = own.row(1) + x;
    const int w = here[-1], n = up[0];
    earlier_[0] = n, earlier_[1] = w;
    int left[2] = {own.row(2)[x], here[-2]}, above[2] = {up[1], up[-1]};
    for (int d = 0; d < std::min(c, 2); ++d) {
        const auto& other = plane_[static_cast<std::size_t>(d)].samples;
        earlier_[d] = other.row(0)[x];
        left[d] = earlier_[d] - other.row(0)[x - 1];
        above[d] = earlier_[d] - other.row(1)[x];
    }
    const auto k = static_cast<std::uint32_t>(c);
    hash_[0] = joined(8 * k + 1, above[0], above[1], n);
    hash_[1] = joined(8 * k + 2, left[0], left[1], w);
    hash_[2] = joined(8 * k + 3, earlier_[0], 0, 0);
    hash_[3] = joined(8 * k + 4, earlier_[0], earlier_[1], energy_ / 4);
    hash_[4] = joined(8 * k + 5, earlier_[0], earlier_[1], 0);
    hash_[5] = joined(8 * k + 6, earlier_[0], near / 4, 0);
    for (const std::uint32_t h : hash_) fetch(h, near);
}

template <class Pixel, class Coder> int Codec<Pixel, Coder>::code(int c, int x, int value) {
    auto& plane = plane_[static_cast<std::size_t>(c)];
    PlaneModel& model = plane.model;
    current_ = c;
    model_ = &model;
    const int role = is_alpha(c) ? 0 : c;

    // Neighbours, and features
    Sample* const here = plane.samples.row(0) + x;
    const Sample *up = plane.samples.row(1) + x, *up2 = plane.samples.row(2) + x, *up3 = plane.samples.row(3) + x;
    const int w = here[-1], n = up[0], nw = up[-1], ne = up[1], ww = here[-2], nn = up2[0];
    const int base = (3 * w + 3 * n + ne + nw + 4) >> 3;
    alignas(64) std::int16_t f[kWide] = {};
    int features = 0;
    const auto put = [&](int difference) AIG_INLINE_LAMBDA { f[features++] = feature(difference); };
    for (const int v : {w, n, nw, ne, ww, nn, int{up2[1]}, int{up2[-1]}, int{up[-2]}, int{up[2]}, int{here[-3]},
                        int{up3[0]}, int{up2[2]}, int{up2[-2]}})
        put(v - base);
    for (int d = 0; d < c; ++d) {
        const Sample *z = plane_[static_cast<std::size_t>(d)].samples.row(0) + x,
                     *above = plane_[static_cast<std::size_t>(d)].samples.row(1) + x;
        put(z[0] - z[-1]), put(z[0] - above[0]), put(z[0] - above[-1]), put(z[0] - above[1]);
    }
    for (int d = c + 1; d < colours(); ++d) {
        const Sample *z = plane_[static_cast<std::size_t>(d)].samples.row(0) + x,
                     *above = plane_[static_cast<std::size_t>(d)].samples.row(1) + x;
        put(z[-1] - above[-1]), put(above[0] - above[-1]);
    }
    f[features++] = 2;

    // Energy: how large errors are to be expected, in 1/8 of some mean of 22
    const std::uint16_t *e = plane.error.row(0) + x, *e1 = plane.error.row(1) + x, *e2 = plane.error.row(2) + x;
    const auto error_of = [&](int d)
                              AIG_INLINE_LAMBDA { return int{plane_[static_cast<std::size_t>(d)].error.row(0)[x]}; };
    const int activity =
        (abs_int(w - nw) + abs_int(nw - n) + abs_int(n - ne) + abs_int(w - ww) + abs_int(n - nn)) >> shift_;
    int energy8 = 2 * (2 * (e[-1] + e1[0]) + e1[-1] + e1[1] + e[-2] + e2[0]) + 4 * activity;
    if (role == 1) energy8 += 4 * error_of(0);
    if (role == 2) energy8 += 3 * (error_of(0) + error_of(1));
    energy_ = std::min(kEnergies - 1, half_octaves(static_cast<std::uint32_t>(energy8 >> 3) + 1));
    look_up(c, x, role == 0 ? base : near_by(x, w, n));

    // Predictions in 1/64: 0 fit, 1 LMS, 2 combination, 3..7 simple
    constexpr int lowest = -64, highest = 64 * (kMost + 1);
    alignas(32) std::int32_t predicted[kErrors];
    const auto fitted = [&](const std::int16_t* weights) AIG_INLINE_LAMBDA {
        return clamp_int(64 * base + (dot(f, weights) >> 6) * (1 << shift_), lowest, highest);
    };
    predicted[0] = fitted(plane.fit.weights());
    predicted[1] = fitted(model.lms_high.w);
    predicted[3] = 64 * med(w, n, nw);
    if (role == 0) {
        predicted[4] = 64 * n + 32 * (ne - n) + 32 * (w - nw);
        predicted[5] = 64 * w + 16 * (ne - nw) + 16 * (n - nw);
        predicted[6] = 64 * (2 * n - nn);
        predicted[7] = 64 * (2 * w - ww);
    } else {
        const Sample *z = plane_[0].samples.row(0) + x, *above = plane_[0].samples.row(1) + x;
        const int dw = w - z[-1], dn = n - above[0], dnw = nw - above[-1];
        predicted[4] = 64 * (z[0] + med(dw, dn, dnw));
        predicted[5] = 64 * z[0] + 32 * (dw + dn);
        predicted[6] = 64 * (w + z[0] - z[-1]);
        predicted[7] = 64 * (n + z[0] - above[0]);
        if (role == 2) {
            const Sample *t = plane_[1].samples.row(0) + x, *tup = plane_[1].samples.row(1) + x;
            const int ew = w - t[-1], en = n - tup[0], enw = nw - tup[-1];
            predicted[6] = 64 * (t[0] + med(ew, en, enw));
            predicted[7] = 32 * (t[0] + z[0]) + 16 * (ew + en) + 16 * (dw + dn);
        }
    }

    // Eight times the mean error of each around here, in 1/16
    std::uint32_t around[kErrors];
    {
        const Errors *e = plane.errors.row(0) + x, *e1 = plane.errors.row(1) + x, *e2 = plane.errors.row(2) + x;
        for (int k = 0; k < kErrors; ++k)
            around[k] = static_cast<std::uint16_t>((e[-1].of[k] + e1[0].of[k]) * 2 + e1[-1].of[k] + e1[1].of[k] +
                                                   e[-2].of[k] + e2[0].of[k]);
        std::int64_t total = 0, sum = 0;
        for (int k = 0; k < kErrors; ++k) {
            if (k == 2) continue;
            const std::int64_t trust = std::int64_t{kTrust[std::min<std::uint32_t>(1024, around[k] >> 2)]} << (k == 0);
            total += trust;
            sum += trust * predicted[k];
        }
        predicted[2] = static_cast<std::int32_t>(sum / total);
    }

    // Bias
    const int middle = predicted[2];
    const int order = (64 * w > middle) | (64 * n > middle) << 1 | (64 * nw > middle) << 2 | (64 * ne > middle) << 3 |
                      (64 * ww > middle) << 4 | (64 * nn > middle) << 5;
    const auto cell = static_cast<std::size_t>(order * kEnergies + energy_);
    const int seen = model.bias_seen[cell];
    const int prediction =
        clamp_int(middle + ((model.bias[cell] >> 6) * (256 * seen / (seen + 12)) >> 8), 0, 64 * kMost);
    const int guess = (prediction + 32) >> 6, fraction = prediction - 64 * guess;

    // The distributions
    for (int k = 0; k < kExperts / 2; ++k) {
        const int mean_error = static_cast<int>(around[std::min(k, 2)]);
        const int scale =
            std::max(5, ((mean_error * 10 >> 6) + (energy8 * 37 >> 9) + (plane.fit.residual() * 20 >> 4) + 8) >> 1);
        means_[k] = means_[k + 4] = k < 3 ? predicted[k] : prediction;
        inverse_[k] = std::min((1 << 20) / scale, 1 << 17);
        inverse_[k + 4] = inverse_[k] * 9 >> 4;
    }

    // Contexts
    const int quarter = (fraction + 32) >> 4;
    const int q0 = c > 0 ? eighth(error_of(0) >> 2) : 0, q1 = c > 1 ? eighth(error_of(1) >> 2) : 0;
    const int qw = eighth(e[-1] >> 2), qn = eighth(e1[0] >> 2);
    context_[0] = order * 8 + energy_ / 3;
    context_[1] = (guess >> (kDepth - 8)) * 4 + quarter;
    errors_ = c ? q0 * 4 + std::min(3, q1) : qw * 4 + std::min(3, qn / 2);
    const int threshold = std::min(fraction < 0 ? guess : guess + 1, kMost);
    for (const std::uint32_t h : hash_) fetch(h, threshold);
    for (int k = 0; k < kCounters; ++k) __builtin_prefetch(counter(k, 0), 1), __builtin_prefetch(counter(k, 16), 1);

    // Decisions: the side, then steps away from the prediction, then halves of the last step
    const int level = energy8 / 22, size = level > 192 ? 4 : level > 96 ? 3 : level > 48 ? 2 : level > 24 ? 1 : 0;
    Octet z = distance(threshold);
    const bool above = decide(value >= threshold, fraction < 0, threshold, all(0) - z);
    int step = (1 << size) << shift_, low = above ? threshold : 0, high = above ? kMost + 1 : threshold;
    const int side = 2 + 10 * above + (size > 1 ? 20 : 0);
    Octet logit = step_logit(step);
    int steps = 0;
    while (high - low > step) {
        const int next = above ? low + step : high - step;
        // Of being beyond the next threshold, where it is known to be beyond the last.
        const Octet o = above ? softplus(all(0) - z) - logit : logit - softplus(z);
        const bool at_least = decide(value >= next, side + std::min(steps, 9), next, o);
        if (at_least != above) {
            (above ? high : low) = next;
            break;
        }
        (above ? low : high) = next;
        z = distance(next);
        if (++steps >= 7) {
            step <<= 1;
            logit = step_logit(step);
        }
    }
    if (high - low > 1) {
        Octet from = distance(low), to = distance(high);
        for (int halves = 0; high - low > 1; ++halves) {
            const int next = (low + high) >> 1;
            const Octet at = distance(next), o = to - at + softplus(from) - softplus(to);
            if (decide(value >= next, 42 + std::min(halves, 4) + 5 * above + 10 * (steps > 0), next, o))
                low = next, from = at;
            else
                high = next, to = at;
        }
    }
    value = low;
    here[0] = static_cast<Sample>(value);

    // What was wrong, and what to learn from it
    const int exact = 64 * value;
    const Octet wrong = right(abs(all(exact) - load(predicted)), 2 + shift_);
    narrow(plane.errors.row(0)[x].of, min(wrong, all(4095)));
    plane.error.row(0)[x] = static_cast<std::uint16_t>(std::min(2047, abs_int(exact - prediction) >> (3 + shift_)));
    const std::int64_t off = std::int64_t{exact - middle} * 64 - model.bias[cell];
    model.bias[cell] += static_cast<std::int32_t>(off * kRate[static_cast<std::size_t>(seen + 3)] >> 16);
    model.bias_seen[cell] = static_cast<std::uint8_t>(seen + (seen < static_cast<int>(kPatience)));

    const int squares = dot(f, f);
    const int missed = clamp_int((exact - predicted[1]) >> shift_, -4096, 4096);
    const Octet gain = all(clamp_int(missed * (2621 * 64) / (squares + 220), -(1 << 20), 1 << 20));
    for (int k = 0; k < kWide; k += 8) {
        const Octet v = load(model.lms + k) + right<12>(gain * widen(f + k));
        const Octet cut = clamp(v, all(-(1 << 19) + 16), all((1 << 19) - 1));
        store(model.lms + k, cut);
        narrow(model.lms_high.w + k, right<4>(cut));
    }
    f[features] = feature(value - base);
    const int most = std::max(1, largest(f)), mean = 16 + static_cast<int>(around[0] >> 3);
    plane.fit.add(f, std::max(1, std::min({(1 << 20) / (mean * mean), (1 << 24) / (most * most), (1 << 18) / most})));
    return value;
}

template <class Pixel, class Coder>
void run_codec(Coder& coder, View<std::conditional_t<Coder::kEncodes, const Pixel, Pixel>> pixels,
               const MixedPlanes& planes, const Region& region, const Box& box, std::int64_t count, int shift,
               const int* start) {
    Codec<Pixel, Coder>(coder, planes, box, count, shift, start).run(pixels, region, box);
}

[[maybe_unused]] inline constexpr Kernels kKernels{
    run_codec<std::uint8_t, BinaryWriter>, run_codec<std::uint16_t, BinaryWriter>,
    run_codec<std::uint8_t, BinaryReader>, run_codec<std::uint16_t, BinaryReader>};

}  // namespace
}  // namespace aig::mixed
