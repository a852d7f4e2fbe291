// Walking over the pixels of a region of any shape in row order (format.md, 7.1.1).
#pragma once
#include "base/common.hpp"

#include <algorithm>

namespace aig {

// The pixels whose class lies in [first, last].
struct Region {
    View<const std::uint8_t> map;
    int first, last;

    bool contains(int x, int y) const { return map.row(y)[x] >= first && map.row(y)[x] <= last; }
};

struct Box {
    int left, top, right, bottom;  // right and bottom exclusive; empty when right <= left
};

inline Box bounding_box(const Region& region) {
    Box box{region.map.width, region.map.height, 0, 0};
    for (int y = 0; y < region.map.height; ++y) {
        int x0 = 0, x1 = region.map.width;
        while (x0 < x1 && !region.contains(x0, y)) ++x0;
        if (x0 == x1) continue;
        while (!region.contains(x1 - 1, y)) --x1;
        box.left = std::min(box.left, x0);
        box.right = std::max(box.right, x1);
        box.top = std::min(box.top, y);
        box.bottom = y + 1;
    }
    return box;
}

// How many pixels a region has, and the rows they lie in; bottom is exclusive.
struct Extent {
    std::int64_t pixels = 0;
    int top = 0, bottom = 0;
};

inline Extent extent(const Region& region) {
    Extent e;
    const auto first = static_cast<unsigned>(region.first), span = static_cast<unsigned>(region.last - region.first);
    for (int y = 0; y < region.map.height; ++y) {
        const std::uint8_t* classes = region.map.row(y);
        unsigned count = 0;
        for (int x = 0; x < region.map.width; ++x) count += classes[x] - first <= span;
        if (!count) continue;
        if (!e.pixels) e.top = y;
        e.bottom = y + 1;
        e.pixels += count;
    }
    return e;
}

// How much an image looks like screen content: among the pixels that equal their left or upper neighbour up to a small
// difference, the share that equals it exactly; or the same for the gradient through these neighbours, if that is more.
// Close to 1 for synthetic images, far less for photographs. Samples the first 64 of every 256 columns in every
// sixteenth row.
inline double repetition(View<const std::uint8_t> pixels, const Region& region) {
    constexpr int kLittle = 4;
    std::int64_t equal[2] = {}, near[2] = {};
    const int n = pixels.channels;
    for (int y = 1; y < pixels.height; y += 16) {
        const std::uint8_t *row = pixels.row(y), *above = pixels.row(y - 1);
        for (int x = 1; x < pixels.width; x += x % 256 == 63 ? 193 : 1) {
            int left = 0, up = 0, slope = 0;
            for (int c = 0; c < n; ++c) {
                const int here = row[x * n + c], w = row[x * n - n + c], north = above[x * n + c];
                left = std::max(left, abs_int(here - w));
                up = std::max(up, abs_int(here - north));
                slope = std::max(slope, abs_int(here - w - north + above[x * n - n + c]));
            }
            const bool inside = region.contains(x, y);
            const int differences[] = {std::min(left, up), slope};
            for (int i = 0; i < 2; ++i) {
                equal[i] += inside && differences[i] == 0;
                near[i] += inside && differences[i] <= kLittle;
            }
        }
    }
    const auto share = [&](int i) {
        return near[i] ? static_cast<double>(equal[i]) / static_cast<double>(near[i]) : 0.0;
    };
    return std::max(share(0), share(1));
}

// Whether R, G and B of all pixels of the region are equal.
template <class Pixel> bool is_grey(View<const Pixel> pixels, const Region& region) {
    const int n = pixels.channels;
    for (int y = 0; y < pixels.height; ++y) {
        const Pixel* p = pixels.row(y);
        for (int x = 0; x < pixels.width; ++x, p += n)
            if ((p[0] != p[1] || p[1] != p[2]) && region.contains(x, y)) return false;
    }
    return true;
}

// Copy R of the region's pixels to G and B.
template <class Pixel> void make_grey(View<Pixel> pixels, const Region& region) {
    const int n = pixels.channels;
    for (int y = 0; y < pixels.height; ++y) {
        Pixel* p = pixels.row(y);
        for (int x = 0; x < pixels.width; ++x, p += n)
            if (region.contains(x, y)) p[1] = p[2] = p[0];
    }
}

// Call run(x, y, length) for every run of the region's pixels in a row.
template <class Run> void for_runs(const Region& region, Run run) {
    for (int y = 0; y < region.map.height; ++y)
        for (int x = 0; x < region.map.width;) {
            int stop = x;
            while (stop < region.map.width && region.contains(stop, y)) ++stop;
            if (stop > x) run(x, y, stop - x);
            x = stop + 1;
        }
}

// Copy the region's pixels into `target`, whose pixel (left, top) is the region's first.
inline void paste(View<const std::uint8_t> source, const Region& region, int left, int top, View<std::uint8_t> target) {
    const std::ptrdiff_t channels = source.channels;
    for_runs(region, [&](int x, int y, int length) {
        std::copy_n(source.row(y) + x * channels, length * channels, target.row(top + y) + (left + x) * channels);
    });
}

// Two rows of values, valid for columns -1 .. width: the one being coded and the last one that held
// pixels of the region. Columns outside the region repeat the nearest coded pixel to their left in
// the row (else the first to their right), so that every neighbour above exists, whatever the
// region's shape.
class RowPair {
  public:
    RowPair(int width, int value) : values_(2 * (static_cast<std::size_t>(width) + 2), value), width_(width) {}

    int* above() { return values_.data() + 1 + (flipped_ ? width_ + 2 : 0); }
    int* here() { return values_.data() + 1 + (flipped_ ? 0 : width_ + 2); }
    void flip() { flipped_ = !flipped_; }

  private:
    std::vector<int> values_;
    int width_;
    bool flipped_ = false;
};

// Call span(x0, x1, y) for every run of region pixels, x1 exclusive; x counts from the box's left edge.
// The callee sets here()[x0 .. x1 - 1] of every pair in `rows`. At x0 the pixel to the left is not of the
// region, and the one above stands in for it.
template <class Rows, class Span> void scan_region(const Region& region, const Box& box, Rows& rows, Span span) {
    const int width = box.right - box.left;
    const auto outside = [&](int c) { return c < region.first || c > region.last; };
    for (int y = box.top; y < box.bottom; ++y) {
        const std::uint8_t* classes = region.map.row(y) + box.left;
        int first = -1, end = 0;  // first pixel of the row, and the column behind the latest
        for (int x = 0; x < width;) {
            if (outside(classes[x])) {
                ++x;
                continue;
            }
            int stop = x + 1;
            while (stop < width && !outside(classes[stop])) ++stop;
            if (first < 0)
                first = x;
            else
                for (auto& row : rows) std::fill(row.here() + end, row.here() + x, row.here()[end - 1]);
            span(x, stop, y);
            x = end = stop;
        }
        if (first < 0) continue;
        for (auto& row : rows) {
            int* here = row.here();
            std::fill(here - 1, here + first, here[first]);
            std::fill(here + end, here + width + 1, here[end - 1]);
            row.flip();
        }
    }
}

}  // namespace aig
