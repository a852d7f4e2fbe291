// Pictures that were decoded from JPEG: the YCbCr triples that their colours come from (format.md, 7.1.11).
#pragma once
#include "base/region.hpp"

namespace aig {

// Whether the region looks as if it came from a JPEG file, which a few colours of any other picture disprove: only one
// colour in four is some triple's.
bool looks_like_ycc(View<const std::uint8_t> pixels, const Region& region);

// Set the first three channels of the region's pixels in `target` to Cr, Y, Cb that give the colours, and copy the
// others. Where several triples do, for colours at the border of the range, it is the one that is most like its
// neighbours. False if some colour is no triple's.
bool to_ycc(View<const std::uint8_t> pixels, const Region& region, View<std::uint8_t> target);

// Replace Cr, Y, Cb of the region's pixels by the colours that they give.
void from_ycc(View<std::uint8_t> pixels, const Region& region);

}  // namespace aig
