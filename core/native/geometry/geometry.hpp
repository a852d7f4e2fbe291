// Focus geometry in integers: weighted distance, tiers, class map (format.md, 5).
#pragma once
#include "base/common.hpp"

#include <span>

namespace aig {

// One focus in fixed point, prepared by aig_codec.geometry. The squared radial distance of an offset
// (dx, dy) is (dx^2 * inv_x + dy^2 * inv_y) / 2^shift; |dx|, |dy| < 2^15 keep the sum below 2^63.
struct Focus {
    int x, y;
    std::uint32_t inv_x, inv_y;
    int shift;                    // 20 .. 50
    std::uint32_t alpha;          // alpha x 100
    std::uint32_t r_core, r_mid;  // in 1/65536
};

// |atan2(dy, dx)| in 1/65536 radian, 0 .. 205887.
std::uint32_t angle_q16(int dx, int dy);

// Weighted distance in 1/65536, saturating at 2^32 - 1.
std::uint32_t distance_q16(const Focus& focus, int dx, int dy);

// Fill the class map of the window whose top left pixel is (left, top); `map.channels` is 1.
void classify(std::span<const Focus> foci, int left, int top, View<std::uint8_t> map);

// Voronoi assignment: per pixel the index of the nearest focus (ties to the lower index) and its
// weighted distance in 1/65536.
void assign(std::span<const Focus> foci, View<std::uint8_t> owner, View<std::uint32_t> distance);

}  // namespace aig
