// What coding tells besides its bytes: what the mixers learn, for the weights that they start from, and what each pixel
// takes.
#pragma once
#include "mixed/mixed.hpp"

namespace aig {

inline constexpr int kMixedPlanes = 3, kMixedSets = 3, kMixedNodes = 64, kMixedInputs = 17;

// Code a picture of three channels. For every plane, set and node, in this order: how many decisions there were, and
// the sums of the weights after each of them.
std::vector<double> mixed_training(View<const std::uint8_t> pixels);

// Add to `bits`, one number per pixel of the image, what every pixel of the region takes; what the bytes begin and end
// with belongs to none.
void mixed_costs(View<const std::uint8_t> pixels, const MixedPlanes& planes, const Region& region, View<float> bits);

}  // namespace aig
