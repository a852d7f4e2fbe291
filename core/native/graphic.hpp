// Placeholder until the coder for graphics is here.
#pragma once
#include "region.hpp"
#include <span>
namespace aig {
Bytes graphic_encode(View<const std::uint8_t> pixels, const Region& region);
void graphic_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> pixels, const Region& region);
}  // namespace aig
