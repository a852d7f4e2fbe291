// Fewer colours for screen content: shades that cannot be told apart become one (an encoder's choice).
#pragma once
#include "base/region.hpp"

namespace aig {

// A copy of the image in which the region's colours are moved by about side / 2 at most, in each channel: to a
// frequent colour if one is as near as that, else to the mean of those in the same cell of a grid of `side`. Frequent
// ones stay as they are.
Bytes merge_colours(View<const std::uint8_t> pixels, const Region& region, int side);

}  // namespace aig
