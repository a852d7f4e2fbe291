// Coding of screen content: screenshots, text, masks (format.md, 7.1.7).
#pragma once
#include "geometry/masks.hpp"

#include <span>

namespace aig {

// The loss allowed to an encoder. Images are coded exactly if `per_bit` is 0; else a pixel may become one that takes
// fewer bits, if the squared error over all channels is at most `per_bit` for every bit saved, and no channel errs by
// more than `most`.
struct ScreenLoss {
    int per_bit = 0, most = 0;
};

// The cost of a tile.
struct TileCost {
    float bits = 0, error = 0;  // squared, over all channels

    void add(std::uint64_t more, std::int64_t squares) {
        bits += static_cast<float>(more) / 256;
        error += static_cast<float>(squares);
    }
};

// `costs`, if not null, has an entry for every tile of the image, row by row, to which is added. Without `matches` the
// result is that of lossless 2.
Bytes screen_encode(View<const std::uint8_t> pixels, const Region& region, const ScreenLoss& loss = {},
                    TileCost* costs = nullptr, bool matches = true);
// Writes the region's pixels and leaves all others alone. Bytes that do not end with the region's last pixel are
// an error. `matches`: whether the bytes use them.
void screen_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> pixels, const Region& region, bool matches);

}  // namespace aig
