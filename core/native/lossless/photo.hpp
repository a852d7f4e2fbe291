// The lossless coder for photographs: linear prediction fitted to the image, contexts from the expected error,
// static rANS; sixteen rows at a time (format.md, 7.1).
#pragma once
#include "entropy/symbols.hpp"
#include "lossless/predictors.hpp"

#include <span>

namespace aig {

struct PhotoSettings {
    Search search;
    bool bias;  // bias cancellation, for samples of 8 bits: slower, and mostly smaller
};

// Code the component's samples in the region's rows [top, bottom).
template <class Pixel>
Bytes photo_encode(View<const Pixel> pixels, Component component, const Region& region, int top, int bottom,
                   const PhotoSettings& settings);

// Write those samples; the pixels' other channels, and pixels outside the region, keep what they hold.
template <class Pixel>
void photo_decode(std::span<const std::uint8_t> coded, View<Pixel> pixels, Component component, const Region& region,
                  int top, int bottom);

// Add to `bits`, one number per pixel of the image, the cost of every pixel when the region is coded. The head and the
// states, which belong to no pixel, are not in it.
void photo_costs(View<const std::uint8_t> pixels, Component component, const Region& region, int top, int bottom,
                 const PhotoSettings& settings, View<float> bits);

// How often every symbol occurs in every context: planes * kPlaneContexts rows of kAlphabet, for training.
std::vector<std::uint32_t> photo_statistics(View<const std::uint8_t> pixels, Component component, const Region& region,
                                            int top, int bottom, const PhotoSettings& settings);

}  // namespace aig
