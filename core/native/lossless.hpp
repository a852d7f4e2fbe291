// Lossless coding of the pixels of a region: reversible colour transform, MED prediction, context
// modelling (format.md, 7.1).
#pragma once
#include "region.hpp"
#include "sources.hpp"

namespace aig {

inline constexpr unsigned kActivityLevels = 16;
inline constexpr unsigned kLosslessContexts = 4 * kActivityLevels;  // one set per channel

SymbolSink lossless_encode(View<const std::uint8_t> pixels, const Region& region);
// Writes the region's pixels and leaves all others alone.
void lossless_decode(const Stream& stream, View<std::uint8_t> pixels, const Region& region);

}  // namespace aig
