// The lossless coder that mixes: every sample by adaptive binary decisions, whose probabilities come from several
// predictions, fitted as it goes, and from what followed before; slow, and the smallest (format.md, 7.1.12).
#pragma once
#include "base/region.hpp"

#include <span>

namespace aig {

// Which channels are coded, in this order; a last one that is alpha is predicted as a picture of its own.
struct MixedPlanes {
    int count;
    int channel[4];
    bool alpha;
};

inline constexpr int kMostMixedShift = 8;

// Code the planes of the region's pixels in rows [top, bottom). shift: of samples of 16 bits, how many low bits the
// model does not look at, 0..kMostMixedShift; others have 0.
template <class Pixel>
Bytes mixed_encode(View<const Pixel> pixels, const MixedPlanes& planes, const Region& region, int top, int bottom,
                   int shift);

// Write them; other channels, and pixels outside the region, keep what they hold.
template <class Pixel>
void mixed_decode(std::span<const std::uint8_t> coded, View<Pixel> pixels, const MixedPlanes& planes,
                  const Region& region, int top, int bottom);

}  // namespace aig
