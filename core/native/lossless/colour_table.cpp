#include "lossless/colour_table.hpp"

#include "lossless/numbers.hpp"

#include <bit>

namespace aig {
namespace {

using std::size_t;
using std::uint64_t;

constexpr int kMostChannels = 4;

template <class Pixel> uint64_t pack(const Pixel* p, int channels) {
    uint64_t packed = 0;
    for (int c = 0; c < channels; ++c) packed = packed << 16 | p[c];
    return packed;
}

// Colours by their packed samples, and a number for each.
class Known {
  public:
    static constexpr unsigned kBits = 10;

    // The number of a colour, or of a new one the next, below `limit`; -1 if there is none left.
    int number(uint64_t colour, size_t limit) {
        size_t i = colour * 0x9E3779B97F4A7C15u >> (64 - kBits);
        while (slots_[i].number >= 0 && slots_[i].colour != colour) i = (i + 1) % slots_.size();
        if (slots_[i].number < 0) {
            if (colours_.size() == limit) return -1;
            slots_[i] = {colour, static_cast<int>(colours_.size())};
            colours_.push_back(colour);
        }
        return slots_[i].number;
    }
    const std::vector<uint64_t>& colours() const { return colours_; }

  private:
    struct Slot {
        uint64_t colour = 0;
        int number = -1;
    };
    std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << kBits);
    std::vector<uint64_t> colours_;
};

// Call use(pixel, x, y) for the region's pixels while it returns true.
template <class Pixel, class Use> bool for_pixels(View<const Pixel> pixels, const Region& region, Use use) {
    for (int y = 0; y < pixels.height; ++y) {
        const Pixel* p = pixels.row(y);
        for (int x = 0; x < pixels.width; ++x, p += pixels.channels)
            if (region.contains(x, y) && !use(p, x, y)) return false;
    }
    return true;
}

using Order = std::vector<size_t>;

std::int64_t sample(uint64_t colour, int channels, int c) { return colour >> 16 * (channels - 1 - c) & 0xFFFF; }

// Green counts twice; alpha as much as another one.
std::int64_t luma(uint64_t colour, int channels) {
    std::int64_t sum = 0;
    for (int c = 0; c < channels; ++c) sum += sample(colour, channels, c) << (channels >= 3 && c == 1);
    return sum;
}

Order by_luma(const std::vector<uint64_t>& colours, int channels) {
    Order order(colours.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        const auto left = luma(colours[a], channels), right = luma(colours[b], channels);
        return left != right ? left < right : colours[a] < colours[b];
    });
    return order;
}

// From the darkest one always to the nearest that is left: finds the scale that a picture was coloured by.
Order by_likeness(const std::vector<uint64_t>& colours, int channels, const Order& sorted) {
    Order left = sorted, order;
    size_t next = 0;
    while (!left.empty()) {
        const size_t at = left[next];
        order.push_back(at);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(next));
        std::int64_t least = -1;
        for (size_t i = 0; i < left.size(); ++i) {
            std::int64_t distance = 0;
            for (int c = 0; c < channels; ++c) {
                const auto d = sample(colours[left[i]], channels, c) - sample(colours[at], channels, c);
                distance += d * d;
            }
            if (least < 0 || distance < least) least = distance, next = i;
        }
    }
    return order;
}

// How much neighbours differ, of sampled rows, by the numbers that an order gives them.
template <class Pixel>
uint64_t roughness(View<const Pixel> pixels, const Region& region, Known& known, const Order& order) {
    std::vector<int> rank(order.size());
    for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<int>(i);
    const int step = std::max(1, pixels.height / 64);
    uint64_t bits = 0;
    for (int y = step / 2; y < pixels.height; y += step)
        for (int x = 1; x < pixels.width; ++x) {
            if (!region.contains(x, y) || !region.contains(x - 1, y)) continue;
            const Pixel* p = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels;
            const auto rank_of = [&](const Pixel* q) {
                return rank[static_cast<size_t>(known.number(pack(q, pixels.channels), 0))];
            };
            const auto d = static_cast<unsigned>(abs_int(rank_of(p) - rank_of(p - pixels.channels)));
            bits += static_cast<unsigned>(std::bit_width(d * d));
        }
    return bits;
}

// Differences of each colour to the one before it, in every channel by itself.
template <class Coder> class TableModel {
  public:
    TableModel(Coder& coder, int bits) : numbers_(coder), mask_((1u << bits) - 1), sign_(1u << (bits - 1)) {}

    std::uint32_t size(std::uint32_t colours) { return numbers_.code(0, colours - 1) + 1; }
    // False if there is no such sample.
    bool sample(int channel, std::uint16_t& value) {
        std::uint16_t& last = last_[static_cast<size_t>(channel)];
        const std::uint32_t d = (std::uint32_t{value} - last) & mask_;
        const std::uint32_t found = numbers_.code(1 + static_cast<size_t>(channel),
                                                  zigzag(static_cast<int>(d ^ sign_) - static_cast<int>(sign_)));
        if (found > mask_) return false;
        value = last = static_cast<std::uint16_t>((last + static_cast<std::uint32_t>(unzigzag(found))) & mask_);
        return true;
    }

  private:
    Numbers<Coder, 1 + kMostChannels> numbers_;
    std::uint32_t mask_, sign_;
    std::array<std::uint16_t, kMostChannels> last_{};
};

}  // namespace

template <class Pixel> ColourTable few_colours(View<const Pixel> pixels, const Region& region) {
    const int channels = pixels.channels;
    Known known;
    uint64_t last = ~uint64_t{0};
    const bool few = for_pixels(pixels, region, [&](const Pixel* p, int, int) {
        const uint64_t colour = pack(p, channels);
        if (colour == last && !known.colours().empty()) return true;
        last = colour;
        return known.number(colour, kMostColours) >= 0;
    });
    if (!few) return {};
    const auto& colours = known.colours();
    Order order = by_luma(colours, channels);
    if (const Order other = by_likeness(colours, channels, order);
        roughness(pixels, region, known, other) < roughness(pixels, region, known, order))
        order = other;
    ColourTable table{channels, {}};
    for (size_t i : order)
        for (int c = 0; c < channels; ++c)
            table.samples.push_back(static_cast<std::uint16_t>(sample(colours[i], channels, c)));
    return table;
}

Bytes write_colours(const ColourTable& table, int bits) {
    BinaryWriter writer;
    TableModel model(writer, bits);
    model.size(static_cast<std::uint32_t>(table.size()));
    for (size_t i = 0; i < table.samples.size(); ++i) {
        std::uint16_t value = table.samples[i];
        model.sample(static_cast<int>(i % static_cast<size_t>(table.channels)), value);
    }
    return writer.finish();
}

ColourTable read_colours(std::span<const std::uint8_t> coded, int channels, int bits, std::int64_t pixels) {
    BinaryReader reader(coded);
    TableModel model(reader, bits);
    const std::uint32_t size = model.size(1);
    if (size > kMostColours || size > pixels) throw Corrupt("more colours than pixels can have");
    ColourTable table{channels, {}};
    for (std::uint32_t i = 0; i < size; ++i)
        for (int c = 0; c < channels; ++c) {
            std::uint16_t value = 0;
            if (!model.sample(c, value)) throw Corrupt("colour outside the range of samples");
            table.samples.push_back(value);
        }
    if (!reader.finished()) throw Corrupt("table of colours does not end where it should");
    return table;
}

template <class Pixel>
void to_indices(View<const Pixel> pixels, const Region& region, const ColourTable& table, View<std::uint8_t> indices) {
    Known known;
    for (size_t i = 0; i < table.samples.size(); i += static_cast<size_t>(table.channels))
        known.number(pack(&table.samples[i], table.channels), kMostColours);
    for_pixels(pixels, region, [&](const Pixel* p, int x, int y) {
        indices.row(y)[x] = static_cast<std::uint8_t>(known.number(pack(p, pixels.channels), 0));
        return true;
    });
}

template <class Pixel>
void from_indices(View<const std::uint8_t> indices, const Region& region, const ColourTable& table,
                  View<Pixel> pixels) {
    const auto channels = static_cast<size_t>(table.channels);
    for_pixels(indices, region, [&](const std::uint8_t* index, int x, int y) {
        if (*index >= table.size()) throw Corrupt("index outside the table of colours");
        Pixel* p = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels;
        for (size_t c = 0; c < channels; ++c) p[c] = static_cast<Pixel>(table.samples[*index * channels + c]);
        return true;
    });
}

template ColourTable few_colours(View<const std::uint8_t>, const Region&);
template ColourTable few_colours(View<const std::uint16_t>, const Region&);
template void to_indices(View<const std::uint8_t>, const Region&, const ColourTable&, View<std::uint8_t>);
template void to_indices(View<const std::uint16_t>, const Region&, const ColourTable&, View<std::uint8_t>);
template void from_indices(View<const std::uint8_t>, const Region&, const ColourTable&, View<std::uint8_t>);
template void from_indices(View<const std::uint8_t>, const Region&, const ColourTable&, View<std::uint16_t>);

}  // namespace aig
