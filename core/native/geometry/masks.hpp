// Cores of any shape: connected components, and mid tiers by distance. Tiles of screen content (format.md, 5.4).
#pragma once
#include "base/region.hpp"

#include <span>

namespace aig {

// Side in pixels of the tiles that can be coded as screen content.
inline constexpr int kScreenTile = 16;

// From the label of every pixel, 0 or 1 + its core, to its class: cores as they are; pixels of no core within a
// distance of one are mid, of the nearest core (the lower one of several). reach2: squared distances in 1/65536, one
// for each core.
void classify_labels(View<const std::uint8_t> labels, std::span<const std::int64_t> reach2, View<std::uint8_t> map);

// Number the connected components (by eight neighbours) of the pixels that are not 0 from 1 on, in order of their first
// pixels; returns how many there are.
std::int32_t components(View<const std::uint8_t> mask, View<std::int32_t> numbers);

// Give pixels in tiles that are not 0 the class of screen content, unless they are core, or mid and keep_mid is set.
void mark_screen_content(View<const std::uint8_t> tiles, bool keep_mid, View<std::uint8_t> map);

// For every tile, in 1/255: the share of its pixels outside the cores that equal their left or upper neighbour; 0 for
// tiles without such pixels. Samples every eighth row.
void repeated_by_tile(View<const std::uint8_t> pixels, View<const std::uint8_t> map, View<std::uint8_t> shares);

// Over the first `colours` channels of the pixels outside the cores: the sum of squared differences, and how many
// samples that is.
struct SquaredError {
    std::uint64_t sum = 0, samples = 0;
};
SquaredError squared_error(View<const std::uint8_t> a, View<const std::uint8_t> b, int colours,
                           View<const std::uint8_t> map);

}  // namespace aig
