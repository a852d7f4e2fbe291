// The partition of a plane: cells (8x8 blocks of samples), transform blocks of 1 to 4 cells a side, superblocks, groups
// and LF groups (format.md, 7.3).
#pragma once
#include "base/common.hpp"

#include <array>
#include <span>

namespace aig {

inline constexpr int kCell = 8;             // samples: the 8x8 block, unit of the partition
inline constexpr int kSuperblock = 4;       // cells: the largest transform
inline constexpr int kGroup = 256;          // pixels: the extent of one stream of high frequencies
inline constexpr int kLfGroup = 4;          // groups: the extent of one stream of the LF image
inline constexpr int kSizes = 9;            // log2 of width and height in cells, 0..2 each
inline constexpr int kShapes = 2 * kSizes;  // and the pixels of the LF image along a cell
inline constexpr int kMaxBlockSamples = 1024;

// The class of a cell (format.md, 7.3.2).
enum CellClass : std::uint8_t { kCellBackground = 0, kCellMid = 1, kCellHole = 2, kCellDrawn = 3 };
inline constexpr int kTiers = 2;  // of cells that have high frequencies
inline bool is_hole(int cell_class) { return cell_class >= kCellHole; }

// Size of a transform as powers of two, in cells. Along a cell lie 2^log_eighths pixels of the LF image: 2 in chroma
// of half the size.
struct Shape {
    std::uint8_t log_w = 0, log_h = 0, log_eighths = 0;

    constexpr int cells_w() const { return 1 << log_w; }
    constexpr int cells_h() const { return 1 << log_h; }
    constexpr int width() const { return kCell << log_w; }
    constexpr int height() const { return kCell << log_h; }
    constexpr int cells() const { return 1 << (log_w + log_h); }
    constexpr int samples() const { return 64 << (log_w + log_h); }
    constexpr int size_index() const { return 3 * log_h + log_w; }
    constexpr int index() const { return kSizes * log_eighths + size_index(); }
    static constexpr Shape of_index(int i) {
        return {static_cast<std::uint8_t>(i % 3), static_cast<std::uint8_t>(i % kSizes / 3),
                static_cast<std::uint8_t>(i / kSizes)};
    }
    // The block in pixels of the LF image, and as many lowest coefficients.
    constexpr int log_low_w() const { return log_w + log_eighths; }
    constexpr int log_low_h() const { return log_h + log_eighths; }
    constexpr int low_w() const { return 1 << log_low_w(); }
    constexpr int low_h() const { return 1 << log_low_h(); }
    constexpr int log_cells() const { return log_w + log_h; }
};

// A transform block; x and y of its first cell in the plane.
struct Block {
    std::int16_t x = 0, y = 0;
    Shape shape;
};

// Coefficient (h, v) of a block has index v * width + h. The lowest low_w x low_h belong to the LF image; the scan
// goes over the others, from low to high frequencies.
struct ScanEntry {
    std::uint16_t coefficient;  // index
    std::uint16_t place;  // index in a field of stride width + 2 that begins 2 rows and 2 columns before the block
    std::uint8_t band;    // 0..6, by the sum of both frequencies in cycles per 16 samples
    // LF correction: the coefficient adds to the LF image what the lowest coefficient of index `alias` = v * low_w + h
    // adds to it, times alias_weight / 256.
    std::uint8_t alias;
    std::int16_t alias_weight;
};
inline constexpr int kBands = 7;
inline constexpr int kMostLow = 64;  // lowest coefficients of a block
std::span<const ScanEntry> scan_of(Shape shape);
// The position of a coefficient in the scan, by its index; kNotInScan for those of the LF image.
inline constexpr std::uint16_t kNotInScan = 0xFFFF;
std::span<const std::uint16_t> scan_positions_of(Shape shape);

// Scale of coefficients relative to 8x8, in 1/256, by log_cells: the transform of N samples gives 128 / sqrt(N) times
// the orthonormal one.
inline constexpr std::array<std::int32_t, 5> kShapeScale = {256, 181, 128, 91, 64};

// A rectangle of cells.
struct CellRect {
    int x0, y0, x1, y1;

    int width() const { return x1 - x0; }
    int height() const { return y1 - y0; }
    int area() const { return width() * height(); }
};

// The grid of one plane, or of the two chroma planes that share it.
class Grid {
  public:
    // `footprint` is the width in pixels of a cell, 8 or 16; `classes` one entry per cell.
    Grid(int footprint, View<const std::uint8_t> classes) : footprint_(footprint), classes_(classes) {}

    std::uint8_t log_eighths() const { return footprint_ > kCell; }

    int width() const { return classes_.width; }
    int height() const { return classes_.height; }
    int group_cells() const { return kGroup / footprint_; }
    std::uint8_t class_of(int x, int y) const { return classes_.row(y)[x]; }
    // The cells of a group by its column and row; empty where the plane does not reach.
    CellRect group(int column, int row) const;
    // Whether the square of 2^log cells at (x, y) lies inside and is of one class; only such squares may be one block.
    bool uniform(int x, int y, int log) const;

  private:
    int footprint_;
    View<const std::uint8_t> classes_;
};

// The partition of a square of 16 or 32 samples.
enum class Cut : std::uint8_t {
    quarters,
    whole,
    wide,
    tall
};  // wide: two blocks one above the other; tall: side by side

// Walk through the blocks of a rectangle of cells (whose corner is a superblock's) in coding order. `cut(x, y, log)`
// returns the partition of the uniform square of 2^log cells at (x, y), log 2 or 1; `visit(block)` is called for every
// block.
template <class PartitionOf, class Visit>
void walk_square(const Grid& grid, const CellRect& r, int x, int y, int log, PartitionOf& cut, Visit& visit) {
    if (x >= r.x1 || y >= r.y1) return;
    const auto at = [&grid](int bx, int by, int lw, int lh) {
        return Block{static_cast<std::int16_t>(bx), static_cast<std::int16_t>(by),
                     Shape{static_cast<std::uint8_t>(lw), static_cast<std::uint8_t>(lh), grid.log_eighths()}};
    };
    if (log == 0) return visit(at(x, y, 0, 0));
    const int half = 1 << (log - 1);
    switch (grid.uniform(x, y, log) ? cut(x, y, log) : Cut::quarters) {
    case Cut::whole: return visit(at(x, y, log, log));
    case Cut::wide: visit(at(x, y, log, log - 1)), visit(at(x, y + half, log, log - 1)); return;
    case Cut::tall: visit(at(x, y, log - 1, log)), visit(at(x + half, y, log - 1, log)); return;
    case Cut::quarters:
        for (int k = 0; k < 4; ++k) walk_square(grid, r, x + (k & 1) * half, y + (k >> 1) * half, log - 1, cut, visit);
    }
}
template <class PartitionOf, class Visit>
void walk_blocks(const Grid& grid, const CellRect& r, PartitionOf cut, Visit visit) {
    for (int y = r.y0; y < r.y1; y += kSuperblock)
        for (int x = r.x0; x < r.x1; x += kSuperblock) walk_square(grid, r, x, y, 2, cut, visit);
}

}  // namespace aig
