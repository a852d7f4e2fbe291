#include "dct/encoder.hpp"

#include "dct/lf_image.hpp"
#include "dct/transforms.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace aig {
namespace {

// The cost of a block is 3/2 of TransformKernels::cost, in 2^-13 bits, and this for every block; of cutting a square.
constexpr std::int64_t kBlockCost = 6 << 13, kQuartersCost = 1 << 13, kHalvesCost = 3 << 12;

// Repeat the last sample of a row up to the plane's end.
void extend_row(std::int16_t* row, int used, int width) { std::fill(row + used, row + width, row[used - 1]); }

}  // namespace

LossyEncoder::LossyEncoder(const FrameSettings& settings, View<const std::uint8_t> luma_classes,
                           View<const std::uint8_t> chroma_classes, const BlockEffort& blocks,
                           const LevelEffort& levels)
    : frame_(settings, luma_classes, chroma_classes), effort_(blocks), levels_(levels) {
    samples_ = make_planes(frame_);
    coefficients_ = make_planes(frame_);
    accepted_.assign(static_cast<std::size_t>(frame_.groups()), 0);
    for (int p = 0; p < frame_.planes(); ++p) {
        std::fill(frame_.cells(p).busy.begin(), frame_.cells(p).busy.end(), kNotCoded);
        for (int t = 0; t < kTiers; ++t) make_inverse_steps(p, t, 0);
    }
    for (int p = 0; p < std::min(2, frame_.planes()); ++p) {
        std::size_t offset = 0;
        for (int group = 0; group < frame_.groups(); ++group) {
            offsets_[static_cast<std::size_t>(p)].push_back(offset);
            offset += 64 * static_cast<std::size_t>(frame_.group_cells(p, group).area());
        }
    }
}

void LossyEncoder::make_inverse_steps(int plane, int tier, int quarters) {
    const Quantiser& q = frame_.settings().steps[static_cast<std::size_t>(plane)].high[static_cast<std::size_t>(tier)];
    auto& table = inverse_[static_cast<std::size_t>(plane)][static_cast<std::size_t>(tier)]
                          [static_cast<std::size_t>(quarters + kMostAdaptation)];
    if (!table.empty()) return;
    table.resize(kSizes * kMaxBlockSamples);
    for (int i = 0; i < kSizes; ++i) {
        const Shape s = Shape::of_index(i);
        const auto weights = weights_of(q.matrix, s);
        for (std::size_t k = 0; k < weights.size(); ++k)
            table[static_cast<std::size_t>(i * kMaxBlockSamples) + k] =
                16.0f / static_cast<float>(Quantiser::step(q.base_at(quarters), s, weights[k]));
    }
}

const float* LossyEncoder::inverse_steps(int plane, int tier, int quarters, Shape shape) const {
    return &inverse_[static_cast<std::size_t>(plane)][static_cast<std::size_t>(tier)][static_cast<std::size_t>(
        quarters + kMostAdaptation)][static_cast<std::size_t>(shape.size_index() * kMaxBlockSamples)];
}

std::int32_t LossyEncoder::variance(int x, int y) const {
    const SamplePlane luma = sample_planes()[0];
    std::int32_t total = 0;
    std::int64_t squares = 0;
    for (int j = 0; j < kCell; ++j) {
        const std::int16_t* row = luma.at(x * kCell, y * kCell + j);
        std::int32_t line = 0;
        for (int i = 0; i < kCell; ++i) total += row[i], line += row[i] * row[i];
        squares += line;
    }
    return static_cast<std::int32_t>((squares - std::int64_t{total} * total / 64) / 64);
}

void LossyEncoder::adapt(float strength, const std::int32_t* variances) {
    // The mean over a superblock's cells of the logarithm of their variance: an edge in one of them does not hide that
    // the others are smooth.
    const Grid& grid = frame_.grid(0);
    const int columns = frame_.superblock_columns(), rows = frame_.superblock_rows();
    std::vector<float> activity(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
    float mean = 0;
    for (int sy = 0; sy < rows; ++sy)
        for (int sx = 0; sx < columns; ++sx) {
            float sum = 0;
            int count = 0;
            for (int y = sy * kSuperblock; y < std::min((sy + 1) * kSuperblock, grid.height()); ++y)
                for (int x = sx * kSuperblock; x < std::min((sx + 1) * kSuperblock, grid.width()); ++x, ++count) {
                    const std::int32_t here = variances ? variances[frame_.cell(0, x, y)] : variance(x, y);
                    sum += std::log2(static_cast<float>(here) + 1024.0f);  // 4 squared grey levels more
                }
            mean += activity[static_cast<std::size_t>(sy * columns + sx)] = sum / static_cast<float>(count);
        }
    mean /= static_cast<float>(activity.size());
    frame_.let_adaptation_vary();
    for (std::size_t i = 0; i < activity.size(); ++i) {
        const int quarters = clamp_int(static_cast<int>(std::floor((activity[i] - mean) * strength * 4 + 0.5f)),
                                       -kMostAdaptation, kMostAdaptation);
        frame_.adaptations()[i] = static_cast<std::int8_t>(quarters);
        for (int p = 0; p < frame_.planes(); ++p)
            for (int t = 0; t < kTiers; ++t) make_inverse_steps(p, t, quarters);
    }
}

void LossyEncoder::sample_to(const std::array<SamplePlane, 3>& planes, int first_row,
                             View<const std::uint8_t> pixels) const {
    const auto& kernels = sample_kernels();
    const auto& settings = frame_.settings();
    const int width = pixels.width, top = first_row * kGroup;
    const auto row = [&](int p, int y) { return planes[static_cast<std::size_t>(p)].at(0, y); };
    const auto extend = [&](int p, int y) {
        extend_row(row(p, y), p && settings.subsampled ? (width + 1) / 2 : width, frame_.grid(p).width() * kCell);
    };
    const int step = settings.subsampled ? 2 : 1;
    for (int j = 0; j < pixels.height; j += step) {
        const int y = top + j, below = std::min(j + 1, pixels.height - 1);
        if (!settings.colour)
            kernels.grey_to_plane(pixels.row(j), width, row(0, y));
        else if (step == 1)
            kernels.rgb_to_planes(pixels.row(j), width, row(0, y), row(1, y), row(2, y));
        else
            kernels.rgb_rows_to_planes(pixels.row(j), pixels.row(below), width, row(0, y), row(0, top + below),
                                       row(1, y / 2), row(2, y / 2));
        extend(0, y);
        if (step == 2) extend(0, top + below);
        for (int p = 1; p < frame_.planes(); ++p) extend(p, y / step);
    }
    const int bottom = top + pixels.height;
    if (bottom < settings.height) return;
    for (int p = 0; p < frame_.planes(); ++p) {
        const int used = p && settings.subsampled ? (bottom + 1) / 2 : bottom;
        for (int y = used; y < frame_.grid(p).height() * kCell; ++y)
            std::copy_n(row(p, used - 1), frame_.grid(p).width() * kCell, row(p, y));
    }
}

// Chooses how superblocks are cut, and keeps the coefficients of all that it tried.
class LossyEncoder::Cutter {
  public:
    Cutter(const LossyEncoder& owner, int plane)
        : owner_(owner), grid_(owner.frame_.grid(plane)), first_(plane), last_(plane ? 3 : 1),
          planes_(owner.sample_planes()) {}

    // The blocks of the superblock at (x, y), in coding order.
    std::span<const Block> cut(int x, int y) {
        count_ = 0;
        square(x, y, 2);
        return std::span(blocks_).first(static_cast<std::size_t>(count_));
    }
    const std::int16_t* coefficients(int plane, const Block& b) const { return place(plane, b); }

  private:
    // Blocks of a shape lie side by side in a superblock; each shape has room for all of them.
    std::int16_t* place(int plane, const Block& b) const {
        const int x = b.x % kSuperblock >> b.shape.log_w, y = b.y % kSuperblock >> b.shape.log_h;
        const int number = (y << (2 - b.shape.log_w)) + x;
        return const_cast<std::int16_t*>(tried_[plane - first_][b.shape.size_index()]) + number * b.shape.samples();
    }
    Block block(int x, int y, int log_w, int log_h) const {
        return {static_cast<std::int16_t>(x), static_cast<std::int16_t>(y),
                Shape{static_cast<std::uint8_t>(log_w), static_cast<std::uint8_t>(log_h), grid_.log_eighths()}};
    }
    // Cb and Cr are cut alike.
    void transform(const Block& b) {
        for (int p = first_; p < last_; ++p) {
            const SamplePlane& samples = planes_[static_cast<std::size_t>(p)];
            transform_kernels().forward(samples.at(b.x * kCell, b.y * kCell), samples.stride, b.shape.log_w + 3,
                                        b.shape.log_h + 3, place(p, b));
        }
    }
    std::int64_t cost(const Block& b) {
        transform(b);
        const int tier = std::min<int>(grid_.class_of(b.x, b.y), kTiers - 1),
                  quarters = owner_.frame_.adaptation(first_, b.x, b.y);
        std::int64_t sum = 0;
        for (int p = first_; p < last_; ++p)
            sum += transform_kernels().cost(place(p, b), owner_.inverse_steps(p, tier, quarters, b.shape),
                                            b.shape.samples()) *
                       3 / 2 +
                   kBlockCost;
        return sum;
    }
    // Cuts a square, adds its blocks to blocks_ and returns what it costs.
    std::int64_t square(int x, int y, int log) {
        if (x >= grid_.width() || y >= grid_.height()) return 0;
        const Block whole = block(x, y, log, log);
        // Holes have few coefficients to code, the fewer the larger they are.
        const bool fits = log == 0 || grid_.uniform(x, y, log), hole = fits && is_hole(grid_.class_of(x, y));
        const bool largest = hole || (!owner_.effort_.chooses && log <= owner_.effort_.largest);
        if (log == 0 || (largest && fits)) {
            blocks_[static_cast<std::size_t>(count_++)] = whole;
            if (owner_.effort_.chooses && !hole) return cost(whole);
            transform(whole);
            return 0;
        }
        const int before = count_, half = 1 << (log - 1);
        std::int64_t best = kQuartersCost;
        for (int k = 0; k < 4; ++k) best += square(x + (k & 1) * half, y + (k >> 1) * half, log - 1);
        // Where most of the quarters are better off cut into cells, the whole is not worth a try.
        if (!owner_.effort_.chooses || log > owner_.effort_.largest || (log == 2 && count_ - before > kWorthwhile) ||
            !fits)
            return best;
        const auto offer = [&](std::int64_t price, std::initializer_list<Block> blocks) {
            for (const Block& b : blocks) price += cost(b);
            if (price > best) return;
            best = price;
            count_ = before;
            for (const Block& b : blocks) blocks_[static_cast<std::size_t>(count_++)] = b;
        };
        offer(0, {whole});
        if (owner_.effort_.halves) {
            offer(kHalvesCost, {block(x, y, log - 1, log), block(x + half, y, log - 1, log)});
            offer(kHalvesCost, {block(x, y, log, log - 1), block(x, y + half, log, log - 1)});
        }
        return best;
    }

    static constexpr int kWorthwhile = 10;  // blocks: two of four squares cut into cells

    const LossyEncoder& owner_;
    const Grid& grid_;
    int first_, last_;
    std::array<SamplePlane, 3> planes_;
    std::array<Block, kSuperblock * kSuperblock> blocks_;
    int count_ = 0;
    alignas(64) std::int16_t tried_[2][kSizes][kMaxBlockSamples];
};

void LossyEncoder::search(int group) {
    for (int plane = 0; plane < std::min(2, frame_.planes()); ++plane) {
        const CellRect r = frame_.group_cells(plane, group);
        Cutter cutter(*this, plane);
        std::size_t offset = group_offset(plane, group);
        for (int y = r.y0; y < r.y1; y += kSuperblock)
            for (int x = r.x0; x < r.x1; x += kSuperblock)
                for (const Block& b : cutter.cut(x, y)) {
                    frame_.set_shape(plane, b);
                    for (int p = plane; p < (plane ? 3 : 1); ++p) {
                        const std::int16_t* from = cutter.coefficients(p, b);
                        std::copy_n(from, b.shape.samples(), coefficients_[static_cast<std::size_t>(p)].get() + offset);
                        // Until the LF image is coded, its coefficients wait where those that are decoded will be.
                        std::int16_t* to = &frame_.cells(p).low[frame_.eighth(p, b.x, b.y)];
                        for (int v = 0; v < b.shape.low_h(); ++v, to += frame_.eighth_width(p))
                            std::copy_n(from + v * b.shape.width(), b.shape.low_w(), to);
                    }
                    offset += static_cast<std::size_t>(b.shape.samples());
                }
    }
}

std::size_t LossyEncoder::shapes_size() const {
    std::size_t size = 0;
    for (int p = 0; p < std::min(2, frame_.planes()); ++p)
        size += static_cast<std::size_t>(frame_.grid(p).width()) * static_cast<std::size_t>(frame_.grid(p).height());
    return size;
}

std::size_t LossyEncoder::levels_size() const {
    std::size_t size = 0;
    for (int p = 0; p < frame_.planes(); ++p)
        size +=
            64 * static_cast<std::size_t>(frame_.grid(p).width()) * static_cast<std::size_t>(frame_.grid(p).height());
    return size;
}

void LossyEncoder::accept(int group, const std::uint8_t* shapes, const std::int16_t* levels) {
    for (int p = 0; p < frame_.planes(); ++p) {
        const Grid& grid = frame_.grid(p);
        const CellRect r = frame_.group_cells(p, group);
        const auto edges = Frame::kLeftEdge | Frame::kTopEdge;
        // Chroma planes share theirs.
        for (int y = r.y0; p < 2 && y < r.y1; ++y)
            for (int x = r.x0; x < r.x1; ++x) {
                const int shape = shapes[frame_.cell(p, x, y)], size = shape & 15;
                if ((shape & edges) != edges || size >= kSizes) continue;
                const Block b{static_cast<std::int16_t>(x), static_cast<std::int16_t>(y), Shape::of_index(size)};
                if (x + b.shape.cells_w() <= r.x1 && y + b.shape.cells_h() <= r.y1) frame_.set_shape(p, b);
            }
        std::int16_t* to = coefficients_[static_cast<std::size_t>(p)].get() + group_offset(p, group);
        const std::ptrdiff_t stride = std::ptrdiff_t{kCell} * grid.width();
        frame_.for_blocks(p, group, [&](const Block& b) {
            const std::int16_t* from = levels + b.y * kCell * stride + b.x * kCell;
            for (int v = 0; v < b.shape.height(); ++v)
                std::copy_n(from + v * stride, b.shape.width(), to + v * b.shape.width());
            std::int16_t* low = &frame_.cells(p).low[frame_.eighth(p, b.x, b.y)];
            for (int v = 0; v < b.shape.low_h(); ++v, low += frame_.eighth_width(p))
                std::copy_n(from + v * stride, b.shape.low_w(), low);
            to += b.shape.samples();
        });
        const std::ptrdiff_t cells = std::ptrdiff_t{grid.width()} * grid.height();
        levels += 64 * cells;
        if (p == 0) shapes += cells;
    }
    accepted_[static_cast<std::size_t>(group)] = 1;
}

WrittenStream LossyEncoder::encode_region(int region, int coder) {
    return with_writer(coder, SymbolContexts::kLow, [&](Writer auto& writer) {
        auto syntax = syntax_of(writer, trained_low());
        code_region(region, syntax);
    });
}

WrittenStream LossyEncoder::encode_group(int group, int tier, int coder) {
    return with_writer(coder, SymbolContexts::kHigh, [&](Writer auto& writer) {
        auto syntax = syntax_of(writer, trained_high());
        code_group(group, tier, syntax);
    });
}

void LossyEncoder::count_region(int region, DecisionCounter& counter) {
    BinarySyntax syntax(counter, trained_low());
    counter.watch(syntax.contexts());
    code_region(region, syntax);
}

void LossyEncoder::count_group(int group, int tier, DecisionCounter& counter) {
    BinarySyntax syntax(counter, trained_high());
    counter.watch(syntax.contexts());
    code_group(group, tier, syntax);
}

template <LowSyntax Syntax> void LossyEncoder::code_region(int region, Syntax& syntax) {
    LfImageCoder coder(frame_, region, syntax);
    coder.run([&](int p, const Block& b, const std::int16_t* predicted, std::int32_t step, int* levels) {
        const int w = b.shape.low_w();
        const bool hole = is_hole(frame_.grid(p).class_of(b.x, b.y));
        const std::int16_t* low = &frame_.cells(p).low[frame_.eighth(p, b.x, b.y)];
        for (int v = 0; v < b.shape.low_h(); ++v, low += frame_.eighth_width(p))
            for (int h = 0; h < w; ++h) {
                const bool dc = h + v == 0;
                const int c = low[h] - predicted[v * w + h];
                // Sixteenths of a level; rounded down more often than up.
                int level = (abs_int(c) * 16 + (dc ? step * 45 : step * 38) / 100) / step;
                if (hole && level == 1) level = 0;  // in the preview alone will it be seen
                levels[v * w + h] = c < 0 ? -level : level;
            }
    });
}

// What the levels of a block leave in the LF image joins its lowest coefficients.
void LossyEncoder::add_aliases(int plane, const Block& b, const BlockLevels& levels, const BlockSteps& steps) {
    if (b.shape.low_w() * b.shape.low_h() == 1) return;
    std::int32_t sums[kMostLow] = {};
    for (unsigned k = 0; k < levels.count; ++k) {
        const ScanEntry& e = scan_of(b.shape)[levels.levels[k].position];
        sums[e.alias] += e.alias_weight * steps.coefficient(e, levels.levels[k].level);
    }
    std::int16_t* low = &frame_.cells(plane).low[frame_.eighth(plane, b.x, b.y)];
    for (int v = 0; v < b.shape.low_h(); ++v, low += frame_.eighth_width(plane))
        for (int h = 0; h < b.shape.low_w(); ++h) low[h] = clip_int16(low[h] + alias_of(sums[v * b.shape.low_w() + h]));
}

template <HighSyntax Syntax> void LossyEncoder::code_group(int group, int tier, Syntax& syntax) {
    BlockLevels levels;
    ActivityMap activity;
    for (int p = 0; p < frame_.planes(); ++p) {
        std::int16_t* coefficients = coefficients_[static_cast<std::size_t>(p)].get() + group_offset(p, group);
        activity.start(frame_.group_cells(p, group));
        frame_.for_blocks(p, group, [&](const Block& b) {
            const int around = activity.around(b);
            if (frame_.grid(p).class_of(b.x, b.y) == tier) {
                const int quarters = frame_.adaptation(p, b.x, b.y);
                if (accepted_[static_cast<std::size_t>(group)])
                    LevelSearch::take(b.shape, coefficients, levels);
                else
                    levels_.choose(syntax, p > 0, b.shape, around, coefficients,
                                   inverse_steps(p, tier, quarters, b.shape), levels);
                encode_levels(syntax, p > 0, b.shape, around, levels);
                activity.set(b, ActivityMap::of(b.shape, levels.count));
                add_aliases(p, b, levels, frame_.steps_of(p, tier, b));
                if (effort_.rebuild) {
                    std::fill_n(coefficients, b.shape.samples(), std::int16_t{0});
                    for (unsigned k = 0; k < levels.count; ++k)
                        coefficients[scan_of(b.shape)[levels.levels[k].position].coefficient] = levels.levels[k].level;
                }
            } else {
                activity.set(b, 0);
            }
            coefficients += b.shape.samples();
        });
    }
}

void LossyEncoder::rebuild(int group) {
    BlockBuffer buffer;
    for (int p = 0; p < frame_.planes(); ++p) {
        const std::int16_t* levels = coefficients_[static_cast<std::size_t>(p)].get() + group_offset(p, group);
        frame_.for_blocks(p, group, [&](const Block& b) {
            if (const int tier = frame_.grid(p).class_of(b.x, b.y); tier < kTiers) {
                const BlockSteps steps = frame_.steps_of(p, tier, b);
                unsigned nonzero = 0;
                for (const ScanEntry& e : scan_of(b.shape)) {
                    if (!levels[e.coefficient]) continue;
                    buffer.set(e, steps.coefficient(e, levels[e.coefficient]), b.shape.log_w + 3);
                    ++nonzero;
                }
                buffer.finish(frame_, p, b, nonzero, sample_planes()[static_cast<std::size_t>(p)]);
            }
            levels += b.shape.samples();
        });
    }
}

}  // namespace aig
