// Bands of few colours: a table of them, and for every pixel its place in the table (format.md, 7.1.9).
#pragma once
#include "base/region.hpp"

#include <span>

namespace aig {

inline constexpr std::size_t kMostColours = 256;

// Colours as samples one after the other, `channels` of each.
struct ColourTable {
    int channels = 0;
    std::vector<std::uint16_t> samples;

    std::size_t size() const { return channels ? samples.size() / static_cast<std::size_t>(channels) : 0; }
};

// The region's colours, in the order in which neighbouring pixels differ less: by luma, or each beside the one that is
// most like it. Empty if there are more than kMostColours, which photographs have within their first rows.
template <class Pixel> ColourTable few_colours(View<const Pixel> pixels, const Region& region);

// `bits`: of a sample.
Bytes write_colours(const ColourTable& table, int bits);
// A table for so many pixels. Throws Corrupt.
ColourTable read_colours(std::span<const std::uint8_t> coded, int channels, int bits, std::int64_t pixels);

// Set the indices of the region's pixels, all of which the table has.
template <class Pixel>
void to_indices(View<const Pixel> pixels, const Region& region, const ColourTable& table, View<std::uint8_t> indices);
// Set the region's pixels. Throws Corrupt where there is no such colour.
template <class Pixel>
void from_indices(View<const std::uint8_t> indices, const Region& region, const ColourTable& table, View<Pixel> pixels);

}  // namespace aig
