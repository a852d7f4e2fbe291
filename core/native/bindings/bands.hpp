// A band of a region, as the lossless coders take it from Python.
#pragma once
#include "bindings/arrays.hpp"

// Internal to every unit that includes this.
namespace {

template <class Pixel> struct Task {
    View<Pixel> pixels;
    aig::Region region;
    int top, bottom;

    Task(const View<Pixel>& p, const U8In& map, int first, int last, int top_, int bottom_)
        : pixels(p), region(::region(view(map), first, last)), top(top_), bottom(bottom_) {
        require_same_size(pixels, region.map);
        require(pixels.channels <= 4, "1 to 4 channels");
        require(0 <= top && top <= bottom && bottom <= pixels.height, "rows outside the picture");
    }
    // The rows alone.
    View<Pixel> rows() const {
        return {pixels.data + top * pixels.stride, pixels.stride, pixels.width, bottom - top, pixels.channels};
    }
    aig::Region region_rows() const {
        aig::Region r = region;
        r.map.data += top * r.map.stride;
        r.map.height = bottom - top;
        return r;
    }
};

}  // namespace
