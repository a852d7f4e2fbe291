#include "dct/blocks.hpp"

#include "base/matrix.hpp"

#include <algorithm>

namespace aig {
namespace {

// The LF correction along one side of 8 << log samples: frequency k adds to the means over n equal parts of it what the
// low frequency `of` adds to them, times weight / 256. Frequencies with whole periods in each part add nothing.
struct LfTerm {
    int of = 0, weight = 0;
};
LfTerm lf_term(int log, int n, int k) {
    const int fold = k % (2 * n);
    if (k < n) return {k, 256};
    if (fold == 0 || fold == n) return {};
    const int of = std::min(fold, 2 * n - fold);
    // Sums over the first part, where those of the lowest frequencies are positive.
    const auto sum = [&](int frequency) {
        int s = 0;
        for (int i = 0; i < (kCell << log) / n; ++i) s += dct_entry(log + 3, frequency, i);
        return s;
    };
    const int whole = sum(of), number = 512 * sum(k) + whole, rest = number % (2 * whole);
    return {of, (number - rest) / (2 * whole) - (rest < 0)};
}

std::vector<ScanEntry> make_scan(Shape shape) {
    const int w = shape.width(), h = shape.height();
    struct Place {
        int sum, x, y;
    };
    std::vector<Place> places;
    // Frequencies count in cycles over the larger side of both, so that equal sums are diagonals in the image.
    for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x)
            if (x >= shape.low_w() || y >= shape.low_h()) places.push_back({x * h + y * w, x, y});
    // Diagonals alternate in direction (zigzag, as in JPEG): odd ones begin at the top.
    const int unit = std::max(w, h);
    std::sort(places.begin(), places.end(), [unit](const Place& a, const Place& b) {
        if (a.sum != b.sum) return a.sum < b.sum;
        return (a.sum / unit) % 2 ? a.y < b.y : a.x < b.x;
    });
    std::vector<ScanEntry> scan;
    for (const Place& p : places) {
        const int sum = p.x / shape.cells_w() + p.y / shape.cells_h();
        const int band = sum < 4 ? sum : sum < 6 ? 4 : sum < 9 ? 5 : 6;
        const LfTerm along = lf_term(shape.log_w, shape.low_w(), p.x), down = lf_term(shape.log_h, shape.low_h(), p.y);
        scan.push_back({static_cast<std::uint16_t>(p.y * w + p.x),
                        static_cast<std::uint16_t>((p.y + 2) * (w + 2) + p.x + 2), static_cast<std::uint8_t>(band),
                        static_cast<std::uint8_t>(down.of * shape.low_w() + along.of),
                        static_cast<std::int16_t>((along.weight * down.weight + 128) >> 8)});
    }
    return scan;
}

}  // namespace

std::span<const ScanEntry> scan_of(Shape shape) {
    static const std::array<std::vector<ScanEntry>, kShapes> scans = [] {
        std::array<std::vector<ScanEntry>, kShapes> out;
        for (int i = 0; i < kShapes; ++i) out[static_cast<std::size_t>(i)] = make_scan(Shape::of_index(i));
        return out;
    }();
    return scans[static_cast<std::size_t>(shape.index())];
}

std::span<const std::uint16_t> scan_positions_of(Shape shape) {
    static const std::array<std::vector<std::uint16_t>, kShapes> positions = [] {
        std::array<std::vector<std::uint16_t>, kShapes> out;
        for (int k = 0; k < kShapes; ++k) {
            const Shape s = Shape::of_index(k);
            auto& of = out[static_cast<std::size_t>(k)];
            of.assign(static_cast<std::size_t>(s.samples()), kNotInScan);
            const auto scan = scan_of(s);
            for (std::size_t i = 0; i < scan.size(); ++i) of[scan[i].coefficient] = static_cast<std::uint16_t>(i);
        }
        return out;
    }();
    return positions[static_cast<std::size_t>(shape.index())];
}

CellRect Grid::group(int column, int row) const {
    const int n = group_cells();
    const auto edge = [](int at, int limit) { return std::min(at, limit); };
    return {edge(column * n, width()), edge(row * n, height()), edge((column + 1) * n, width()),
            edge((row + 1) * n, height())};
}

bool Grid::uniform(int x, int y, int log) const {
    const int n = 1 << log;
    if (x + n > width() || y + n > height()) return false;
    const std::uint8_t first = class_of(x, y);
    for (int j = y; j < y + n; ++j)
        for (int i = x; i < x + n; ++i)
            if (class_of(i, j) != first) return false;
    return true;
}

}  // namespace aig
