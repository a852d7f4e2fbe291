// What the mixers of the mixed coder learn from pictures, for the weights that they start from.
#pragma once
#include "base/common.hpp"

namespace aig {

inline constexpr int kMixedPlanes = 3, kMixedSets = 3, kMixedNodes = 64, kMixedInputs = 17;

// Code a picture of three channels. For every plane, set and node, in this order: how many decisions there were, and
// the sums of the weights after each of them.
std::vector<double> mixed_training(View<const std::uint8_t> pixels);

}  // namespace aig
