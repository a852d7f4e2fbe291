#include "dct/frame.hpp"

#include <algorithm>

namespace aig {

Frame::Frame(const FrameSettings& settings, View<const std::uint8_t> luma, View<const std::uint8_t> chroma)
    : settings_(settings), grids_{Grid(kCell, luma), Grid(settings.subsampled ? 2 * kCell : kCell, chroma)} {
    for (int p = 0; p < planes(); ++p) {
        const auto n = static_cast<std::size_t>(grid(p).width()) * static_cast<std::size_t>(grid(p).height());
        const std::size_t pixels = n << 2 * grid(p).log_eighths();
        cells(p).low.assign(pixels, 0);
        cells(p).eighth.assign(pixels, 0);
        cells(p).busy.assign(n, 0);
        if (p < 2) shapes_[static_cast<std::size_t>(p)].assign(n, 0);
    }
}

std::vector<int> Frame::groups_of(int region) const {
    std::vector<int> out;
    const int x0 = region % lf_group_columns() * kLfGroup, y0 = region / lf_group_columns() * kLfGroup;
    for (int y = y0; y < std::min(y0 + kLfGroup, group_rows()); ++y)
        for (int x = x0; x < std::min(x0 + kLfGroup, group_columns()); ++x) out.push_back(y * group_columns() + x);
    return out;
}

bool Frame::has_tier(int group, int tier) const {
    for (int p = 0; p < std::min(planes(), 2); ++p) {
        const CellRect r = group_cells(p, group);
        for (int y = r.y0; y < r.y1; ++y)
            for (int x = r.x0; x < r.x1; ++x)
                if (grid(p).class_of(x, y) == tier) return true;
    }
    return false;
}

void Frame::set_shape(int plane, const Block& b) {
    auto& shapes = shapes_[plane > 0];
    for (int j = 0; j < b.shape.cells_h(); ++j)
        for (int i = 0; i < b.shape.cells_w(); ++i)
            shapes[cell(plane, b.x + i, b.y + j)] =
                static_cast<std::uint8_t>(b.shape.size_index() | (i ? 0 : kLeftEdge) | (j ? 0 : kTopEdge));
}

void Frame::forget_region(int region) {
    for (int group : groups_of(region))
        for (int p = 0; p < planes(); ++p) {
            const CellRect r = group_cells(p, group);
            const auto forget = [](auto& values, std::size_t first, int count) {
                std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(first), count, 0);
            };
            const int log = grid(p).log_eighths();
            for (int y = r.y0; y < r.y1; ++y) {
                forget(shapes_[p > 0], cell(p, r.x0, y), r.width());
                for (int j = 0; j < 1 << log; ++j) {
                    const std::size_t first = eighth(p, r.x0, y) + static_cast<std::size_t>(j * eighth_width(p));
                    forget(cells(p).low, first, r.width() << log);
                    forget(cells(p).eighth, first, r.width() << log);
                }
            }
        }
}

Cut Frame::cut_at(int plane, int x, int y, int log) const {
    const Shape s = shape_at(plane, x, y);
    if (s.log_w == log) return s.log_h == log ? Cut::whole : Cut::wide;
    return s.log_h == log ? Cut::tall : Cut::quarters;
}

}  // namespace aig
