#include "dct/decoder.hpp"

#include "dct/levels.hpp"
#include "dct/lf_image.hpp"
#include "dct/transforms.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>
#include <cstring>

namespace aig {
namespace {

// Calls decode(syntax) for a stream; throws Corrupt unless it uses the stream up.
template <class Contexts, class Decode>
void with_syntax(const SharedTables& tables, const CodedStream& stream, const Contexts& start, Decode decode) {
    with_reader(tables, stream, [&](Reader auto& reader) {
        auto syntax = syntax_of(reader, start);
        decode(syntax);
    });
}

// Samples from one row of a plane to the next. Rows that lie a power of two apart would share a few sets of the cache,
// and blocks of 32 rows would not fit into it.
std::ptrdiff_t stride_of(const Frame& frame, int plane, int log) {
    const int lines = (frame.grid(plane).width() * (kCell >> plane_log(frame, plane, log)) + 31) / 32;
    return 32 * (lines | 1);
}

}  // namespace

LossyDecoder::LossyDecoder(const FrameSettings& settings, View<const std::uint8_t> luma_classes,
                           View<const std::uint8_t> chroma_classes)
    : frame_(settings, luma_classes, chroma_classes) {
    for (int p = 0; p < frame_.planes(); ++p)
        std::fill(frame_.cells(p).busy.begin(), frame_.cells(p).busy.end(), kNotCoded);
}

void LossyDecoder::read_region(int region, const SharedTables& tables, const CodedStream& stream) {
    try {
        with_syntax(tables, stream, trained_low(), [&](LowSyntax auto& syntax) {
            LfImageCoder coder(frame_, region, syntax);
            coder.run([](int, const Block&, const std::int16_t*, std::int32_t, int*) {});
        });
    } catch (const Corrupt&) {
        frame_.forget_region(region);
        throw;
    }
}

int LossyDecoder::group_side(int plane) const {
    return frame_.grid(plane).group_cells() * (kCell >> plane_log(frame_, plane, log_));
}

void LossyDecoder::hold(int log, int first, int last) {
    if (started() && first_ <= first && last <= last_) return;
    log_ = log;
    const bool grows = !started() || last - first > room_;
    const int stay = started() && first_ <= first ? std::max(0, last_ - first) : 0;
    std::vector<Scratch<std::int16_t>> fresh;
    for (int p = 0; p < frame_.planes(); ++p) {
        const auto group =
            static_cast<std::size_t>(stride_of(frame_, p, log_)) * static_cast<std::size_t>(group_side(p));
        if (grows) {
            // No more than the picture has.
            const int cells = std::min(frame_.grid(p).height(), (last - first) * frame_.grid(p).group_cells());
            fresh.emplace_back(group / static_cast<std::size_t>(frame_.grid(p).group_cells()) *
                               static_cast<std::size_t>(cells));
        }
        if (!stay) continue;
        std::int16_t* const old = samples_[static_cast<std::size_t>(p)].get();
        std::memmove(grows ? fresh.back().get() : old, old + group * static_cast<std::size_t>(first - first_),
                     group * static_cast<std::size_t>(stay) * sizeof *old);
    }
    if (grows) samples_ = std::move(fresh), room_ = last - first;
    first_ = first, last_ = last;
}

std::array<SamplePlane, 3> LossyDecoder::planes() const {
    auto out = as_planes(frame_, samples_, log_);
    for (int p = 0; p < frame_.planes(); ++p) out[static_cast<std::size_t>(p)].first = first_ * group_side(p);
    return out;
}

template <class Decode>
void LossyDecoder::with_group(int group, int tier, const SharedTables& tables, const CodedStream& stream,
                              Decode decode) {
    if (!frame_.has_tier(group, tier)) {
        if (!stream.raw.empty() || !stream.coded.empty())
            throw Corrupt("a group without blocks of a tier has a stream of it");
        return;
    }
    try {
        with_syntax(tables, stream, trained_high(), decode);
    } catch (const Corrupt&) {
        for (int p = 0; p < frame_.planes(); ++p) {
            const CellRect r = frame_.group_cells(p, group);
            for (int y = r.y0; y < r.y1; ++y)
                for (int x = r.x0; x < r.x1; ++x)
                    if (frame_.grid(p).class_of(x, y) == tier) frame_.cells(p).busy[frame_.cell(p, x, y)] = kNotCoded;
        }
        throw;
    }
}

void LossyDecoder::read_group(int group, int tier, const SharedTables& tables, const CodedStream& stream) {
    const auto planes = this->planes();
    BlockBuffer buffer;
    with_group(group, tier, tables, stream, [&](HighSyntax auto& syntax) {
        decode_group(
            group, tier, syntax,
            [&](int, const Block& b, const ScanEntry& e, std::int16_t c)
                AIG_INLINE_LAMBDA { buffer.set(e, c, b.shape.log_w + 3); },
            [&](int p, const Block& b, unsigned nonzero) {
                buffer.finish(frame_, p, b, nonzero, planes[static_cast<std::size_t>(p)], plane_log(frame_, p, log_));
            });
    });
}

PlacedCoefficients LossyDecoder::read_coefficients(int group, int tier, const SharedTables& tables,
                                                   const CodedStream& stream) {
    PlacedCoefficients out;
    with_group(group, tier, tables, stream, [&](HighSyntax auto& syntax) {
        decode_group(
            group, tier, syntax,
            [&](int p, const Block& b, const ScanEntry& e, std::int16_t c) {
                const CellRect corner = frame_.group_cells(p, group);
                const int log_w = b.shape.log_w + 3, h = e.coefficient & ((1 << log_w) - 1), v = e.coefficient >> log_w;
                out.positions.push_back(static_cast<std::uint16_t>(kGroup * (kCell * (b.y - corner.y0) + v) +
                                                                   kCell * (b.x - corner.x0) + h));
                out.values.push_back(c);
            },
            [&](int p, const Block& b, unsigned nonzero) {
                const int activity = ActivityMap::of(b.shape, nonzero);
                for (int v = 0; v < b.shape.cells_h(); ++v)
                    std::memset(&frame_.cells(p).busy[frame_.cell(p, b.x, b.y + v)], activity,
                                static_cast<std::size_t>(b.shape.cells_w()));
                for (std::size_t i = static_cast<std::size_t>(p); i < out.ends.size(); ++i)
                    out.ends[i] = out.values.size();
            });
    });
    return out;
}

template <HighSyntax Syntax, class Take, class End>
void LossyDecoder::decode_group(int group, int tier, Syntax& syntax, Take take, End end) {
    ActivityMap activity;
    for (int p = 0; p < frame_.planes(); ++p) {
        const Grid& grid = frame_.grid(p);
        activity.start(frame_.group_cells(p, group));
        frame_.for_blocks(p, group, [&](const Block& b) {
            if (grid.class_of(b.x, b.y) != tier) {
                activity.set(b, 0);
                return;
            }
            const BlockSteps steps = frame_.steps_of(p, tier, b);
            const unsigned nonzero = decode_levels(
                syntax, p > 0, b.shape, activity.around(b),
                [&](const ScanEntry& e, int level) AIG_INLINE_LAMBDA { take(p, b, e, steps.coefficient(e, level)); });
            end(p, b, nonzero);
            activity.set(b, ActivityMap::of(b.shape, nonzero));
        });
    }
}

// Means over boxes of 2^log x 2^log samples of a block, whose rows follow each other.
static void put_means(const std::int16_t* samples, int width, int height, int log, std::int16_t* out,
                      std::ptrdiff_t stride) {
    const int side = 1 << log, half = 1 << (2 * log - 1);
    alignas(64) std::int16_t sums[kSuperblock * kCell];  // of up to 4 samples of 12 bits
    for (int y = 0; y < height >> log; ++y, samples += side * width) {
        std::copy_n(samples, width, sums);
        for (int k = 1; k < side; ++k)
            for (int x = 0; x < width; ++x) sums[x] = static_cast<std::int16_t>(sums[x] + samples[k * width + x]);
        std::int16_t* row = out + y * stride;
        if (log == 1) {
            for (int x = 0; x < width / 2; ++x)
                row[x] = static_cast<std::int16_t>((sums[2 * x] + sums[2 * x + 1] + half) >> 2);
        } else {
            for (int x = 0; x < width / 4; ++x)
                row[x] = static_cast<std::int16_t>(
                    (sums[4 * x] + sums[4 * x + 1] + sums[4 * x + 2] + sums[4 * x + 3] + half) >> 4);
        }
    }
}

void BlockBuffer::finish(Frame& frame, int plane, const Block& b, unsigned nonzero, SamplePlane samples, int log) {
    const Shape shape = b.shape;
    const int log_w = shape.log_w + 3;
    PlaneCells& cells = frame.cells(plane);
    const int activity = ActivityMap::of(shape, nonzero);
    for (int v = 0; v < shape.cells_h(); ++v)
        std::memset(&cells.busy[frame.cell(plane, b.x, b.y + v)], activity, static_cast<std::size_t>(shape.cells_w()));
    const std::int16_t* low = &cells.low[frame.eighth(plane, b.x, b.y)];
    for (int v = 0; v < shape.low_h(); ++v, low += frame.eighth_width(plane))
        for (int h = 0; h < shape.low_w(); ++h)
            coefficients_[(v << log_w) + h] = clip_int16(low[h] - alias_of(aliases_[(v << shape.log_low_w()) + h]));
    if (nonzero) std::memset(aliases_, 0, static_cast<std::size_t>(shape.low_w() * shape.low_h()) * sizeof *aliases_);
    // Indices joined by "or" are at least the largest of them and less than twice that.
    const int columns = static_cast<int>(places_h_ | static_cast<unsigned>(shape.low_w() - 1)) + 1;
    const int rows = static_cast<int>(places_v_ | static_cast<unsigned>(shape.low_h() - 1)) + 1;
    std::int16_t* out = samples.at(b.x * kCell >> log, b.y * kCell >> log);
    if (log == 0) {
        transform_kernels().inverse(coefficients_, log_w, shape.log_h + 3, columns, rows, out, samples.stride);
    } else {
        alignas(64) std::int16_t whole[kMaxBlockSamples];
        transform_kernels().inverse(coefficients_, log_w, shape.log_h + 3, columns, rows, whole, shape.width());
        put_means(whole, shape.width(), shape.height(), log, out, samples.stride);
    }
    std::memset(coefficients_, 0, (static_cast<std::size_t>(rows) << log_w) * sizeof *coefficients_);
    places_h_ = places_v_ = 0;
}

std::vector<Scratch<std::int16_t>> make_planes(const Frame& frame, int log) {
    std::vector<Scratch<std::int16_t>> out;
    for (int p = 0; p < frame.planes(); ++p) {
        const int side = kCell >> plane_log(frame, p, log);
        out.emplace_back(static_cast<std::size_t>(stride_of(frame, p, log)) *
                         static_cast<std::size_t>(frame.grid(p).height() * side));
    }
    return out;
}

std::array<SamplePlane, 3> as_planes(const Frame& frame, const std::vector<Scratch<std::int16_t>>& samples, int log) {
    std::array<SamplePlane, 3> out;
    for (int p = 0; p < static_cast<int>(samples.size()); ++p) {
        const auto i = static_cast<std::size_t>(p);
        out[i] = {samples[i].get(), stride_of(frame, p, log)};
    }
    return out;
}

void interpolate(const Frame& frame, const std::array<SamplePlane, 3>& planes, int first_row, int last_row,
                 Columns columns, int log) {
    // Weights in 1/16 of the pixel of the LF image before and of the one behind, for 8 samples a pixel and for 4: of
    // 8, sample i lies (2i - 7) / 16 of a pixel from its centre.
    static constexpr int kBefore[2][kCell] = {{7, 5, 3, 1, 0, 0, 0, 0}, {6, 2, 0, 0}},
                         kBehind[2][kCell] = {{0, 0, 0, 0, 1, 3, 5, 7}, {0, 0, 2, 6}};
    for (int p = 0; p < frame.planes(); ++p) {
        const int own_log = plane_log(frame, p, log), footprint = p && frame.settings().subsampled ? 2 * kCell : kCell;
        const Grid& grid = frame.grid(p);
        const PlaneCells& cells = frame.cells(p);
        const SamplePlane plane = planes[static_cast<std::size_t>(p)];
        const int n = grid.group_cells(), log_eighths = grid.log_eighths(), parts = 1 << log_eighths,
                  side = kCell >> log_eighths;
        const int *before = kBefore[log_eighths], *behind = kBehind[log_eighths], width = frame.eighth_width(p),
                  height = frame.eighth_height(p);
        for (int y = first_row * n; y < std::min(last_row * n, grid.height()); ++y)
            for (int x = columns.left / footprint;
                 x < std::min(grid.width(), (columns.right + footprint - 1) / footprint); ++x) {
                if (cells.busy[frame.cell(p, x, y)] != kNotCoded) continue;
                std::int16_t whole[kCell * kCell];
                std::int16_t* const cell = plane.at(x * kCell >> own_log, y * kCell >> own_log);
                for (int part = 0; part < parts * parts; ++part) {
                    const int px = part % parts, py = part / parts;
                    int around[3][3];
                    for (int j = 0; j < 3; ++j) {
                        const std::int16_t* row =
                            &cells.eighth[static_cast<std::size_t>(clamp_int(y * parts + py + j - 1, 0, height - 1)) *
                                          static_cast<std::size_t>(width)];
                        for (int i = 0; i < 3; ++i) around[j][i] = row[clamp_int(x * parts + px + i - 1, 0, width - 1)];
                    }
                    for (int j = 0; j < side; ++j) {
                        int column[3];
                        for (int i = 0; i < 3; ++i)
                            column[i] = before[j] * around[0][i] + (16 - before[j] - behind[j]) * around[1][i] +
                                        behind[j] * around[2][i];
                        std::int16_t* out =
                            (own_log ? whole + (py * side + j) * kCell : cell + (py * side + j) * plane.stride) +
                            px * side;
                        for (int i = 0; i < side; ++i)
                            out[i] = static_cast<std::int16_t>((before[i] * column[0] +
                                                                (16 - before[i] - behind[i]) * column[1] +
                                                                behind[i] * column[2] + 128) >>
                                                               8);
                    }
                }
                if (own_log) put_means(whole, kCell, kCell, own_log, cell, plane.stride);
            }
    }
}

}  // namespace aig
