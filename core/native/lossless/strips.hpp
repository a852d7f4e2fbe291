// A band of an image as strips of sixteen rows in skewed order (lossless/wavefront.hpp), to and from pixels.
#pragma once
#include "base/region.hpp"
#include "base/scratch.hpp"
#include "lossless/wavefront.hpp"

#include <array>
#include <vector>

namespace aig {

// Which of a pixel's channels are coded together: one, or three with a reversible colour transform.
struct Component {
    int first, planes;
};

struct PlaneRange {
    int low, high;
    int middle() const { return (low + high + 1) / 2; }
};
// Ranges of the planes for samples of 0 .. peak.
std::array<PlaneRange, kMaxPlanes> plane_ranges(int planes, unsigned transform, int peak);

// The part of a region in rows [top, bottom).
class Band {
  public:
    Band(const Region& region, int top, int bottom);

    const Region& region() const { return region_; }
    const Box& box() const { return box_; }
    bool empty() const { return box_.right <= box_.left; }
    int strips() const { return empty() ? 0 : (box_.bottom - box_.top + kLanes - 1) / kLanes; }
    int steps() const { return box_.right - box_.left + kSkew * (kLanes - 1); }
    int blocks() const { return (steps() + kBlockSteps - 1) / kBlockSteps; }
    std::size_t pixels() const { return pixels_; }
    // Per step of a strip, the lanes whose pixel belongs to the region.
    const std::uint16_t* active(int strip) const {
        return active_.data() + static_cast<std::size_t>(strip) * static_cast<std::size_t>(steps());
    }
    bool block_is_active(int strip, int block) const;

  private:
    Region region_;
    Box box_;
    std::size_t pixels_ = 0;
    std::vector<std::uint16_t> active_;
};

// Memory of one strip: samples or errors of up to three planes. What lies outside the rows above and the
// steps worked on is never read.
template <class T> class StripBuffer {
  public:
    // Room for whole blocks of eight steps.
    StripBuffer(int planes, int steps)
        : planes_(planes), steps_(steps), stride_(static_cast<std::size_t>(steps + kHistory + 7) * kSlots),
          values_(stride_ * static_cast<std::size_t>(planes) + kSlots) {}

    T* plane(int c) const { return values_.get() + static_cast<std::size_t>(c) * stride_ + kHistory * kSlots; }
    int planes() const { return planes_; }
    // Every row above holds `value`.
    void start(int c, T value);
    // The rows above are the last rows of `previous`, which may be this buffer.
    void follow(const StripBuffer& previous, const std::uint16_t* previous_active);

  private:
    int planes_, steps_;
    std::size_t stride_;
    Scratch<T> values_;
};

// Samples of a strip's region pixels after the colour transform, and the fill of the others.
template <class Pixel, class T>
void load_strip(View<const Pixel> pixels, Component component, unsigned transform, const Band& band, int strip,
                StripBuffer<T>& buffer);
// The same for up to kTile pixels side by side, to a row for each of the planes.
void load_pixels(const std::uint8_t* pixels, int channels, unsigned transform, std::int16_t* const* samples, int count);
void load_pixels(const std::uint16_t* pixels, int channels, unsigned transform, std::int32_t* const* samples,
                 int count);
template <class Pixel, class T>
void store_strip(StripBuffer<T>& buffer, Component component, unsigned transform, const Band& band, int strip,
                 View<Pixel> pixels);

}  // namespace aig
