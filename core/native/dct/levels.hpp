// The high frequencies of one block, both directions: the position of the last quantised coefficient that is not 0,
// then all from there to the lowest frequency, each in the context of its neighbours that are known (format.md, 7.3.6).
#pragma once
#include "dct/syntax.hpp"

#include <cstring>

namespace aig {

// The activity of the blocks around, by how many of their coefficients are not 0 in this stream; one map per plane and
// group. Blocks come in an order in which the latest one of a row is the next one on the left, and the latest one of a
// column the next one above.
class ActivityMap {
  public:
    static constexpr int kMost = 12;

    void start(const CellRect& cells) {
        x0_ = cells.x0, y0_ = cells.y0;
        std::memset(left_, 0, sizeof left_);
        std::memset(above_, 0, sizeof above_);
    }
    // 0..12, the mean over the cells on the left and above, as far as the group has them.
    int around(const Block& b) const {
        const int x = b.x - x0_, y = b.y - y0_;
        const int left = mean(left_ + y, b.shape.log_h), above = mean(above_ + x, b.shape.log_w);
        return x && y ? (left + above + 1) / 2 : x ? left : y ? above : 0;
    }
    // Also of blocks that are of no interest: they are 0.
    void set(const Block& b, int activity) {
        put(left_ + (b.y - y0_), b.shape.log_h, activity);
        put(above_ + (b.x - x0_), b.shape.log_w, activity);
    }
    // By how many coefficients per 64 samples are not 0: twice the binary logarithm of 4 of them plus 1.
    static int of(Shape shape, unsigned nonzero) {
        if (!nonzero) return 0;
        const unsigned v = (256 * nonzero >> (6 + shape.log_cells())) + 1;
        return std::clamp(static_cast<int>(std::bit_width(v * v)) - 1, 1, kMost);
    }

  private:
    // Cells are looked at four at once, the first one lowest: of a block's side 1, 2 or 4 of them count.
    static std::uint32_t counting(int log) { return 0xffffffffu >> (32 - (8 << log)); }
    static std::uint32_t get(const std::uint8_t* c) {
        return c[0] | std::uint32_t{c[1]} << 8 | std::uint32_t{c[2]} << 16 | std::uint32_t{c[3]} << 24;
    }
    static int mean(const std::uint8_t* cells, int log) {
        return static_cast<int>((get(cells) & counting(log)) * 0x01010101u >> (24 + log));
    }
    static void put(std::uint8_t* cells, int log, int activity) {
        const std::uint32_t mask = counting(log),
                            four = (get(cells) & ~mask) | (static_cast<unsigned>(activity) * 0x01010101u & mask);
        for (int i = 0; i < 4; ++i) cells[i] = static_cast<std::uint8_t>(four >> 8 * i);
    }

    static constexpr int kCells = kGroup / kCell, kRoom = 3;

    int x0_ = 0, y0_ = 0;
    std::uint8_t left_[kCells + kRoom], above_[kCells + kRoom];
};

// The magnitudes of a block that are known, summed as the contexts of their neighbours need them.
class Surroundings {
  public:
    explicit Surroundings(Shape shape) : stride_(shape.width() + 2) {
        std::memset(field_, 0, static_cast<std::size_t>(stride_ * (shape.height() + 2)));
    }
    int at(const ScanEntry& e) const { return field_[e.place]; }
    // A magnitude that is not 0, to the coefficients on its left and above, which are coded later.
    AIG_INLINE void add(const ScanEntry& e, unsigned magnitude) {
        const unsigned m = magnitude < 3 ? magnitude : 3;
        std::uint8_t* p = field_ + e.place;
        const auto to = [p](std::ptrdiff_t offset, unsigned amount) {
            p[-offset] = static_cast<std::uint8_t>(p[-offset] + amount);
        };
        to(1, 2 * m), to(stride_, 2 * m), to(stride_ + 1, 2 * m), to(2, m), to(2 * stride_, m);
    }

  private:
    std::ptrdiff_t stride_;
    std::uint8_t field_[34 * 34];
};

inline constexpr std::array<std::uint8_t, ActivityMap::kMost + 1> kActivityClass = {0, 0, 0, 0, 1, 1, 1,
                                                                                    1, 2, 2, 2, 2, 2};
inline int end_context(int around) { return (around + 1) / 2; }

// The context of all coefficients of a block but for what changes from one to the next.
inline LevelContext block_context(int plane, Shape shape, int around) {
    return {plane, size_class(shape), 0, 0, kActivityClass[static_cast<std::size_t>(around)], 0};
}
AIG_INLINE void move_to(LevelContext& c, const ScanEntry& e, const Surroundings& s) {
    c.band = e.band;
    c.around = s.at(e);
    c.magnitude = kMagnitudeClass[static_cast<std::size_t>(c.around)];
}

// The quantised coefficients of a block that are not 0, from high to low frequencies.
struct BlockLevels {
    struct Level {
        std::uint16_t position;  // in the scan
        std::int16_t level;
    };
    unsigned count = 0;
    std::array<Level, kMaxBlockSamples> levels;

    void add(unsigned position, int level) {
        levels[count++] = {static_cast<std::uint16_t>(position), static_cast<std::int16_t>(level)};
    }
    unsigned end() const { return count ? levels[0].position + 1u : 0; }
};

template <HighSyntax Syntax>
void encode_levels(Syntax& syntax, int plane, Shape shape, int around, const BlockLevels& block) {
    LevelContext context = block_context(plane, shape, around);
    const unsigned end = block.end();
    syntax.end(plane, context.size, end_context(around), end);
    if (!end) return;
    const ScanEntry* scan = scan_of(shape).data();
    Surroundings surroundings(shape);
    typename Syntax::Levels coder(syntax, plane, context.size);
    unsigned i = end;
    for (unsigned k = 0; k < block.count; ++k) {
        const auto [position, level] = block.levels[k];
        while (--i > position) {
            move_to(context, scan[i], surroundings);
            coder.level(context, false, 0);
        }
        const auto magnitude = static_cast<unsigned>(abs_int(level));
        move_to(context, scan[i], surroundings);
        coder.level(context, k == 0, magnitude);
        coder.negative(level < 0);
        surroundings.add(scan[i], magnitude);
    }
    while (i-- > 0) {
        move_to(context, scan[i], surroundings);
        coder.level(context, false, 0);
    }
    coder.close();
}

// Calls take(entry, level) for every quantised coefficient that is not 0; returns how many there were.
template <HighSyntax Syntax, class Take>
AIG_INLINE unsigned decode_levels(Syntax& syntax, int plane, Shape shape, int around, Take take) {
    LevelContext context = block_context(plane, shape, around);
    const unsigned end = syntax.end(plane, context.size, end_context(around), 0);
    if (!end) return 0;
    const auto scan = scan_of(shape);
    if (end > scan.size()) throw Corrupt("a block of high frequencies ends behind its last one");
    Surroundings surroundings(shape);
    typename Syntax::Levels coder(syntax, plane, context.size);
    unsigned nonzero = 0;
    for (unsigned i = end; i-- > 0;) {
        const ScanEntry& e = scan[i];
        move_to(context, e, surroundings);
        const unsigned magnitude = coder.level(context, i + 1 == end, 0);
        if (!magnitude) continue;
        const bool negative = coder.negative(false);
        surroundings.add(e, magnitude);
        take(e, negative ? -static_cast<int>(magnitude) : static_cast<int>(magnitude));
        ++nonzero;
    }
    coder.close();
    return nonzero;
}

}  // namespace aig
