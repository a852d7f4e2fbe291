// Between pixels and quantised 8x8 blocks: colour planes, block classes, filling the core's rim,
// quantisation, reconstruction (format.md, 7.3).
#pragma once
#include "common.hpp"

#include <array>

namespace aig {

// What a block is (format.md, 7.3.2).
enum BlockClass : std::uint8_t { kBlockBackground = 0, kBlockMid = 1, kBlockHole = 2 };

// Class of every block of `footprint` x `footprint` pixels: a hole if no pixel of it needs the DCT,
// mid if any needs the mid tier's quantiser. `mid_is_hole`: another coder carries the mid tier;
// `mid_is_finer`: the mid tier has its own quantiser.
void classify_blocks(View<const std::uint8_t> map, int footprint, bool mid_is_hole, bool mid_is_finer,
                     View<std::uint8_t> blocks);

// Replace, in blocks that hold both kinds, the pixels that the DCT need not carry by a smooth
// continuation of the others (Jacobi relaxation of Laplace's equation inside the block).
void fill_rim(View<std::uint8_t> pixels, View<const std::uint8_t> map, int footprint, bool mid_is_hole);

// Interleaved pixels (L or RGB) to one plane or three; planes are padded by repeating the last sample.
void to_planes(View<const std::uint8_t> pixels, bool subsampled, View<std::uint8_t>* planes);
// The inverse, for the top left `pixels.width` x `pixels.height`; channels beyond colour are left alone.
void from_planes(const View<const std::uint8_t>* planes, bool subsampled, View<std::uint8_t> pixels);

// Quantiser steps of 64 coefficients in 1/16 (index 8 * horizontal + vertical frequency; [0] is DC).
using Steps = std::array<std::int32_t, 64>;

// Samples -> levels, 64 per block. Block classes choose between the two sets of steps.
void forward_plane(View<const std::uint8_t> plane, View<const std::uint8_t> blocks, const Steps& background,
                   const Steps& mid, float dead_zone, std::int16_t* levels);

// Levels -> samples. Blocks whose bit in `present` (bit = block class) is clear have only their DC and
// become the smooth interpolation of the 1/8 image.
void inverse_plane(const std::int16_t* levels, View<const std::uint8_t> blocks, const Steps& background,
                   const Steps& mid, unsigned present, View<std::uint8_t> plane);

// The 1/8 image of a plane: one sample per block from its DC level.
void preview_plane(const std::int16_t* levels, std::int32_t dc_step, View<std::uint8_t> out);

}  // namespace aig
