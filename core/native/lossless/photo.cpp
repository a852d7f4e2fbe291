#include "lossless/photo.hpp"

#include "lossless/tables.hpp"
#include "lossless/transform_choice.hpp"

#include <cmath>

namespace aig {
namespace {

constexpr unsigned kEnergyShiftBits = 4, kTransformBits = 2;

// The head of a coded band, without predictors and tables.
struct Head {
    unsigned transform, energy_shift;
    bool bias, chains;                  // chains: whether every plane has states of its own
    std::array<int, kMaxPlanes> start;  // what stands above the first strip

    int chain_count(int planes) const { return chains ? planes : 1; }
};

// From so many pixels on, states for every plane cost nothing that matters, and save time.
constexpr std::size_t kChainPixels = 100'000;
// And a start of their own.
constexpr std::size_t kStartPixels = 64;

template <class Pixel> struct Types;
template <> struct Types<std::uint8_t> { using Sample = std::int16_t; };
template <> struct Types<std::uint16_t> { using Sample = std::int32_t; };

template <class T> Strip<T> strip_of(StripBuffer<T>& samples, StripBuffer<T>& errors, const Band& band, int strip) {
    Strip<T> s{};
    for (int c = 0; c < samples.planes(); ++c) s.samples[c] = samples.plane(c), s.errors[c] = errors.plane(c);
    s.active = band.active(strip);
    s.steps = band.steps();
    return s;
}

// A model and what it points to.
struct OwnedModel {
    Model model{};
    std::vector<Predictor> predictors;
    std::vector<std::int32_t> bias;

    OwnedModel(const Head& head, const PredictorSet& set, int planes, int peak) {
        model.planes = planes;
        const auto ranges = plane_ranges(planes, head.transform, peak);
        for (int c = 0; c < planes; ++c)
            model.low[c] = ranges[static_cast<std::size_t>(c)].low,
            model.high[c] = ranges[static_cast<std::size_t>(c)].high;
        model.energy_shift = static_cast<int>(head.energy_shift);
        for (const Coefficients& c : set.coefficients) predictors.push_back(expand(c, planes));
        model.predictors = predictors.data();
        if (head.bias) bias.assign(kMaxPlanes * kBiasCells, 0);
        model.bias = head.bias ? bias.data() : nullptr;
        model.chains = head.chain_count(planes);
    }
    OwnedModel(const OwnedModel&) = delete;
};

// The middles of the planes' ranges.
std::array<int, kMaxPlanes> middles(int planes, unsigned transform, int peak) {
    std::array<int, kMaxPlanes> values{};
    const auto ranges = plane_ranges(planes, transform, peak);
    for (std::size_t c = 0; c < values.size(); ++c) values[c] = ranges[c].middle();
    return values;
}

// Starts are counted from the low end of the range, which may need a bit more than samples do.
template <class Pixel> constexpr unsigned kStartBits = 8 * sizeof(Pixel) + 1;

template <class T>
void model_strip(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, std::uint32_t* values) {
    if constexpr (sizeof(T) == 2)
        wavefront_kernels().model16(strip, model, classes, values);
    else
        wavefront_kernels().model32(strip, model, classes, values);
}

template <class T>
bool decode_strip(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, const std::uint64_t* tables,
                  Words& words) {
    if constexpr (sizeof(T) == 2)
        return wavefront_kernels().decode16(strip, model, classes, tables, words);
    else
        return wavefront_kernels().decode32(strip, model, classes, tables, words);
}

// States lie in [2^16, 2^32): the position of the highest bit, and what is below it.
void put_state(BitWriter& out, std::uint32_t x) {
    const auto top = static_cast<unsigned>(std::bit_width(x)) - 1;
    out.put(top - 16, 4);
    out.put(x & ((1u << top) - 1), top);
}

std::uint32_t get_state(BitReader& in) {
    const unsigned top = in.get(4) + 16;
    return 1u << top | in.get(top);
}

// First of the trained contexts that belong to a component.
unsigned first_context(int planes) { return planes == 1 ? 3 * kPlaneContexts : 0; }

// EncodingTables of a set, with their memory.
class SymbolTables {
  public:
    explicit SymbolTables(const TableSet& set) : places_(set.table_of.size() * kAlphabet), slots_(1) {
        std::array<std::size_t, 256> known{};  // by table, the context after the one that has it already
        for (std::size_t c = 0; c < set.table_of.size(); ++c) {
            std::size_t& same = known[set.table_of[c]];
            if (same) {
                std::copy_n(&places_[(same - 1) * kAlphabet], kAlphabet, &places_[c * kAlphabet]);
                continue;
            }
            same = c + 1;
            const Frequencies& f = set.tables[set.table_of[c]];
            auto place = static_cast<std::uint32_t>(slots_.size());
            slots_.resize(slots_.size() + kScale);
            fill_slots(f, &slots_[place]);
            for (std::size_t s = 0; s < kAlphabet; ++s) {
                places_[c * kAlphabet + s] = f[s] | place << kFrequencyBits;
                place += f[s];
            }
        }
        slots_.push_back(0);
    }
    EncodingTables view() const { return {places_.data(), slots_.data()}; }

  private:
    std::vector<std::uint32_t> places_;
    std::vector<std::uint16_t> slots_;
};

// A band modelled: every value with its context, strip by strip.
template <class Pixel> class Encoder {
    using T = typename Types<Pixel>::Sample;

  public:
    Encoder(View<const Pixel> pixels, Component component, const Band& band, const PhotoSettings& settings)
        : band_(band), planes_(component.planes), head_{component.planes > 1 ? choose_transform(pixels, component, band)
                                                                             : unsigned{kSubtractGreen},
                                                        sizeof(Pixel) == 1 ? 0u : 4u,
                                                        settings.bias && sizeof(Pixel) == 1,
                                                        component.planes > 1 && band.pixels() >= kChainPixels,
                                                        {}} {
        head_.start = choose_start(pixels, component);
        load(pixels, component);
        set_ = choose_predictors<T>(strips_, band, settings.search);
        model();
    }

    const std::vector<Counts>& counts() const { return counts_; }

    // Bits of every pixel of the band by the tables chosen for it; other pixels are left alone.
    void costs(View<float> bits) const {
        BitWriter unused;
        const TableSet set = choose_tables(counts_, first_context(planes_), unused);
        const std::uint32_t* value = values_.get();
        for (int s = 0; s < band_.strips(); ++s)
            for (int t = 0; t < band_.steps(); ++t)
                for (int c = 0; c < planes_; ++c, value += kLanes)
                    for (unsigned left = band_.active(s)[t]; left; left &= left - 1) {
                        const int k = std::countr_zero(left);
                        const std::uint32_t symbol = value[k] >> kSymbolShift & (kAlphabet - 1),
                                            context = value[k] >> kContextShift;
                        const auto frequency =
                            set.tables[set.table_of[static_cast<std::size_t>(c) * kPlaneContexts + context]][symbol];
                        const unsigned raw = symbol < kDirect ? 0 : (symbol >> 1) - (kDirect / 2 - kDirectBits + 1);
                        bits.row(band_.box().top + s * kLanes + k)[band_.box().left + t - kSkew * k] +=
                            static_cast<float>(kScaleBits) - std::log2(static_cast<float>(frequency)) +
                            static_cast<float>(raw);
                    }
    }

    Bytes finish() const {
        BitWriter out;
        out.put(head_.transform, kTransformBits);
        out.put(head_.energy_shift, kEnergyShiftBits);
        out.put(head_.bias, 1);
        out.put(head_.chains, 1);
        const auto ranges = plane_ranges(planes_, head_.transform, static_cast<Pixel>(-1));
        const bool own = head_.start != middles(planes_, head_.transform, static_cast<Pixel>(-1));
        out.put(own, 1);
        for (std::size_t c = 0; own && c < static_cast<std::size_t>(planes_); ++c)
            out.put(static_cast<std::uint32_t>(head_.start[c] - ranges[c].low), kStartBits<Pixel>);
        write_predictors(out, set_, band_, planes_);
        const TableSet set = choose_tables(counts_, first_context(planes_), out);
        return write_symbols(set, out);
    }

  private:
    // The first pixel, if there are enough of them to pay for it.
    std::array<int, kMaxPlanes> choose_start(View<const Pixel> pixels, Component component) const {
        auto start = middles(planes_, head_.transform, static_cast<Pixel>(-1));
        if (band_.pixels() < kStartPixels) return start;
        int x = band_.box().left;
        while (!band_.region().contains(x, band_.box().top)) ++x;
        const Pixel* first = pixels.row(band_.box().top) + std::ptrdiff_t{x} * pixels.channels + component.first;
        std::array<T, kMaxPlanes> samples{};
        T* const planes[] = {&samples[0], &samples[1], &samples[2]};
        if (planes_ == 1)
            samples[0] = static_cast<T>(first[0]);
        else
            load_pixels(first, pixels.channels, head_.transform, planes, 1);
        std::copy_n(samples.begin(), planes_, start.begin());
        return start;
    }

    void load(View<const Pixel> pixels, Component component) {
        for (int s = 0; s < band_.strips(); ++s) {
            strips_.emplace_back(planes_, band_.steps());
            if (s > 0)
                strips_.back().follow(strips_[static_cast<std::size_t>(s) - 1], band_.active(s - 1));
            else
                for (int c = 0; c < planes_; ++c)
                    strips_.back().start(c, static_cast<T>(head_.start[static_cast<std::size_t>(c)]));
            load_strip(pixels, component, head_.transform, band_, s, strips_.back());
        }
    }

    void model() {
        OwnedModel owned(head_, set_, planes_, static_cast<Pixel>(-1));
        values_ = Scratch<std::uint32_t>(per_strip() * strips_.size());
        std::vector<std::uint32_t> sums(kCounters * kPlaneSymbols * static_cast<std::size_t>(planes_), 0);
        StripBuffer<T> errors(planes_, band_.steps());
        for (int c = 0; c < planes_; ++c) errors.start(c, 0);
        for (int s = 0; s < band_.strips(); ++s) {
            if (s > 0) errors.follow(errors, band_.active(s - 1));
            std::uint32_t* values = &values_[per_strip() * static_cast<std::size_t>(s)];
            model_strip(strip_of(strips_[static_cast<std::size_t>(s)], errors, band_, s), owned.model,
                        &set_.classes[static_cast<std::size_t>(s) * static_cast<std::size_t>(band_.blocks())], values);
            count(values, band_.active(s), sums);
        }
        add_up(sums);
    }

    // Count a strip's symbols, with several sets of counters: the same one twice in a row would wait for itself.
    void count(const std::uint32_t* value, const std::uint16_t* active, std::vector<std::uint32_t>& sums) const {
        for (int t = 0; t < band_.steps(); ++t)
            for (std::size_t c = 0; c < static_cast<std::size_t>(planes_); ++c, value += kLanes) {
                std::uint32_t* const counters = &sums[kCounters * kPlaneSymbols * c];
                const auto add = [&](unsigned k) {
                    ++counters[k % kCounters * kPlaneSymbols + (value[k] >> kSymbolShift)];
                };
                if (active[t] == 0xFFFF)
                    for (unsigned k = 0; k < kLanes; ++k) add(k);
                else
                    for (unsigned left = active[t]; left; left &= left - 1)
                        add(static_cast<unsigned>(std::countr_zero(left)));
            }
    }

    void add_up(const std::vector<std::uint32_t>& sums) {
        counts_.assign(static_cast<std::size_t>(planes_) * kPlaneContexts, Counts{});
        for (std::size_t i = 0; i < counts_.size(); ++i)
            for (std::size_t j = 0; j < kCounters; ++j)
                for (std::size_t s = 0; s < kAlphabet; ++s)
                    counts_[i][s] += sums[(kCounters * (i / kPlaneContexts) + j) * kPlaneSymbols +
                                          i % kPlaneContexts * kAlphabet + s];
    }

    // rANS works backwards: the last symbol is coded first, and its words come last.
    Bytes write_symbols(const TableSet& set, BitWriter& out) const {
        const SymbolTables tables(set);
        // Every symbol and every string of raw bits may need a word; memory that none needs is never touched.
        const std::size_t room = 2 * band_.pixels() * static_cast<std::size_t>(planes_) + kEmitMargin;
        const Scratch<std::uint16_t> words(room);
        std::uint16_t* const end = words.get() + room;
        std::uint16_t* next = end;
        std::vector<std::uint32_t> states(static_cast<std::size_t>(head_.chain_count(planes_) * kLanes), kStateLow);
        for (int s = band_.strips(); s-- > 0;)
            next = wavefront_kernels().put(&values_[per_strip() * static_cast<std::size_t>(s)], band_.active(s),
                                           band_.steps(), planes_, head_.chain_count(planes_), tables.view(),
                                           states.data(), next);
        for (std::uint32_t x : states) put_state(out, x);
        Bytes coded = out.finish();
        if constexpr (std::endian::native == std::endian::little) {
            const auto* bytes = reinterpret_cast<const std::uint8_t*>(next);
            coded.insert(coded.end(), bytes, bytes + 2 * (end - next));
        } else {
            for (; next < end; ++next)
                coded.insert(coded.end(), {static_cast<std::uint8_t>(*next), static_cast<std::uint8_t>(*next >> 8)});
        }
        return coded;
    }

    std::size_t per_strip() const {
        return static_cast<std::size_t>(band_.steps()) * static_cast<std::size_t>(planes_) * kLanes;
    }

    static constexpr std::size_t kPlaneSymbols = std::size_t{kPlaneContexts} * kAlphabet, kCounters = 2;

    const Band& band_;
    int planes_;
    Head head_;
    std::vector<StripBuffer<T>> strips_;
    PredictorSet set_;
    Scratch<std::uint32_t> values_{0};
    std::vector<Counts> counts_;
};

// The alias tables of every context, one after the other.
std::vector<std::uint64_t> decoding_tables(const TableSet& set) {
    std::vector<AliasTable> tables(set.tables.size());
    std::array<bool, 256> ready{};
    std::vector<std::uint64_t> out;
    out.reserve(set.table_of.size() * kAlphabet);
    for (std::uint8_t k : set.table_of) {
        if (!ready[k]) tables[k] = alias_table(set.tables[k]), ready[k] = true;
        out.insert(out.end(), tables[k].begin(), tables[k].end());
    }
    return out;
}

}  // namespace

template <class Pixel>
Bytes photo_encode(View<const Pixel> pixels, Component component, const Region& region, int top, int bottom,
                   const PhotoSettings& settings) {
    const Band band(region, top, bottom);
    if (band.empty()) return {};
    return Encoder<Pixel>(pixels, component, band, settings).finish();
}

std::vector<std::uint32_t> photo_statistics(View<const std::uint8_t> pixels, Component component, const Region& region,
                                            int top, int bottom, const PhotoSettings& settings) {
    const Band band(region, top, bottom);
    std::vector<std::uint32_t> out;
    const Encoder<std::uint8_t> encoder(pixels, component, band, settings);
    for (const Counts& c : encoder.counts()) out.insert(out.end(), c.begin(), c.end());
    return out;
}

void photo_costs(View<const std::uint8_t> pixels, Component component, const Region& region, int top, int bottom,
                 const PhotoSettings& settings, View<float> bits) {
    const Band band(region, top, bottom);
    if (!band.empty()) Encoder<std::uint8_t>(pixels, component, band, settings).costs(bits);
}

template <class Pixel>
void photo_decode(std::span<const std::uint8_t> coded, View<Pixel> pixels, Component component, const Region& region,
                  int top, int bottom) {
    using T = typename Types<Pixel>::Sample;
    const Band band(region, top, bottom);
    if (band.empty()) {
        if (!coded.empty()) throw Corrupt("bytes for an empty region");
        return;
    }
    BitReader in(coded);
    Head head{};
    head.transform = in.get(kTransformBits);
    head.energy_shift = in.get(kEnergyShiftBits);
    head.bias = in.get(1);
    head.chains = in.get(1);
    head.start = middles(component.planes, head.transform, static_cast<Pixel>(-1));
    if (in.get(1)) {
        const auto ranges = plane_ranges(component.planes, head.transform, static_cast<Pixel>(-1));
        for (std::size_t c = 0; c < static_cast<std::size_t>(component.planes); ++c) {
            head.start[c] = ranges[c].low + static_cast<int>(in.get(kStartBits<Pixel>));
            if (head.start[c] > ranges[c].high) throw Corrupt("start outside the range of samples");
        }
    }
    if (head.bias && sizeof(Pixel) > 1) throw Corrupt("bias cancellation with samples of 16 bits");
    const PredictorSet set = read_predictors(in, band, component.planes);
    const TableSet table_set =
        read_tables(in, static_cast<unsigned>(component.planes) * kPlaneContexts, first_context(component.planes));
    std::vector<std::uint32_t> states(static_cast<std::size_t>(head.chain_count(component.planes) * kLanes));
    for (std::uint32_t& x : states) x = get_state(in);
    const std::uint8_t* next = in.position();
    const std::ptrdiff_t left = coded.data() + coded.size() - next;
    if (!in.padding_is_zero() || left < 0 || left % 2) throw Corrupt("lossless head is damaged or cut");

    std::vector<std::uint16_t> words(static_cast<std::size_t>(left / 2 + kWordMargin));
    for (std::size_t i = 0; i + kWordMargin < words.size(); ++i, next += 2)
        words[i] = static_cast<std::uint16_t>(next[0] | next[1] << 8);

    const auto tables = decoding_tables(table_set);
    OwnedModel owned(head, set, component.planes, static_cast<Pixel>(-1));
    StripBuffer<T> samples(component.planes, band.steps()), errors(component.planes, band.steps());
    for (int c = 0; c < component.planes; ++c)
        samples.start(c, static_cast<T>(head.start[static_cast<std::size_t>(c)])), errors.start(c, 0);
    Words source{states.data(), words.data(), words.data() + words.size() - kWordMargin};
    for (int s = 0; s < band.strips(); ++s) {
        if (s > 0) samples.follow(samples, band.active(s - 1)), errors.follow(errors, band.active(s - 1));
        const std::uint8_t* classes =
            &set.classes[static_cast<std::size_t>(s) * static_cast<std::size_t>(band.blocks())];
        if (!decode_strip(strip_of(samples, errors, band, s), owned.model, classes, tables.data(), source))
            throw Corrupt("lossless data is cut");
        store_strip(samples, component, head.transform, band, s, pixels);
    }
    const bool clean =
        source.next == source.end && std::all_of(states.begin(), states.end(), [](auto x) { return x == kStateLow; });
    if (!clean) throw Corrupt("lossless data does not end where the region does");
}

template Bytes photo_encode(View<const std::uint8_t>, Component, const Region&, int, int, const PhotoSettings&);
template Bytes photo_encode(View<const std::uint16_t>, Component, const Region&, int, int, const PhotoSettings&);
template void photo_decode(std::span<const std::uint8_t>, View<std::uint8_t>, Component, const Region&, int, int);
template void photo_decode(std::span<const std::uint8_t>, View<std::uint16_t>, Component, const Region&, int, int);

}  // namespace aig
