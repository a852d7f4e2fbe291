// The context of a pixel in the screen-content coder: its causal neighbours (format.md, 7.1.7).
#pragma once
#include "entropy/binary_coder.hpp"

#include <bit>

namespace aig::screen {

using std::size_t;
using std::uint32_t;

// Of the pixels p[First .. Last].
template <int First, int Last> uint32_t polynomial(const uint32_t* p) {
    uint32_t sum = 0;
    AIG_UNROLL
    for (int i = First; i <= Last; ++i) sum = sum * 0x2F0B4C47u + p[i];
    return sum;
}

// The row being coded (0) and the five rows before it that held pixels of the region.
inline constexpr int kRows = 6, kMargin = 6;
using Rows = std::array<uint32_t*, kRows>;

// These rows, and a chosen number of earlier ones.
class Window {
  public:
    Window(int width, int count)
        : stride_(width + 2 * kMargin), count_(count),
          pixels_(static_cast<size_t>(stride_) * static_cast<size_t>(count)) {}

    Rows rows() {
        Rows rows;
        for (int k = 0; k < kRows; ++k) rows[static_cast<size_t>(k)] = pixels_.data() + place(k);
        return rows;
    }
    // Row k, below the number of rows.
    const uint32_t* above(int k) const { return pixels_.data() + place(k); }
    // So many rows, from 0, have two others above them.
    int reach() const { return count_ - 2; }
    // The number of row 0, from 1.
    uint32_t row() const { return row_; }
    void next_row() {
        latest_ = latest_ + 1 == count_ ? 0 : latest_ + 1;
        ++row_;
    }

  private:
    std::ptrdiff_t place(int k) const {
        return (latest_ >= k ? latest_ - k : latest_ - k + count_) * stride_ + kMargin;
    }

    std::ptrdiff_t stride_;
    int count_, latest_ = 0;
    uint32_t row_ = 1;
    std::vector<uint32_t> pixels_;
};

// Whether all pixels around one are equal, so far that where it is not of their colour, something new begins.
inline bool is_flat(const Rows& rows, int x) {
    const uint32_t colour = rows[0][x - 1];
    const auto all = [&](size_t row, int first, int last) {
        for (int i = first; i <= last; ++i)
            if (rows[row][x + i] != colour) return false;
        return true;
    };
    return rows[1][x] == colour && all(0, -3, -2) && all(1, -2, 4) && all(2, -1, 3) && all(3, 0, 1);
}
// The same for the next pixel, if this one was flat and of that colour.
inline bool stays_flat(const Rows& rows, int x) {
    const uint32_t colour = rows[0][x - 1];
    return rows[1][x + 4] == colour && rows[2][x + 3] == colour && rows[3][x + 1] == colour;
}

// w + n - nw in every byte by itself, modulo 256.
inline uint32_t gradient(uint32_t w, uint32_t n, uint32_t nw) {
    constexpr uint32_t high = 0x80808080u;
    const uint32_t sum = ((w & ~high) + (n & ~high)) ^ ((w ^ n) & high);
    return ((sum | high) - (nw & ~high)) ^ ((sum ^ ~nw) & high);
}

// The pixels next to the one being coded.
struct Neighbours {
    uint32_t w, n, nw, ne, ww, nn, slope;
    unsigned pattern;  // which of them are equal; the low four bits are those next to the pixel

    Neighbours(const Rows& rows, int x) {
        w = rows[0][x - 1], ww = rows[0][x - 2];
        n = rows[1][x], nw = rows[1][x - 1], ne = rows[1][x + 1];
        nn = rows[2][x];
        slope = gradient(w, n, nw);
        pattern = (w == n) | (n == nw) << 1 | (n == ne) << 2 | (w == nw) << 3 | (w == ww) << 4 | (n == nn) << 5 |
                  (ne == rows[1][x + 2]) << 6;
    }
    // Which of them are this colour.
    unsigned equal_to(uint32_t c) const {
        return (c == w) | (c == n) << 1 | (c == nw) << 2 | (c == ne) << 3 | (c == ww) << 4 | (c == nn) << 5 |
               (c == slope) << 6;
    }
};

// A set of colours as a binary trie without the bits in which they all agree (Morrison 1968).
class ColourSet {
  public:
    bool empty() const { return nodes_.empty(); }
    bool contains(uint32_t colour) const { return !empty() && nearest(colour) == colour; }
    void add(uint32_t colour) {
        if (contains(colour) || nodes_.size() >= 2 * kMost - 1) return;
        const auto leaf = static_cast<uint32_t>(nodes_.size());
        nodes_.push_back({-1, colour, {}});
        if (leaf == 0) return;
        const int bit = std::bit_width(nearest(colour) ^ colour) - 1;
        uint32_t* link = &root_;
        while (nodes_[*link].bit > bit) link = &nodes_[*link].child[colour >> nodes_[*link].bit & 1];
        const bool one = colour >> bit & 1;
        const Node fork{bit, colour, {one ? *link : leaf, one ? leaf : *link}};
        *link = leaf + 1;
        nodes_.push_back(fork);
    }
    // The colour that choose(bit, colour with the right bits above it) leads to; it is called only where both exist.
    template <class Choose> uint32_t find(Choose choose) const {
        uint32_t i = root_;
        while (nodes_[i].bit >= 0) i = nodes_[i].child[choose(nodes_[i].bit, nodes_[i].colour)];
        return nodes_[i].colour;
    }

  private:
    // In more colours than this, finding one again costs more than its differences to the neighbours.
    static constexpr size_t kMost = 1 << 14;

    struct Node {
        int bit;          // that the children differ in; -1 for a leaf
        uint32_t colour;  // of the leaf, or of some leaf below
        std::array<uint32_t, 2> child;
    };
    uint32_t nearest(uint32_t colour) const {
        return find([&](int bit, uint32_t) { return colour >> bit & 1; });
    }

    std::vector<Node> nodes_;
    uint32_t root_ = 0;
};

// The neighbourhoods whose hashes are keys of earlier pixels, from two pixels to the extent of a glyph.
inline constexpr size_t kNeighbourhoods = 4;
inline std::array<uint32_t, kNeighbourhoods> neighbourhoods(const Rows& rows, int x) {
    const auto row = [&](size_t k) { return rows[k] + x; };
    const uint32_t two = hash(hash(1, row(0)[-1]), row(1)[0]);
    uint32_t six = hash(2, polynomial<-2, -1>(row(0)));
    six = hash(hash(six, polynomial<-1, 1>(row(1))), row(2)[0]);
    uint32_t thirteen = hash(3, polynomial<-3, -1>(row(0)));
    thirteen = hash(hash(thirteen, polynomial<-2, 3>(row(1))), polynomial<-1, 2>(row(2)));
    uint32_t all = hash(4, polynomial<-6, -1>(row(0)));
    all = hash(hash(all, polynomial<-5, 6>(row(1))), polynomial<-4, 5>(row(2)));
    all = hash(hash(hash(all, polynomial<-4, 4>(row(3))), polynomial<-3, 3>(row(4))), polynomial<-2, 2>(row(5)));
    return {two, six, thirteen, all};
}

}  // namespace aig::screen
