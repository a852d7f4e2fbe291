// Walking over the pixels of a region of any shape in row order (format.md, 7.1.1).
#pragma once
#include "common.hpp"

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

// One value per column, valid for columns -1 .. width.
class Row {
  public:
    Row(int width, int value) : values_(static_cast<std::size_t>(width) + 2, value) {}
    int& operator[](int x) { return values_[static_cast<std::size_t>(x + 1)]; }

  private:
    std::vector<int> values_;
};

// The row being coded and the last one that held pixels of the region. Columns outside the region
// repeat the nearest coded pixel to their left in the row (else the first to their right), so that
// every neighbour above exists, whatever the region's shape.
struct RowPair {
    Row above, here;
    RowPair(int width, int value) : above(width, value), here(width, value) {}
    // The left neighbour; at the start of a span the one above stands in for it.
    int west(int x, bool span_start) { return span_start ? above[x] : here[x - 1]; }
};

// Call pixel(x, y, span_start) for every pixel of the region; x counts from the box's left edge. The
// callee sets here[x] of every pair in `rows` (a container of RowPair).
template <class Rows, class Pixel> void scan_region(const Region& region, const Box& box, Rows& rows, Pixel pixel) {
    const int width = box.right - box.left;
    for (int y = box.top; y < box.bottom; ++y) {
        int first = -1, end = 0;  // first pixel of the row, and the column behind the latest
        for (int x = 0; x < width; ++x) {
            if (!region.contains(box.left + x, y)) continue;
            const bool span_start = first < 0 || x != end;
            if (first < 0) first = x;
            else if (span_start)
                for (auto& row : rows)
                    for (int gap = end; gap < x; ++gap) row.here[gap] = row.here[end - 1];
            pixel(x, y, span_start);
            end = x + 1;
        }
        if (first < 0) continue;
        for (auto& row : rows) {
            for (int gap = -1; gap < first; ++gap) row.here[gap] = row.here[first];
            for (int gap = end; gap <= width; ++gap) row.here[gap] = row.here[end - 1];
            std::swap(row.above, row.here);
        }
    }
}

}  // namespace aig
