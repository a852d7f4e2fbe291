// Coding of maps of labels: to which core each pixel belongs, which tiles are screen content (format.md, 7.5).
#pragma once
#include "base/common.hpp"

#include <span>

namespace aig {

inline constexpr int kMostLabels = 3;

// labels: 0..n, n = 1..kMostLabels.
Bytes label_map_encode(View<const std::uint8_t> labels, int n);
// Sets every label. Bytes that do not end with the last of them are an error.
void label_map_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> labels, int n);

}  // namespace aig
