// Bands whose samples leave many values out: the values that occur, and ranks in place of samples (format.md, 7.1.10).
#pragma once
#include "base/region.hpp"

#include <span>

namespace aig {

// Increasing values, one set for all channels or one for each.
using ValueSets = std::vector<std::vector<std::uint16_t>>;

// The values that the region's samples have, if ranks are likely to take fewer bits with them than samples do; else
// empty.
template <class Pixel> ValueSets sparse_values(View<const Pixel> pixels, const Region& region);

Bytes write_values(const ValueSets& sets, int channels);
// Sets for so many pixels. `bits`: of a sample. Throws Corrupt.
ValueSets read_values(std::span<const std::uint8_t> coded, int channels, int bits, std::int64_t pixels);

// Set the ranks of the region's samples, all of which the sets have.
template <class Pixel, class Rank>
void to_ranks(View<const Pixel> pixels, const Region& region, const ValueSets& sets, View<Rank> ranks);
// Set the region's samples, which may lie where the ranks do. Throws Corrupt where there is no such value.
template <class Rank, class Pixel>
void from_ranks(View<const Rank> ranks, const Region& region, const ValueSets& sets, View<Pixel> pixels);

}  // namespace aig
