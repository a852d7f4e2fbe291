#include "geometry/masks.hpp"

#include <cstring>
#include <limits>

namespace aig {
namespace {

using std::int32_t;
using std::int64_t;
using std::size_t;

constexpr int64_t kFar = int64_t{1} << 40;

// The first row of a tile that is sampled, and the distance to the next ones.
constexpr int kRow = 2, kRows = 8;

// Squared distances to the nearest pixel of a label, row by row of a box of the map from its top (Meijster, Roerdink
// and Hesselink 2000). Pixels more than `reach` rows away do not count, and nothing is kept but what the next row
// needs.
class Distances {
  public:
    Distances(View<const std::uint8_t> labels, int label, const Box& box, int reach)
        : labels_(labels), label_(label), box_(box), reach_(reach), width_(box.right - box.left),
          above_(static_cast<size_t>(width_), -kNone), below_(static_cast<size_t>(width_), box.top),
          column_(static_cast<size_t>(width_)), parabolas_(static_cast<size_t>(width_)),
          from_(static_cast<size_t>(width_)) {
        for (int y = box.top; y < end(box.top); ++y)
            for (int u = 0; u < width_; ++u)
                below_[static_cast<size_t>(u)] += below_[static_cast<size_t>(u)] == y && !labelled(u, y);
    }
    const Box& box() const { return box_; }
    // Of the pixels of the next row: the lower envelope of the parabolas that its columns give.
    void row(int y, int64_t* out) {
        for (int u = 0; u < width_; ++u) {
            int32_t &above = above_[static_cast<size_t>(u)], &below = below_[static_cast<size_t>(u)];
            if (labelled(u, y)) above = y;
            below = std::max(below, y);
            while (below < end(y) && !labelled(u, below)) ++below;
            column_[static_cast<size_t>(u)] = std::min(y - above, below < end(y) ? below - y : kNone);
        }
        int last = -1;
        for (int u = 0; u < width_; ++u) {
            if (column(u) >= kNone) continue;
            while (last >= 0 && value(parabola(last), from(last)) > value(u, from(last))) --last;
            int start = 0;
            if (last >= 0) {
                const int i = parabola(last);
                const int64_t d = square(u) - square(i) + square(column(u)) - square(column(i));
                // The first pixel from which on u is nearer; d may be negative.
                const int64_t n = 2 * (int64_t{u} - i), first = (d >= 0 ? d / n : -((-d + n - 1) / n)) + 1;
                if (first >= width_) continue;
                start = static_cast<int>(std::max<int64_t>(first, 0));
            }
            ++last;
            parabolas_[static_cast<size_t>(last)] = u;
            from_[static_cast<size_t>(last)] = start;
        }
        for (int x = width_ - 1; x >= 0; --x) {
            while (last >= 0 && from(last) > x) --last;
            out[x] = last < 0 ? kFar : value(parabola(last), x);
        }
    }

  private:
    static constexpr int32_t kNone = 1 << 20;  // more than the height of any image

    bool labelled(int u, int y) const { return labels_.row(y)[box_.left + u] == label_; }
    // Behind the last row that counts for row y.
    int end(int y) const { return std::min(box_.bottom, y + reach_ + 1); }
    int32_t column(int u) const { return column_[static_cast<size_t>(u)]; }
    int parabola(int i) const { return parabolas_[static_cast<size_t>(i)]; }
    int from(int i) const { return from_[static_cast<size_t>(i)]; }
    static int64_t square(int64_t v) { return v * v; }
    int64_t value(int u, int x) const { return square(x - u) + square(column(u)); }

    View<const std::uint8_t> labels_;
    int label_;
    Box box_;
    int reach_, width_;
    // By column: the last row of the label so far, where to look for the next one, and the distance to the nearer of
    // them.
    std::vector<int32_t> above_, below_, column_;
    std::vector<int> parabolas_, from_;
};

// The least n with n * n * 65536 > reach2, at most `most`: how far beyond a core pixels may be mid.
int beyond(int64_t reach2, int most) {
    int n = 0;
    while (n < most && (int64_t{n} * n << 16) <= reach2) ++n;
    return n;
}

}  // namespace

void classify_labels(View<const std::uint8_t> labels, std::span<const int64_t> reach2, View<std::uint8_t> map) {
    struct Near {
        int core;
        Distances distances;
    };
    std::vector<Near> cores;
    for (size_t k = 0; k < reach2.size(); ++k) {
        if (reach2[k] < 65536) continue;  // less than a pixel
        const int label = static_cast<int>(k) + kCoreBase;
        const Box box = bounding_box({labels, label, label});
        if (box.right <= box.left) continue;
        const int more = beyond(reach2[k], std::max(map.width, map.height));
        cores.push_back({static_cast<int>(k),
                         {labels,
                          label,
                          {std::max(0, box.left - more), std::max(0, box.top - more),
                           std::min(map.width, box.right + more), std::min(map.height, box.bottom + more)},
                          more}});
    }
    std::vector<int64_t> line(static_cast<size_t>(map.width)), nearest(line.size());
    for (int y = 0; y < map.height; ++y) {
        std::uint8_t* const classes = map.row(y);
        std::copy_n(labels.row(y), map.width, classes);
        std::fill(nearest.begin(), nearest.end(), kFar);
        for (Near& near : cores) {
            const Box& box = near.distances.box();
            if (y < box.top || y >= box.bottom) continue;
            near.distances.row(y, line.data());
            for (int x = box.left; x < box.right; ++x) {
                const int64_t d = line[static_cast<size_t>(x - box.left)];
                int64_t& least = nearest[static_cast<size_t>(x)];
                if (is_core(classes[x]) || d >= least || d << 16 > reach2[static_cast<size_t>(near.core)]) continue;
                least = d;
                classes[x] = static_cast<std::uint8_t>(kMidBase + near.core);
            }
        }
    }
}

int32_t components(View<const std::uint8_t> mask, View<int32_t> numbers) {
    // Provisional numbers in a forest of which every root is the lowest of its tree (Rosenfeld and Pfaltz 1966).
    std::vector<int32_t> parent{0};
    const auto root = [&](int32_t i) {
        while (parent[static_cast<size_t>(i)] != i)
            i = parent[static_cast<size_t>(i)] = parent[static_cast<size_t>(parent[static_cast<size_t>(i)])];
        return i;
    };
    for (int y = 0; y < mask.height; ++y) {
        int32_t* row = numbers.row(y);
        const int32_t* above = y ? numbers.row(y - 1) : nullptr;
        for (int x = 0; x < mask.width; ++x) {
            row[x] = 0;
            if (!mask.row(y)[x]) continue;
            int32_t own = 0;
            const auto join = [&](int32_t other) {
                if (!other) return;
                other = root(other);
                if (!own) own = other;
                const int32_t low = std::min(own, other), high = std::max(own, other);
                parent[static_cast<size_t>(high)] = low;
                own = low;
            };
            if (x) join(row[x - 1]);
            if (above)
                for (int i = std::max(0, x - 1); i <= std::min(mask.width - 1, x + 1); ++i) join(above[i]);
            if (!own) {
                own = static_cast<int32_t>(parent.size());
                parent.push_back(own);
            }
            row[x] = own;
        }
    }
    int32_t count = 0;
    std::vector<int32_t> final(parent.size(), 0);
    for (int32_t i = 1; i < static_cast<int32_t>(parent.size()); ++i) {
        const int32_t r = root(i);
        final[static_cast<size_t>(i)] = r == i ? ++count : final[static_cast<size_t>(r)];
    }
    for (int y = 0; y < mask.height; ++y)
        for (int x = 0; x < mask.width; ++x) numbers.row(y)[x] = final[static_cast<size_t>(numbers.row(y)[x])];
    return count;
}

void mark_screen_content(View<const std::uint8_t> tiles, bool keep_mid, View<std::uint8_t> map) {
    for (int y = 0; y < map.height; ++y) {
        const std::uint8_t* tile = tiles.row(y / kScreenTile);
        for (int tx = 0; tx < tiles.width; ++tx) {
            if (!tile[tx]) continue;
            for (int x = tx * kScreenTile; x < std::min(map.width, (tx + 1) * kScreenTile); ++x) {
                std::uint8_t& c = map.row(y)[x];
                if (!is_core(c) && !(keep_mid && is_mid(c))) c = kDrawn;
            }
        }
    }
}

void repeated_by_tile(View<const std::uint8_t> pixels, View<const std::uint8_t> map, View<std::uint8_t> shares) {
    const auto n = static_cast<size_t>(pixels.channels), width = static_cast<size_t>(pixels.width), size = width * n;
    std::vector<std::uint32_t> counts(2 * static_cast<size_t>(shares.width));
    std::vector<std::uint8_t> west(size), north(size);
    for (int ty = 0; ty < shares.height; ++ty) {
        std::fill(counts.begin(), counts.end(), 0u);
        for (int y = ty * kScreenTile + kRow; y < std::min(pixels.height, (ty + 1) * kScreenTile); y += kRows) {
            const std::uint8_t *row = pixels.row(y), *above = pixels.row(y - 1), *classes = map.row(y);
            for (size_t i = n; i < size; ++i) west[i] = row[i] ^ row[i - n];
            for (size_t i = n; i < size; ++i) north[i] = row[i] ^ above[i];
            for (size_t x = 1; x < width; ++x) {
                unsigned of_west = 0, of_north = 0;
                for (size_t c = 0; c < n; ++c) of_west |= west[x * n + c], of_north |= north[x * n + c];
                const bool counted = !is_core(classes[x]);
                const size_t tile = x / kScreenTile;
                counts[2 * tile] += counted && (!of_west || !of_north);
                counts[2 * tile + 1] += counted;
            }
        }
        for (int tx = 0; tx < shares.width; ++tx) {
            const std::uint32_t all = counts[2 * static_cast<size_t>(tx) + 1];
            shares.row(ty)[tx] = static_cast<std::uint8_t>(all ? 255 * counts[2 * static_cast<size_t>(tx)] / all : 0);
        }
    }
}

SquaredError squared_error(View<const std::uint8_t> a, View<const std::uint8_t> b, int colours,
                           View<const std::uint8_t> map) {
    SquaredError total;
    for (int y = 0; y < map.height; ++y) {
        const std::uint8_t *p = a.row(y), *q = b.row(y), *classes = map.row(y);
        std::uint64_t sum = 0, pixels = 0;
        for (int x = 0; x < map.width; ++x, p += a.channels, q += b.channels) {
            int own = 0;
            for (int c = 0; c < colours; ++c) own += (p[c] - q[c]) * (p[c] - q[c]);
            const bool counted = !is_core(classes[x]);
            sum += counted ? static_cast<unsigned>(own) : 0u;
            pixels += counted;
        }
        total.sum += sum;
        total.samples += pixels * static_cast<unsigned>(colours);
    }
    return total;
}

}  // namespace aig
