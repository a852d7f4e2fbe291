#include "lossless/value_ranks.hpp"

#include "lossless/numbers.hpp"

#include <bit>
#include <cmath>

namespace aig {
namespace {

using std::size_t;
using Counts = std::vector<std::uint32_t>;

// Values around one, on either side, by which is judged how many are left out there.
constexpr int kAround = 16;
// So many bits of every sample must be saved, about; and so many samples tell whether that is likely.
constexpr double kLeastGain = 0.03;
constexpr std::int64_t kSampled = 1 << 14;

// Bits of all samples that are saved if each value is coded as one of those around it that occur.
double gain(const Counts& counts) {
    const int size = static_cast<int>(counts.size());
    int used = 0, from = 0, to = 0;
    double bits = 0;
    for (int v = 0; v < size; ++v) {
        while (to < size && to <= v + kAround) used += counts[static_cast<size_t>(to++)] > 0;
        while (from < v - kAround) used -= counts[static_cast<size_t>(from++)] > 0;
        if (const auto n = counts[static_cast<size_t>(v)]) bits += n * std::log2(static_cast<double>(to - from) / used);
    }
    return bits;
}

struct Histogram {
    std::vector<Counts> counts;  // by channel
    std::int64_t samples = 0;

    double gain_per_sample() const {
        double sum = 0;
        for (const Counts& c : counts) sum += gain(c);
        return samples ? sum / static_cast<double>(samples) : 0;
    }
};

// Of every `step`th row, one further on each time.
template <class Pixel> Histogram histogram(View<const Pixel> pixels, const Region& region, int step) {
    Histogram h;
    h.counts.assign(static_cast<size_t>(pixels.channels), Counts(size_t{1} << 8 * sizeof(Pixel)));
    for (int y = step / 2; y < pixels.height; y += step) {
        const Pixel* p = pixels.row(y);
        for (int x = 0; x < pixels.width; ++x, p += pixels.channels) {
            if (!region.contains(x, y)) continue;
            for (int c = 0; c < pixels.channels; ++c) ++h.counts[static_cast<size_t>(c)][p[c]];
            h.samples += pixels.channels;
        }
    }
    return h;
}

ValueSets values_of(const std::vector<Counts>& counts) {
    ValueSets sets;
    for (const Counts& c : counts) {
        auto& set = sets.emplace_back();
        for (size_t v = 0; v < c.size(); ++v)
            if (c[v]) set.push_back(static_cast<std::uint16_t>(v));
    }
    return sets;
}

// One set for all channels, where they have almost the same values: ranks differ between channels as samples did.
ValueSets joined(const Histogram& h, ValueSets own) {
    std::vector<Counts> all{Counts(h.counts[0].size())};
    for (const Counts& c : h.counts)
        for (size_t v = 0; v < c.size(); ++v) all[0][v] += c[v];
    ValueSets one = values_of(all);
    size_t most = 0;
    for (const auto& set : own) most = std::max(most, set.size());
    return 4 * one[0].size() <= 5 * most ? one : own;
}

const std::vector<std::uint16_t>& set_of(const ValueSets& sets, int channel) {
    return sets[sets.size() > 1 ? static_cast<size_t>(channel) : 0];
}

constexpr unsigned kGapContexts = 8;

// Of each set the number of values, the first one, and the differences of the others.
template <class Coder> class SetModel {
  public:
    explicit SetModel(Coder& coder) : numbers_(coder) {}

    bool each(bool own) { return numbers_.code(0, own) > 0; }
    std::uint32_t size(size_t values) { return numbers_.code(1, static_cast<std::uint32_t>(values - 1)) + 1; }
    std::uint32_t first(std::uint32_t value) {
        context_ = 0;
        return numbers_.code(2, value);
    }
    std::uint32_t gap(std::uint32_t value) {
        const std::uint32_t found = numbers_.code(3 + context_, value - 1) + 1;
        context_ = std::min(static_cast<unsigned>(std::bit_width(found)), kGapContexts) - 1;
        return found;
    }

  private:
    Numbers<Coder, 3 + kGapContexts> numbers_;
    unsigned context_ = 0;
};

}  // namespace

template <class Pixel> ValueSets sparse_values(View<const Pixel> pixels, const Region& region) {
    if constexpr (sizeof(Pixel) == 1) {
        const std::int64_t area = std::int64_t{pixels.width} * pixels.height;
        if (const auto step = static_cast<int>(std::min<std::int64_t>(pixels.height, area / kSampled)); step > 1)
            if (histogram(pixels, region, step).gain_per_sample() < kLeastGain) return {};
    }
    const Histogram h = histogram(pixels, region, 1);
    if (h.samples == 0) return {};
    const double found = h.gain_per_sample() * static_cast<double>(h.samples);
    if (found < kLeastGain * static_cast<double>(h.samples)) return {};
    ValueSets sets = joined(h, values_of(h.counts));
    const double table = 8 * static_cast<double>(write_values(sets, pixels.channels).size());
    if (found - table < kLeastGain * static_cast<double>(h.samples)) return {};
    return sets;
}

Bytes write_values(const ValueSets& sets, int channels) {
    BinaryWriter writer;
    SetModel model(writer);
    if (channels > 1) model.each(sets.size() > 1);
    for (const auto& set : sets) {
        model.size(set.size());
        std::uint32_t last = model.first(set[0]);
        for (size_t i = 1; i < set.size(); ++i) last += model.gap(set[i] - last);
    }
    return writer.finish();
}

ValueSets read_values(std::span<const std::uint8_t> coded, int channels, int bits, std::int64_t pixels) {
    BinaryReader reader(coded);
    SetModel model(reader);
    const std::uint32_t most = (1u << bits) - 1;
    ValueSets sets(channels > 1 && model.each(false) ? static_cast<size_t>(channels) : 1);
    const std::int64_t samples = sets.size() > 1 ? pixels : pixels * channels;
    for (auto& set : sets) {
        const std::uint32_t size = model.size(1);
        if (size > most + 1 || size > samples) throw Corrupt("more values than samples can have");
        std::uint32_t value = model.first(0);
        for (std::uint32_t i = 0;; value += model.gap(1)) {
            if (value > most || reader.damaged()) throw Corrupt("value outside the range of samples");
            set.push_back(static_cast<std::uint16_t>(value));
            if (++i == size) break;
        }
    }
    if (!reader.finished()) throw Corrupt("values do not end where they should");
    return sets;
}

template <class Pixel, class Rank>
void to_ranks(View<const Pixel> pixels, const Region& region, const ValueSets& sets, View<Rank> ranks) {
    std::vector<std::vector<Rank>> rank_of(sets.size(), std::vector<Rank>(size_t{1} << 8 * sizeof(Pixel)));
    for (size_t s = 0; s < sets.size(); ++s)
        for (size_t i = 0; i < sets[s].size(); ++i) rank_of[s][sets[s][i]] = static_cast<Rank>(i);
    for (int y = 0; y < pixels.height; ++y)
        for (int x = 0; x < pixels.width; ++x) {
            if (!region.contains(x, y)) continue;
            const auto at = std::ptrdiff_t{x} * pixels.channels;
            for (int c = 0; c < pixels.channels; ++c)
                ranks.row(y)[at + c] = rank_of[sets.size() > 1 ? static_cast<size_t>(c) : 0][pixels.row(y)[at + c]];
        }
}

template <class Rank, class Pixel>
void from_ranks(View<const Rank> ranks, const Region& region, const ValueSets& sets, View<Pixel> pixels) {
    for (int y = 0; y < pixels.height; ++y)
        for (int x = 0; x < pixels.width; ++x) {
            if (!region.contains(x, y)) continue;
            const auto at = std::ptrdiff_t{x} * pixels.channels;
            for (int c = 0; c < pixels.channels; ++c) {
                const auto& set = set_of(sets, c);
                const Rank rank = ranks.row(y)[at + c];
                if (rank >= set.size()) throw Corrupt("rank outside the values");
                pixels.row(y)[at + c] = static_cast<Pixel>(set[rank]);
            }
        }
}

template ValueSets sparse_values(View<const std::uint8_t>, const Region&);
template ValueSets sparse_values(View<const std::uint16_t>, const Region&);
template void to_ranks(View<const std::uint8_t>, const Region&, const ValueSets&, View<std::uint8_t>);
template void to_ranks(View<const std::uint16_t>, const Region&, const ValueSets&, View<std::uint8_t>);
template void to_ranks(View<const std::uint16_t>, const Region&, const ValueSets&, View<std::uint16_t>);
template void from_ranks(View<const std::uint8_t>, const Region&, const ValueSets&, View<std::uint8_t>);
template void from_ranks(View<const std::uint8_t>, const Region&, const ValueSets&, View<std::uint16_t>);
template void from_ranks(View<const std::uint16_t>, const Region&, const ValueSets&, View<std::uint16_t>);

}  // namespace aig
