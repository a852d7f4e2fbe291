// Between pixels and quantised 8x8 blocks: colour planes, block classes, filling the core's rim,
// quantisation, reconstruction (format.md, 7.3).
#pragma once
#include "base/common.hpp"

#include <array>

namespace aig {

// What a block is (format.md, 7.3.2).
enum BlockClass : std::uint8_t { kBlockBackground = 0, kBlockMid = 1, kBlockHole = 2, kBlockScreenContent = 3 };

// Class of every block of `footprint` x `footprint` pixels: a hole if no pixel of it needs the DCT,
// mid if any needs the mid tier's quantiser. `mid_is_hole`: another coder carries the mid tier;
// `mid_is_finer`: the mid tier has its own quantiser.
void classify_blocks(View<const std::uint8_t> map, int footprint, bool mid_is_hole, bool mid_is_finer,
                     View<std::uint8_t> blocks);

// Replace, in squares of `footprint` (a power of two) that hold both kinds, the pixels that the DCT need not carry by a
// smooth continuation of the others.
void fill_hidden(View<std::uint8_t> pixels, View<const std::uint8_t> map, int footprint, bool mid_is_hole);

// Quantiser steps of 64 coefficients in 1/16 (index 8 * horizontal + vertical frequency; [0] is DC).
using Steps = std::array<std::int32_t, 64>;

}  // namespace aig
