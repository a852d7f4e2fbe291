// What the lossy tiers would make of tiles of the picture, so that it can be weighed against graphics (an encoder's
// estimate).
#pragma once
#include "roi/costs.hpp"
#include "screen/screen_content.hpp"

namespace aig {

// Of every tile that is not 0 in `wanted`: bits and squared error over all channels of its pixels, were they coded by
// transforms of 8x8. What the 1/8 image takes is not in it: that is coded in any case.
void transform_costs_by_tile(View<const std::uint8_t> pixels, View<const std::uint8_t> wanted, const Steps& steps,
                             GraphicCost* costs);

}  // namespace aig
