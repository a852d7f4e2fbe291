// Images at a smaller scale: means over boxes of scale x scale pixels, the last of which the border may cut.
#pragma once
#include "base/common.hpp"

namespace aig {

inline int scaled(int n, int scale) { return (n + scale - 1) / scale; }

// The mean of every box, rounded half up. Sample is std::uint8_t or std::uint16_t; scale 1..8.
template <class Sample> void shrink(View<const Sample> pixels, int scale, View<Sample> out);

// Adds the pixels of classes first .. last to the sums of their boxes, and to `counts` how many they are. `pixels` and
// `map` are a window of the image at (left, top); sums and counts are a window of boxes at (box_left, box_top), which
// holds all of them.
void add_to_boxes(View<const std::uint8_t> pixels, View<const std::uint8_t> map, int first, int last, int left, int top,
                  int scale, int box_left, int box_top, View<std::uint32_t> sums, View<std::uint32_t> counts);

// Where boxes have sums, their mean; pixels that are not in the sums count with the value in `out`. The image is of
// width x height.
void blend_boxes(View<const std::uint32_t> sums, View<const std::uint32_t> counts, int scale, int box_left, int box_top,
                 int width, int height, View<std::uint8_t> out);

}  // namespace aig
