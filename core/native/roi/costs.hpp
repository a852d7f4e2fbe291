// Estimated cost of every 8x8 block in every tier, for the encoder's choice of radii.
#pragma once
#include "roi/planes.hpp"

namespace aig {

// Per block: bits when lossless; bits and squared error (summed over RGB or L) at the background's and at
// the mid tier's quantiser, without the block's mean. Formulas; results of the real coders for a part of the image
// scale them.
struct BlockCost {
    float core_bits, background_bits, background_error, mid_bits, mid_error;
};

void block_costs(View<const std::uint8_t> pixels, const Steps& background, const Steps& mid, BlockCost* out);

}  // namespace aig
