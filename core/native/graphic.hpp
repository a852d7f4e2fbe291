// Lossless coding of drawn pictures: screenshots, text, masks (format.md, 7.1.7).
#pragma once
#include "region.hpp"

#include <span>

namespace aig {

Bytes graphic_encode(View<const std::uint8_t> pixels, const Region& region);
// Writes the region's pixels and leaves all others alone. Bytes that do not end with the region's last pixel are
// an error.
void graphic_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> pixels, const Region& region);

}  // namespace aig
