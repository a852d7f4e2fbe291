// Loop filter and output, from decoded planes to pixels: deblocking, restoration, chroma upsampling and colour
// conversion, one row of cells after the other, so that the samples stay in the cache from step to step
// (format.md, 7.3.7 to 7.3.9).
#pragma once
#include "base/scratch.hpp"
#include "dct/filters.hpp"
#include "dct/frame.hpp"

namespace aig {

// The filters of a tier: the strength of deblocking, and the taps of the restoration filter by plane class and by
// activity.
inline constexpr int kRestorationClasses = 7;
struct TierFilters {
    int deblocking = 0;  // strength in 1/16
    bool restores = false;
    std::int16_t taps[2][kRestorationClasses][kRestorationTaps] = {};
};
inline int restoration_class(int busy) { return (busy + 1) / 2; }

// Activity of cells whose high frequencies are absent, which filters leave unchanged.
inline constexpr std::uint8_t kNotCoded = 255;

// The reconstructed samples of one plane, in whole cells; `first` is the first row that is stored.
struct SamplePlane {
    std::int16_t* data = nullptr;
    std::ptrdiff_t stride = 0;
    int first = 0;

    std::int16_t* at(int x, int y) const { return data + (y - first) * stride + x; }
};

// Rows first .. last - 1 of planes as they are, into the colour channels of `pixels`, whose size is that of luma;
// `enlarges`: chroma has half of it.
void show_planes(const std::array<SamplePlane, 3>& planes, bool colour, bool enlarges, int first, int last,
                 View<std::uint8_t> pixels);
// The LF image as planes.
std::array<SamplePlane, 3> eighth_planes(Frame& frame);

// Columns of pixels of an image, left .. right - 1; both are multiples of 16, or right is the width.
struct Columns {
    int left, right;
};

class Finisher {
  public:
    Finisher(const Frame& frame, const std::array<SamplePlane, 3>& planes,
             const std::array<TierFilters, kTiers>& filters);

    // Set the colour channels of the rows from 16 * first to 16 * last of the image, in these columns. Their first and
    // last 12 are right only where the image ends there: filters have no samples beyond.
    void rows(int first, int last, Columns columns, View<std::uint8_t> pixels) const;
    // The filtered samples of a plane alone; `out` has the same size.
    void deblocked(int plane, SamplePlane out) const;

  private:
    class PlaneFilter;

    const Frame& frame_;
    std::array<SamplePlane, 3> planes_;
    std::array<TierFilters, kTiers> filters_;
};

// The limits of smoothing at an edge beside which quantisers have this base.
EdgeLimits edge_limits(std::int32_t base, int strength);

}  // namespace aig
