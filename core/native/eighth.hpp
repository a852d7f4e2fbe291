// The 1/8 image: how squares are cut, and the lowest coefficients of every block, both directions (format.md, 7.3.5).
#pragma once
#include "frame.hpp"
#include "words.hpp"

namespace aig {

// The part of the 1/8 image under a block, in 1/16, from its lowest coefficients (rows of h); aliases of the high frequencies are
// among them.
void eighth_of(Shape shape, const std::int16_t* low, std::int16_t* means);


// Says or hears what a region's stream holds, block by block.
template <class Words> class EighthCoder {
  public:
    EighthCoder(Frame& frame, int region, Words& words) : frame_(frame), words_(words) {
        for (int g : frame.groups_of(region)) groups_.push_back(g);
    }

    // `levels_of(plane, block, prediction, step, levels)` gives the levels of a block to encode: an encoder's choice. Shapes
    // are the frame's when encoding, and become the frame's when decoding.
    template <class LevelsOf> void run(LevelsOf levels_of) {
        if (frame_.adaptation_varies()) adaptations();
        for (int p = 0; p < frame_.planes(); ++p) {
            limit_ = bounds(p);
            for (int g : groups_) {
                const auto cut = [&](int x, int y, int log) {
                    if (p == 2) return frame_.cut_at(p, x, y, log);
                    return words_.cut(p, log, cut_context(p, x, y), Words::kDecodes ? Cut::whole : frame_.cut_at(p, x, y, log));
                };
                walk_blocks(frame_.grid(p), frame_.group_cells(p, g), cut, [&](const Block& b) {
                    if (Words::kDecodes && p < 2) frame_.set_shape(p, b);
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
    void adaptations() {
        const CellRect r = bounds(0);
        int before = 0;
        for (int y = r.y0 / kSuperblock; y * kSuperblock < r.y1; ++y)
            for (int x = r.x0 / kSuperblock; x * kSuperblock < r.x1; ++x) {
                std::int8_t& here = frame_.adaptations()[static_cast<std::size_t>(y * frame_.superblock_columns() + x)];
                const int change = Words::kDecodes ? 0 : here - before;
                before += signed_word(static_cast<int>(words_.adaptation(magnitude(change))), change);
                if (abs_int(before) > kMostAdaptation) throw Corrupt("a step is adapted too far");
                here = static_cast<std::int8_t>(before);
            }
    }
    int cut_context(int p, int x, int y) const {
        const int above = y > limit_.y0 ? frame_.shape_at(p, x, y - 1).log_w : 0;
        const int left = x > limit_.x0 ? frame_.shape_at(p, x - 1, y).log_h : 0;
        return 3 * above + left;
    }
    struct Prediction {
        int dc, gradient;  // both of the DC coefficient
    };
    // From the pixels on the left and above: half their mean, half the median of LOCO-I.
    Prediction predict(int p, const Block& b) const {
        const auto& eighth = frame_.cells(p).eighth;
        const std::size_t at = frame_.eighth(p, b.x, b.y), row = static_cast<std::size_t>(frame_.eighth_width(p));
        const bool has_left = b.x > limit_.x0, has_above = b.y > limit_.y0;
        int left = 0, above = 0;  // four times the mean
        if (has_left) {
            for (std::size_t j = 0; j < static_cast<std::size_t>(b.shape.low_h()); ++j) left += eighth[at - 1 + j * row];
            left = 4 * left >> b.shape.log_low_h();
        }
        if (has_above) {
            for (std::size_t i = 0; i < static_cast<std::size_t>(b.shape.low_w()); ++i) above += eighth[at - row + i];
            above = 4 * above >> b.shape.log_low_w();
        }
        if (!has_left || !has_above) return {2 * (left + above), 0};
        const int corner = 4 * eighth[at - row - 1];
        return {(2 * med(left, above, corner) + left + above + 1) >> 1, abs_int(left - corner) + abs_int(above - corner)};
    }

    template <class LevelsOf> void block(int p, const Block& b, LevelsOf& levels_of) {
        const int w = b.shape.low_w(), h = b.shape.low_h(), plane = p > 0;
        const std::int32_t step = Quantiser::step(frame_.settings().steps[static_cast<std::size_t>(p)].low, b.shape, 16);
        const Prediction prediction = predict(p, b);
        int levels[kMostLow] = {};
        if constexpr (!Words::kDecodes) levels_of(p, b, prediction.dc, step, levels);

        const int gradient = std::min(kGradientClasses - 1, static_cast<int>(std::bit_width(static_cast<unsigned>(32 * prediction.gradient / step))));
        levels[0] = signed_word(static_cast<int>(words_.dc(plane, b.shape, gradient, magnitude(levels[0]))), levels[0]);
        if (w + h > 2) low_frequencies(plane, b.shape, gradient, levels);
        std::int16_t low[kMostLow], means[kMostLow];
        for (int i = 0; i < w * h; ++i) low[i] = dequantise(levels[i], step);
        low[0] = clip_int16(prediction.dc + low[0]);
        eighth_of(b.shape, low, means);
        auto& cells = frame_.cells(p);
        std::size_t at = frame_.eighth(p, b.x, b.y);
        for (int v = 0; v < h; ++v, at += static_cast<std::size_t>(frame_.eighth_width(p))) {
            std::copy_n(low + v * w, w, &cells.low[at]);
            std::copy_n(means + v * w, w, &cells.eighth[at]);
        }
    }
    // From high to low frequencies, in the context of the higher ones.
    void low_frequencies(int plane, Shape shape, int gradient, int* levels) {
        const int w = shape.low_w(), h = shape.low_h();
        int last = 0;
        if constexpr (!Words::kDecodes)
            for (int v = 0; v < h; ++v)
                for (int u = 0; u < w; ++u)
                    if (u + v > last && levels[v * w + u]) last = u + v;
        int known[2 * kSuperblock + 1][2 * kSuperblock + 1] = {};
        for (int sum = words_.low_end(plane, shape, gradient, last); sum > 0; --sum)
            for (int v = std::max(0, sum - w + 1); v < h && v <= sum; ++v) {
                const int u = sum - v;
                const int around = std::min(kLowMagnitudes - 1, known[v][u + 1] + known[v + 1][u] + known[v + 1][u + 1]);
                int& level = levels[v * w + u];
                level = signed_word(static_cast<int>(words_.low(plane, shape, sum, around, magnitude(level))), level);
                known[v][u] = std::min(3, abs_int(level));
            }
    }
    static unsigned magnitude(int level) { return static_cast<unsigned>(abs_int(level)); }
    int signed_word(int magnitude, int level) { return magnitude && words_.negative(level < 0) ? -magnitude : magnitude; }

    Frame& frame_;
    Words& words_;
    std::vector<int> groups_;
    CellRect limit_{};
};

}  // namespace aig
