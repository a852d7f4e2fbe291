// The boundary tier: corrections in the band where tiers meet (format.md, 7.4).
#pragma once
#include "entropy/coders.hpp"

namespace aig {

inline constexpr unsigned kBoundaryContexts = 2;

// Mark the pixels outside all cores that lie within `radius` (rows and columns alike) of another tier.
void boundary_band(View<const std::uint8_t> map, int radius, View<std::uint8_t> band);

// Residual original - decoded of the band's pixels, channel by channel; magnitudes up to tau count as 0. `coder`: the
// number of an entropy coder.
WrittenStream boundary_encode(View<const std::uint8_t> original, View<const std::uint8_t> decoded,
                              View<const std::uint8_t> band, int tau, int coder);
// Add the residuals to `pixels`, whose first `colours` channels the stream covers.
void boundary_decode(const Payload& payload, View<std::uint8_t> pixels, int colours, View<const std::uint8_t> band);
// The same in the band that boundary_band() marks, which is not kept.
void boundary_decode(const Payload& payload, View<std::uint8_t> pixels, int colours, View<const std::uint8_t> map,
                     int radius);

}  // namespace aig
