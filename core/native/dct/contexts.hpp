// The contexts in which the lossy tiers code their syntax elements (format.md, 7.3).
#pragma once
#include "dct/blocks.hpp"
#include "entropy/coding.hpp"

#include <algorithm>
#include <array>

namespace aig {

inline constexpr int kPlaneClasses = 2;      // luma, chroma
inline constexpr int kSizeClasses = 3;       // 1 cell; 2 or 4; 8 or 16
inline constexpr int kMagnitudeClasses = 8;  // of the neighbours of a coefficient
inline constexpr int kActivityClasses = 3;   // of the blocks around, for high frequencies
inline constexpr int kEndContexts = 7;       // of the blocks around, for ends
inline constexpr int kEndClasses = 11;       // an end of n bits is of class n: at most 1008
inline constexpr int kTailClasses = 14;      // of what a value exceeds its flags by
inline constexpr int kGradientClasses = 8;
inline constexpr int kLowSums = 7;         // h + v of a coefficient of the LF image, 1..6 and above
inline constexpr int kMostLowSum = 14;     // of 8x8 of them
inline constexpr int kLowEndContexts = 4;  // half the class of the gradient
inline constexpr int kLowMagnitudes = 9;   // classes of the neighbours of a coefficient of the LF image
inline constexpr int kPartitionContexts = 9;

// Of a sum of magnitudes: 0 to 3 themselves, then 4 to 5, 6 to 8, 9 to 12, 13 to 18 and above.
inline constexpr int low_magnitude_class(int sum) {
    return sum < 4 ? sum : sum < 6 ? 4 : sum < 9 ? 5 : sum < 13 ? 6 : sum < 19 ? 7 : 8;
}

inline constexpr int size_class(Shape s) { return s.log_cells() == 0 ? 0 : s.log_cells() <= 2 ? 1 : 2; }

// What the probability of a quantised coefficient depends on.
struct LevelContext {
    int plane, size, band, magnitude, activity;
    int around;  // the weighted sum that `magnitude` is the class of
};

// `around` is twice the sum of three neighbours plus the two behind them, each up to 3: at most 24.
inline constexpr std::array<std::uint8_t, 25> kMagnitudeClass = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6,
                                                                 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7};

// The contexts of binary entropy coders in a stream of high frequencies.
struct HighModel {
    struct Levels {
        AdaptiveBit significant[kBands][kMagnitudeClasses][kActivityClasses];
        AdaptiveBit above_one[kBands][kMagnitudeClasses], above_two[kBands][kMagnitudeClasses];
        AdaptiveBit tail[8][kTailClasses];
        AdaptiveBit end_class[kEndContexts][kEndClasses - 1];
        AdaptiveBit end_high[kEndClasses], end_second[kEndClasses][2];
    };
    Levels of[kPlaneClasses][kSizeClasses];
};

// The same in a stream of the LF image.
struct LowModel {
    struct Plane {
        AdaptiveBit kept[2][kPartitionContexts];  // the square is not split into quarters; for 32 and 16 samples
        AdaptiveBit halved[2];
        AdaptiveBit tall[2][kPartitionContexts];
        AdaptiveBit dc[5][kGradientClasses][kTailClasses];
        AdaptiveBit low_end[5][kLowEndContexts][kMostLowSum];
        AdaptiveBit low[5][kLowSums][kLowMagnitudes][3];
        AdaptiveBit tail[kLowMagnitudes][kTailClasses];
    };
    Plane of[3];  // Y, Cb, Cr
    AdaptiveBit adaptation[kTailClasses];
};

// As training left them.
const HighModel& trained_high();
const LowModel& trained_low();

// Magnitudes of 3 and more, as a binary entropy coder codes them, go up to this.
inline constexpr unsigned kLargestTail = (2u << kTailClasses) - 2;
inline constexpr int kLargestLevel = 32767;

// Contexts of multi-symbol entropy coders, by number: fewer, since static coders spend a table on each that is used.
class SymbolContexts {
  public:
    static constexpr unsigned kHigh = 244, kLow = 95;

    static unsigned level(const LevelContext& c, bool last) {
        const int band = std::min(c.band, 5);
        return static_cast<unsigned>((c.plane ? 3 : c.size) * 54 + (last ? 48 + band : 8 * band + c.magnitude));
    }
    static unsigned end(int plane, int size, int context) {
        return static_cast<unsigned>(216 + (plane ? 3 : size) * 7 + context);
    }
    static unsigned dc(int plane, int gradient) {
        return static_cast<unsigned>((plane > 0) * kGradientClasses + gradient);
    }
    static unsigned low(int plane, int sum, int around) {
        return static_cast<unsigned>(16 + ((plane > 0) * 6 + std::min(sum, kLowSums - 1) - 1) * 6 +
                                     std::min(around, 5));
    }
    static unsigned partition(int plane, int log) { return static_cast<unsigned>(88 + 2 * plane + 2 - log); }
    static unsigned quantiser_change() { return 92; }
    static unsigned low_end(int plane) { return static_cast<unsigned>(93 + (plane > 0)); }
};

}  // namespace aig
