#include "screen/colour_merge.hpp"

#include <array>
#include <unordered_map>

namespace aig {
namespace {

using std::size_t;
using std::uint32_t;
using Colour = std::array<int, 3>;

// A colour is frequent if it has one of so many pixels; no more than so many are.
constexpr std::int64_t kFrequent = 1000;
constexpr size_t kMostFrequent = 256;

uint32_t pack(const std::uint8_t* p, int channels) {
    uint32_t packed = 0;
    for (int c = 0; c < channels; ++c) packed = packed << 8 | p[c];
    return packed;
}

Colour channels_of(uint32_t packed) {
    return {static_cast<int>(packed >> 16), static_cast<int>(packed >> 8 & 255), static_cast<int>(packed & 255)};
}

int squared(const Colour& a, const Colour& b) {
    int sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return sum;
}

struct Sum {
    std::int64_t count = 0;
    std::array<std::int64_t, 3> total{};
};

}  // namespace

Bytes merge_colours(View<const std::uint8_t> pixels, const Region& region, int side) {
    const int n = pixels.channels;
    const auto row_size = static_cast<size_t>(pixels.width) * static_cast<size_t>(n);
    std::unordered_map<uint32_t, std::int64_t> counts;
    const auto for_runs = [&](auto visit) {
        for (int y = 0; y < pixels.height; ++y)
            for (int x = 0; x < pixels.width;) {
                if (!region.contains(x, y)) {
                    ++x;
                    continue;
                }
                const uint32_t colour = pack(pixels.row(y) + x * n, n);
                int stop = x + 1;
                while (stop < pixels.width && region.contains(stop, y) && pack(pixels.row(y) + stop * n, n) == colour)
                    ++stop;
                visit(colour, x, stop, y);
                x = stop;
            }
    };
    std::int64_t all = 0;
    for_runs([&](uint32_t colour, int x, int stop, int) { counts[colour] += stop - x, all += stop - x; });

    std::vector<std::pair<std::int64_t, uint32_t>> frequent;
    for (const auto& [colour, count] : counts)
        if (count * kFrequent >= all) frequent.emplace_back(-count, colour);
    std::sort(frequent.begin(), frequent.end());
    if (frequent.size() > kMostFrequent) frequent.resize(kMostFrequent);
    std::unordered_map<uint32_t, Sum> cells;
    const auto cell_of = [&](const Colour& c) {
        return static_cast<uint32_t>(c[0] / side) << 16 | static_cast<uint32_t>(c[1] / side) << 8 |
               static_cast<uint32_t>(c[2] / side);
    };
    for (const auto& [colour, count] : counts) {
        const Colour c = channels_of(colour);
        Sum& sum = cells[cell_of(c)];
        sum.count += count;
        for (size_t i = 0; i < 3; ++i) sum.total[i] += count * c[i];
    }

    std::unordered_map<uint32_t, uint32_t> merged;
    const int near = n * side * side / 4;
    const auto merge = [&](uint32_t colour) {
        const Colour c = channels_of(colour);
        int least = near + 1;
        uint32_t best = 0;
        for (const auto& [count, other] : frequent)
            if (const int d = squared(c, channels_of(other)); d < least) least = d, best = other;
        if (least <= near) return best;
        const Sum& sum = cells[cell_of(c)];
        for (size_t i = 0; i < 3; ++i)
            best = best << 8 | static_cast<uint32_t>((sum.total[i] + sum.count / 2) / sum.count);
        return best;
    };
    Bytes out(static_cast<size_t>(pixels.height) * row_size);
    for (int y = 0; y < pixels.height; ++y)
        std::copy_n(pixels.row(y), row_size, out.data() + static_cast<size_t>(y) * row_size);
    for_runs([&](uint32_t colour, int x, int stop, int y) {
        const auto [entry, fresh] = merged.try_emplace(colour, 0u);
        if (fresh) entry->second = merge(colour);
        std::uint8_t* p = out.data() + static_cast<size_t>(y) * row_size + static_cast<size_t>(x * n);
        for (; x < stop; ++x)
            for (int c = 0; c < n; ++c) *p++ = static_cast<std::uint8_t>(entry->second >> 8 * (n - 1 - c));
    });
    return out;
}

}  // namespace aig
