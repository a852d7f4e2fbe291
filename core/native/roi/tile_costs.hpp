// Estimated costs of tiles in the lossy tiers, to be compared with those of screen content (an encoder's estimate).
#pragma once
#include "roi/costs.hpp"
#include "screen/screen_content.hpp"

namespace aig {

// For every tile that is not 0 in `wanted`: bits and squared error over all channels of its pixels, if coded by
// transforms of 8x8. The cost of the LF image is not included: it is coded in any case.
void transform_costs_by_tile(View<const std::uint8_t> pixels, View<const std::uint8_t> wanted, const Steps& steps,
                             TileCost* costs);

}  // namespace aig
