// The settings of a lossy frame, which encoder and decoder have before any bit is coded, and its planes
// (format.md, 7.3).
#pragma once
#include "dct/quantiser.hpp"

#include <memory>

namespace aig {

// Steps of one plane: by tier for the high frequencies, one for all of the LF image.
struct PlaneSteps {
    std::array<Quantiser, kTiers> high;
    std::int32_t low = 16;  // like Quantiser::base
};

struct FrameSettings {
    int width = 0, height = 0;
    bool colour = false, subsampled = false;
    std::array<PlaneSteps, 3> steps;
};

// Results of decoding the LF image of one plane, by row, for the high frequencies and for the filters.
struct PlaneCells {
    // By pixel of the LF image.
    std::vector<std::int16_t> low;     // coefficients of the LF image: (h, v) of a block at its pixel (h, v)
    std::vector<std::int16_t> eighth;  // the LF image in 1/16, centred at 0
    // By cell.
    std::vector<std::uint8_t> busy;  // BusyMap's, 0..12
};

class Frame {
  public:
    // Views of cell classes (one entry per cell of luma, and of chroma) must outlive the frame.
    Frame(const FrameSettings& settings, View<const std::uint8_t> luma, View<const std::uint8_t> chroma);

    const FrameSettings& settings() const { return settings_; }
    int planes() const { return settings_.colour ? 3 : 1; }
    const Grid& grid(int plane) const { return grids_[plane > 0]; }
    PlaneCells& cells(int plane) { return cells_[static_cast<std::size_t>(plane)]; }
    const PlaneCells& cells(int plane) const { return cells_[static_cast<std::size_t>(plane)]; }
    std::size_t cell(int plane, int x, int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(grid(plane).width()) +
               static_cast<std::size_t>(x);
    }

    // The LF image of a plane: how wide its rows are, and where the first pixel of a cell is.
    int eighth_width(int plane) const { return grid(plane).width() << grid(plane).log_eighths(); }
    int eighth_height(int plane) const { return grid(plane).height() << grid(plane).log_eighths(); }
    std::size_t eighth(int plane, int cell_x, int cell_y) const {
        const int log = grid(plane).log_eighths();
        return (static_cast<std::size_t>(cell_y) << log) * static_cast<std::size_t>(eighth_width(plane)) +
               (static_cast<std::size_t>(cell_x) << log);
    }

    int group_columns() const { return (settings_.width + kGroup - 1) / kGroup; }
    int group_rows() const { return (settings_.height + kGroup - 1) / kGroup; }
    int groups() const { return group_columns() * group_rows(); }
    CellRect group_cells(int plane, int group) const {
        return grid(plane).group(group % group_columns(), group / group_columns());
    }
    // Regions of kRegion x kRegion groups.
    int lf_group_columns() const { return (group_columns() + kLfGroup - 1) / kLfGroup; }
    int regions() const { return lf_group_columns() * ((group_rows() + kLfGroup - 1) / kLfGroup); }
    int region_of(int group) const {
        return group / group_columns() / kLfGroup * lf_group_columns() + group % group_columns() / kLfGroup;
    }
    // The groups of a region, row by row.
    std::vector<int> groups_of(int region) const;

    // Whether any cell of a group is of this tier.
    bool has_tier(int group, int tier) const;

    // The partition of a plane: the shape of the block that contains a cell; chroma planes share theirs.
    Shape shape_at(int plane, int x, int y) const {
        return Shape::of_index((shapes_[plane > 0][cell(plane, x, y)] & 15) + kSizes * grid(plane).log_eighths());
    }
    void set_shape(int plane, const Block& b);
    // The edges of a cell that are edges of its block.
    static constexpr std::uint8_t kLeftEdge = 16, kTopEdge = 32;
    std::uint8_t begins(int plane, int x, int y) const { return shapes_[plane > 0][cell(plane, x, y)]; }
    // Reset a region to its state before decoding.
    void forget_region(int region);
    Cut cut_at(int plane, int x, int y, int log) const;
    // Adaptive quantisation: steps vary by superblock of luma pixels, in quarters of an octave.
    int adaptation(int plane, int x, int y) const {
        if (adaptation_.empty()) return 0;
        const int shift = plane && settings_.subsampled ? 1 : 2;
        return adaptation_[static_cast<std::size_t>((y >> shift) * superblock_columns() + (x >> shift))];
    }
    int superblock_columns() const { return (settings_.width + 31) / 32; }
    int superblock_rows() const { return (settings_.height + 31) / 32; }
    std::vector<std::int8_t>& adaptations() { return adaptation_; }
    bool adaptation_varies() const { return !adaptation_.empty(); }
    void let_adaptation_vary() {
        adaptation_.assign(static_cast<std::size_t>(superblock_columns()) * static_cast<std::size_t>(superblock_rows()),
                           0);
    }

    BlockSteps steps_of(int plane, int tier, const Block& b) const {
        const Quantiser& q = settings_.steps[static_cast<std::size_t>(plane)].high[static_cast<std::size_t>(tier)];
        return {adaptation_varies() ? q.base_at(adaptation(plane, b.x, b.y)) : q.base, b.shape,
                weights_of(q.matrix, b.shape).data()};
    }

    // Visit the blocks of a group in coding order.
    template <class Visit> void for_blocks(int plane, int group, Visit visit) const {
        walk_blocks(
            grid(plane), group_cells(plane, group), [&](int x, int y, int log) { return cut_at(plane, x, y, log); },
            visit);
    }

  private:
    FrameSettings settings_;
    std::array<Grid, 2> grids_;
    std::array<PlaneCells, 3> cells_;
    std::array<std::vector<std::uint8_t>, 2> shapes_;
    std::vector<std::int8_t> adaptation_;
};

}  // namespace aig
