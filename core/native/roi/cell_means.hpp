// A small version of an image for the saliency model: means over cells, and their sharpness (an encoder's choice).
#pragma once
#include "base/common.hpp"

namespace aig {

// Of every cell of step x step pixels that lies inside as a whole, row by row: the means of the colour channels, then
// the mean absolute difference of samples to the pixels on the right and below. Every second row is sampled from a
// step of 4 on, every fourth from 16 on. out: (width / step) * (height / step) * (colours + 1) values; pixels have 1 to
// 4 channels, of which 1 or 3 are colours.
void cell_means(View<const std::uint8_t> pixels, int step, float* out);

}  // namespace aig
