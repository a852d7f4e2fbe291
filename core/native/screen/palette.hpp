// Palettes: choosing colours, and coding indices by equality with neighbours (format.md, 7.2).
#pragma once
#include "base/region.hpp"
#include "entropy/coders.hpp"

namespace aig {

inline constexpr unsigned kPaletteContexts = 16;

struct Colour {
    std::uint8_t r, g, b;
};

// Where colours are near each other: on the cone of HSV, or in Oklab (Ottosson 2020), which is made for eyes.
enum class ColourSpace { hsv, oklab };

// At most `limit` colours for the given pixels, sorted by luma: all of them where they are few enough,
// else k-means over a 5:5:5 histogram in a colour space, started by splitting the cluster of largest variance.
std::vector<Colour> palette_fit(std::span<const Colour> pixels, std::size_t limit, int rounds, ColourSpace space);
// Index of the nearest palette entry (squared RGB distance, ties to the lower index) of every pixel.
void palette_assign(std::span<const Colour> pixels, std::span<const Colour> palette, std::uint8_t* indices);

// `coder`: the number of an entropy coder.
WrittenStream palette_encode(View<const std::uint8_t> indices, const Region& region, int coder);
// `size`: number of palette entries; larger indices are Corrupt.
void palette_decode(const Payload& payload, View<std::uint8_t> indices, const Region& region, int size);

}  // namespace aig
