// The integer DCT matrix of ITU-T H.265 (8.6.4.2): 64 sqrt(N) times the orthonormal one, up to rounding.
#pragma once
#include <array>

namespace aig {

// Entry [frequency][position] of the transform of 2^log samples, log up to 5.
constexpr int dct_entry(int log, int frequency, int position) {
    // The standard's numbers: about 90.5 cos(i pi / 64), tuned by hand there.
    constexpr std::array<int, 33> cosine = {90, 90, 90, 90, 89, 88, 87, 85, 83, 82, 80, 78, 75, 73, 70, 67, 64,
                                            61, 57, 54, 50, 46, 43, 38, 36, 31, 25, 22, 18, 13, 9,  4,  0};
    if (frequency == 0) return 64;
    int angle = (frequency << (5 - log)) * (2 * position + 1) % 128;
    if (angle > 64) angle = 128 - angle;
    return angle > 32 ? -cosine[static_cast<std::size_t>(64 - angle)] : cosine[static_cast<std::size_t>(angle)];
}

}  // namespace aig
