// The LF image, at 1/8 of the size: partitions of squares, and the lowest coefficients of every block, both directions
// (format.md, 7.3.5).
#pragma once
#include "dct/frame.hpp"
#include "dct/syntax.hpp"

#include <cstring>

namespace aig {

// The part of the LF image under a block, in 1/16, from its lowest coefficients (rows of h); aliases of the high
// frequencies are among them.
void lf_pixels_of(Shape shape, const std::int16_t* low, std::int16_t* means);
// Half the coefficient of frequency 1 of a block whose side of 8 << log samples looks like these pixels beside it.
std::int16_t half_tilt(int log, int log_eighths, const std::int16_t* pixels);

// Least step of the LF image where pixels are coded as screen content.
inline constexpr std::int32_t kScreenContentStep = 1536;

// Writes or reads the syntax elements of a region's stream, block by block.
template <LowSyntax Syntax> class LfImageCoder {
  public:
    LfImageCoder(Frame& frame, int region, Syntax& syntax) : frame_(frame), syntax_(syntax) {
        for (int g : frame.groups_of(region)) groups_.push_back(g);
    }

    // `levels_of(plane, block, prediction, step, levels)` gives the levels of a block to encode: an encoder's choice.
    // Shapes are the frame's when encoding, and become the frame's when decoding.
    template <class LevelsOf> void run(LevelsOf levels_of) {
        if (frame_.adaptation_varies()) quantiser_changes();
        for (int p = 0; p < frame_.planes(); ++p) {
            limit_ = bounds(p);
            for (int g : groups_) {
                const auto cut = [&](int x, int y, int log) {
                    if (p == 2) return frame_.cut_at(p, x, y, log);
                    return syntax_.partition(p, log, partition_context(p, x, y),
                                             Syntax::kDecodes ? Cut::whole : frame_.cut_at(p, x, y, log));
                };
                walk_blocks(frame_.grid(p), frame_.group_cells(p, g), cut, [&](const Block& b) {
                    if (Syntax::kDecodes && p < 2) frame_.set_shape(p, b);
                    block(p, b, levels_of);
                });
            }
        }
    }

  private:
    // The cells of all groups of the region: nothing outside it may be looked at.
    CellRect bounds(int p) const {
        CellRect r = frame_.group_cells(p, groups_.front());
        for (int g : groups_) {
            const CellRect o = frame_.group_cells(p, g);
            r.x1 = std::max(r.x1, o.x1), r.y1 = std::max(r.y1, o.y1);
        }
        return r;
    }
    // How much finer or coarser each superblock is than the one before it.
    void quantiser_changes() {
        const CellRect r = bounds(0);
        int before = 0;
        for (int y = r.y0 / kSuperblock; y * kSuperblock < r.y1; ++y)
            for (int x = r.x0 / kSuperblock; x * kSuperblock < r.x1; ++x) {
                std::int8_t& here = frame_.adaptations()[static_cast<std::size_t>(y * frame_.superblock_columns() + x)];
                const int change = Syntax::kDecodes ? 0 : here - before;
                before += with_sign(static_cast<int>(syntax_.quantiser_change(magnitude(change))), change);
                if (abs_int(before) > kMostAdaptation) throw Corrupt("a step is adapted too far");
                here = static_cast<std::int8_t>(before);
            }
    }
    int partition_context(int p, int x, int y) const {
        const int above = y > limit_.y0 ? frame_.shape_at(p, x, y - 1).log_w : 0;
        const int left = x > limit_.x0 ? frame_.shape_at(p, x - 1, y).log_h : 0;
        return 3 * above + left;
    }
    // Predicts from the pixels on the left and above: DC as half their mean and half the median of LOCO-I; the slowest
    // change in each direction as half of what the side in this direction has. Returns how much DC changes around.
    int predict(int p, const Block& b, std::int16_t* low) const {
        const auto& eighth = frame_.cells(p).eighth;
        const std::size_t at = frame_.eighth(p, b.x, b.y), row = static_cast<std::size_t>(frame_.eighth_width(p));
        const bool has_left = b.x > limit_.x0, has_above = b.y > limit_.y0;
        const int w = b.shape.low_w(), h = b.shape.low_h();
        int left = 0, above = 0;  // four times the mean
        std::int16_t side[2 * kSuperblock];
        if (has_left) {
            for (int j = 0; j < h; ++j) left += side[j] = eighth[at - 1 + static_cast<std::size_t>(j) * row];
            left = 4 * left >> b.shape.log_low_h();
            if (h > 1) low[w] = half_tilt(b.shape.log_h, b.shape.log_eighths, side);
        }
        if (has_above) {
            for (int i = 0; i < w; ++i) above += side[i] = eighth[at - row + static_cast<std::size_t>(i)];
            above = 4 * above >> b.shape.log_low_w();
            if (w > 1) low[1] = half_tilt(b.shape.log_w, b.shape.log_eighths, side);
        }
        if (!has_left || !has_above) {
            low[0] = clip_int16(2 * (left + above));
            return 0;
        }
        const int corner = 4 * eighth[at - row - 1];
        low[0] = clip_int16((2 * med(left, above, corner) + left + above + 1) >> 1);
        return abs_int(left - corner) + abs_int(above - corner);
    }

    template <class LevelsOf> void block(int p, const Block& b, LevelsOf& levels_of) {
        const int w = b.shape.low_w(), h = b.shape.low_h();
        const std::int32_t step = step_of(p, b);
        std::int16_t low[kMostLow], means[kMostLow];
        int levels[kMostLow];
        std::fill_n(low, w * h, std::int16_t{0});
        std::fill_n(levels, w * h, 0);
        const int change = predict(p, b, low);
        if constexpr (!Syntax::kDecodes) levels_of(p, b, low, step, levels);

        const int gradient =
            std::min(kGradientClasses - 1, static_cast<int>(std::bit_width(static_cast<unsigned>(32 * change / step))));
        levels[0] = with_sign(static_cast<int>(syntax_.dc(p, b.shape, gradient, magnitude(levels[0]))), levels[0]);
        if (w + h > 2) low_frequencies(p, b, gradient, levels);
        for (int i = 0; i < w * h; ++i)
            if (levels[i]) low[i] = clip_int16(low[i] + dequantise(levels[i], step));
        lf_pixels_of(b.shape, low, means);
        auto& cells = frame_.cells(p);
        std::size_t at = frame_.eighth(p, b.x, b.y);
        for (int v = 0; v < h; ++v, at += static_cast<std::size_t>(frame_.eighth_width(p))) {
            std::copy_n(low + v * w, w, &cells.low[at]);
            std::copy_n(means + v * w, w, &cells.eighth[at]);
        }
    }
    // The magnitudes of a block of Cb, in steps, up to 6; returns its last h + v that is not 0.
    int levels_of_cb(const Block& b, std::uint8_t* magnitudes) const {
        const std::int32_t step = step_of(1, b);
        const std::int16_t* low = &frame_.cells(1).low[frame_.eighth(1, b.x, b.y)];
        int last = 0;
        for (int v = 0; v < b.shape.low_h(); ++v, low += frame_.eighth_width(1))
            for (int u = v == 0; u < b.shape.low_w(); ++u)
                if (low[u]) {
                    magnitudes[v * b.shape.low_w() + u] =
                        static_cast<std::uint8_t>(std::min(6, (abs_int(low[u]) * 16 + step / 2) / step));
                    last = std::max(last, u + v);
                }
        return last;
    }
    // From high to low frequencies, in the context of the higher ones.
    void low_frequencies(int p, const Block& b, int gradient, int* levels) {
        const int w = b.shape.low_w(), h = b.shape.low_h();
        // Cr changes where Cb does.
        std::uint8_t other[kMostLow];
        std::memset(other, 0, static_cast<std::size_t>(w * h));
        const int context = p == 2 ? std::min(kLowEndContexts - 1, (levels_of_cb(b, other) + 1) / 2) : gradient / 2;
        int last = 0;
        if constexpr (!Syntax::kDecodes)
            for (int v = 0; v < h; ++v)
                for (int u = 0; u < w; ++u)
                    if (u + v > last && levels[v * w + u]) last = u + v;
        typename Syntax::LowLevels coder(syntax_, p, b.shape);
        last = coder.end(context, last);
        // Magnitudes so far, with a row and a column of zeros behind the last ones that may not be 0.
        constexpr int kStride = 2 * kSuperblock + 1;
        std::uint8_t known[kStride * kStride];
        if (last) std::memset(known, 0, static_cast<std::size_t>(std::min(h, last + 1) + 1) * kStride);
        for (int sum = last; sum > 0; --sum)
            for (int v = std::max(0, sum - w + 1); v < h && v <= sum; ++v) {
                const int u = sum - v;
                std::uint8_t* here = known + v * kStride + u;
                const int around =
                    low_magnitude_class(here[1] + here[kStride] + here[kStride + 1] + 2 * other[v * w + u]);
                int& level = levels[v * w + u];
                const auto size = static_cast<int>(coder.level(sum, around, magnitude(level)));
                if (!size) continue;
                *here = static_cast<std::uint8_t>(std::min(9, size));
                level = coder.negative(level < 0) ? -size : size;
            }
        coder.close();
    }
    // Under screen content a coarser LF image does: it is only seen until that is decoded.
    std::int32_t step_of(int p, const Block& b) const {
        const std::int32_t base = frame_.settings().steps[static_cast<std::size_t>(p)].low;
        const bool drawn = frame_.grid(p).class_of(b.x, b.y) == kCellDrawn;
        return Quantiser::step(drawn ? std::max(base, kScreenContentStep) : base, b.shape, 16);
    }
    static unsigned magnitude(int level) { return static_cast<unsigned>(abs_int(level)); }
    int with_sign(int magnitude, int level) {
        return magnitude && syntax_.negative(level < 0) ? -magnitude : magnitude;
    }

    Frame& frame_;
    Syntax& syntax_;
    std::vector<int> groups_;
    CellRect limit_{};
};

}  // namespace aig
