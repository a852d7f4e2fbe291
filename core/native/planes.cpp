#include "planes.hpp"

#include "simd.hpp"

#include <algorithm>
#include <cstring>

namespace aig {
namespace {

bool hidden(int pixel_class, bool mid_is_hole) {
    return is_core(pixel_class) || (mid_is_hole && is_mid(pixel_class));
}

bool all_background(const std::uint8_t* classes, int count) {
    static_assert(kBackground == 0);
    for (int i = 0; i + 8 <= count; i += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, classes + i, 8);
        if (eight) return false;
    }
    for (int i = count & ~7; i < count; ++i)
        if (classes[i]) return false;
    return true;
}

std::uint8_t dc_sample(int level, int dc_step) {
    // A DC coefficient is 128 times the mean of its block; the level is int16 and the step below 2^15.
    return clamp_u8(((level * dc_step + 64) >> 7) + 128);
}

bool only_dc(const std::int16_t* levels) {
    int any = 0;
    for (int i = 1; i < 64; ++i) any |= levels[i];
    return any == 0;
}

// No limit on how far the interpolation may leave the block's own sample.
constexpr int kNoLimit = 256 * 255;

// The 1/8 image of a plane with its border repeated once around, for interpolating blocks.
class Eighth {
  public:
    Eighth(const std::int16_t* levels, int dc_step, int width, int height) : stride_(width + 2), samples_(static_cast<std::size_t>(stride_) * (height + 2)) {
        for (int y = 0; y < height + 2; ++y)
            for (int x = 0; x < width + 2; ++x) {
                const std::ptrdiff_t block = static_cast<std::ptrdiff_t>(clamp_int(y - 1, 0, height - 1)) * width + clamp_int(x - 1, 0, width - 1);
                samples_[static_cast<std::size_t>(y * stride_ + x)] = dc_sample(levels[64 * block], dc_step);
            }
    }
    // Bilinear interpolation at one block; see Kernels::smooth_block.
    void interpolate(int bx, int by, int limit, View<std::uint8_t> plane) const {
        std::int32_t around[9];
        const std::uint8_t* row = samples_.data() + by * stride_ + bx;
        for (int j = 0; j < 3; ++j, row += stride_)
            for (int i = 0; i < 3; ++i) around[3 * j + i] = row[i];
        if (std::all_of(around, around + 9, [&](std::int32_t v) { return v == around[4]; })) {
            for (int y = 8 * by; y < 8 * by + 8; ++y) std::memset(plane.row(y) + 8 * bx, around[4], 8);
            return;
        }
        kernels().smooth_block(around, limit, plane.row(8 * by) + 8 * bx, plane.stride);
    }

  private:
    std::ptrdiff_t stride_;
    std::vector<std::uint8_t> samples_;
};

}  // namespace

void classify_blocks(View<const std::uint8_t> map, int footprint, bool mid_is_hole, bool mid_is_finer,
                     View<std::uint8_t> blocks) {
    for (int by = 0; by < blocks.height; ++by) {
        const int y1 = std::min(map.height, (by + 1) * footprint);
        // Most rows of blocks, and most blocks of the others, are background through and through, and eight
        // pixels at once say so.
        bool plain = true;
        for (int y = by * footprint; plain && y < y1; ++y) plain = all_background(map.row(y), map.width);
        if (plain) {
            std::fill_n(blocks.row(by), blocks.width, kBlockBackground);
            continue;
        }
        for (int bx = 0; bx < blocks.width; ++bx) {
            bool all_hidden = true, any_mid = false;
            const int x1 = std::min(map.width, (bx + 1) * footprint);
            for (int y = by * footprint; y < y1; ++y) {
                const std::uint8_t* row = map.row(y);
                if (all_background(row + bx * footprint, x1 - bx * footprint)) {
                    all_hidden = false;
                    continue;
                }
                for (int x = bx * footprint; x < x1; ++x) {
                    all_hidden &= hidden(row[x], mid_is_hole);
                    any_mid |= is_mid(row[x]);
                }
            }
            blocks.row(by)[bx] = all_hidden ? kBlockHole : any_mid && mid_is_finer ? kBlockMid : kBlockBackground;
        }
    }
}

void fill_rim(View<std::uint8_t> pixels, View<const std::uint8_t> map, int footprint, bool mid_is_hole) {
    constexpr int kRounds = 24;
    const int channels = pixels.channels;
    std::vector<float> values(static_cast<std::size_t>(footprint) * footprint), next(values.size());
    std::vector<std::uint8_t> hole(values.size());
    for (int top = 0; top < map.height; top += footprint) {
        for (int left = 0; left < map.width; left += footprint) {
            const int h = std::min(footprint, map.height - top), w = std::min(footprint, map.width - left);
            int holes = 0;
            for (int y = 0; y < h; ++y)
                for (int x = 0; x < w; ++x)
                    holes += hole[static_cast<std::size_t>(y * w + x)] = hidden(map.row(top + y)[left + x], mid_is_hole);
            if (holes == 0 || holes == w * h) continue;
            for (int c = 0; c < channels; ++c) {
                float mean = 0;
                for (int y = 0; y < h; ++y)
                    for (int x = 0; x < w; ++x) {
                        const auto i = static_cast<std::size_t>(y * w + x);
                        values[i] = pixels.row(top + y)[(left + x) * channels + c];
                        if (!hole[i]) mean += values[i];
                    }
                mean /= static_cast<float>(w * h - holes);
                for (int i = 0; i < w * h; ++i)
                    if (hole[static_cast<std::size_t>(i)]) values[static_cast<std::size_t>(i)] = mean;
                next = values;
                for (int round = 0; round < kRounds; ++round) {
                    for (int y = 0; y < h; ++y)
                        for (int x = 0; x < w; ++x) {
                            const int i = y * w + x;
                            if (!hole[static_cast<std::size_t>(i)]) continue;
                            const float here = values[static_cast<std::size_t>(i)];
                            const float l = x > 0 ? values[static_cast<std::size_t>(i - 1)] : here;
                            const float r = x + 1 < w ? values[static_cast<std::size_t>(i + 1)] : here;
                            const float u = y > 0 ? values[static_cast<std::size_t>(i - w)] : here;
                            const float d = y + 1 < h ? values[static_cast<std::size_t>(i + w)] : here;
                            next[static_cast<std::size_t>(i)] = (l + r + u + d) * 0.25f;
                        }
                    std::swap(values, next);
                }
                for (int y = 0; y < h; ++y)
                    for (int x = 0; x < w; ++x) {
                        const auto i = static_cast<std::size_t>(y * w + x);
                        if (hole[i]) pixels.row(top + y)[(left + x) * channels + c] = clamp_u8(static_cast<int>(values[i] + 0.5f));
                    }
            }
        }
    }
}

void to_planes(View<const std::uint8_t> pixels, bool subsampled, View<std::uint8_t>* planes) {
    const int width = pixels.width, height = pixels.height;
    const auto pad = [](std::uint8_t* row, int from, int to) {
        if (to > from) std::memset(row + from, row[from - 1], static_cast<std::size_t>(to - from));
    };
    View<std::uint8_t> luma = planes[0];
    const bool colour = pixels.channels == 3;
    // Two rows of full chroma, to average when subsampling.
    std::vector<std::uint8_t> chroma[2][2];
    for (auto& rows : chroma)
        for (auto& row : rows) row.resize(static_cast<std::size_t>(width) + 1);
    const auto& kernel = kernels();
    for (int y = 0; y < height; ++y) {
        if (!colour) {
            std::memcpy(luma.row(y), pixels.row(y), static_cast<std::size_t>(width));
        } else if (!subsampled) {
            kernel.rgb_to_ycc(pixels.row(y), width, luma.row(y), planes[1].row(y), planes[2].row(y));
            for (int c = 1; c < 3; ++c) pad(planes[c].row(y), width, planes[c].width);
        } else {
            const int parity = y & 1;
            kernel.rgb_to_ycc(pixels.row(y), width, luma.row(y), chroma[parity][0].data(), chroma[parity][1].data());
            if (!parity && y + 1 < height) {
                pad(luma.row(y), width, luma.width);
                continue;
            }
            for (int c = 0; c < 2; ++c) {
                // An odd last row or column counts twice.
                std::uint8_t* even = chroma[0][c].data();
                std::uint8_t* odd = parity ? chroma[1][c].data() : even;
                even[width] = even[width - 1];
                odd[width] = odd[width - 1];
                std::uint8_t* out = planes[c + 1].row(y / 2);
                const int half = (width + 1) / 2;
                for (int x = 0; x < half; ++x)
                    out[x] = static_cast<std::uint8_t>((even[2 * x] + even[2 * x + 1] + odd[2 * x] + odd[2 * x + 1] + 2) >> 2);
                pad(out, half, planes[c + 1].width);
            }
        }
        pad(luma.row(y), width, luma.width);
    }
    for (int c = 0; c < (colour ? 3 : 1); ++c) {
        const int used = c && subsampled ? (height + 1) / 2 : height;
        for (int y = used; y < planes[c].height; ++y)
            std::memcpy(planes[c].row(y), planes[c].row(used - 1), static_cast<std::size_t>(planes[c].width));
    }
}

void from_planes(const View<const std::uint8_t>* planes, bool subsampled, View<std::uint8_t> pixels) {
    const int width = pixels.width, height = pixels.height, channels = pixels.channels;
    if (channels < 3) {
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) pixels.row(y)[x * channels] = planes[0].row(y)[x];
        return;
    }
    const auto& kernel = kernels();
    const int half_w = (width + 1) / 2, half_h = (height + 1) / 2;
    std::vector<std::uint8_t> up[2], rgb(static_cast<std::size_t>(channels == 3 ? 0 : 3 * width));
    for (auto& row : up) row.resize(static_cast<std::size_t>(2 * half_w));
    for (int y = 0; y < height; ++y) {
        const std::uint8_t* chroma[2];
        for (int c = 0; c < 2; ++c) {
            if (subsampled) {
                const int nearer = y / 2, farther = clamp_int(y & 1 ? nearer + 1 : nearer - 1, 0, half_h - 1);
                kernel.upsample(planes[c + 1].row(nearer), planes[c + 1].row(farther), half_w, up[c].data());
                chroma[c] = up[c].data();
            } else {
                chroma[c] = planes[c + 1].row(y);
            }
        }
        std::uint8_t* out = channels == 3 ? pixels.row(y) : rgb.data();
        kernel.ycc_to_rgb(planes[0].row(y), chroma[0], chroma[1], width, out);
        if (channels == 4)
            for (int x = 0; x < width; ++x) std::memcpy(pixels.row(y) + 4 * x, out + 3 * x, 3);
    }
}

void forward_plane(View<const std::uint8_t> plane, View<const std::uint8_t> blocks, const Steps& background,
                   const Steps& mid, float dead_zone, std::int16_t* levels) {
    const auto& kernel = kernels();
    std::array<float, 64> inverse[2];
    for (std::size_t i = 0; i < 64; ++i) {
        inverse[0][i] = 1.0f / static_cast<float>(background[i]);
        inverse[1][i] = 1.0f / static_cast<float>(mid[i]);
    }
    alignas(32) std::int16_t coefficients[64];
    for (int by = 0; by < blocks.height; ++by) {
        for (int bx = 0; bx < blocks.width; ++bx, levels += 64) {
            const int kind = blocks.row(by)[bx];
            kernel.forward_block(plane.row(8 * by) + 8 * bx, plane.stride, coefficients);
            kernel.quantise(coefficients, inverse[kind == kBlockMid].data(), dead_zone, levels);
            if (kind == kBlockHole) std::memset(levels, 0, 64 * sizeof *levels);
            // DC is the preview's: one step for all tiers, rounded to nearest.
            const float dc = static_cast<float>(coefficients[0]) * inverse[0][0];
            levels[0] = static_cast<std::int16_t>(dc < 0 ? dc - 0.5f : dc + 0.5f);
        }
    }
}

void inverse_plane(const std::int16_t* levels, View<const std::uint8_t> blocks, const Steps& background,
                   const Steps& mid, unsigned present, View<std::uint8_t> plane) {
    const auto& kernel = kernels();
    alignas(32) std::int16_t coefficients[64];
    const Eighth eighth(levels, background[0], blocks.width, blocks.height);
    const std::int16_t* block = levels;
    for (int by = 0; by < blocks.height; ++by) {
        for (int bx = 0; bx < blocks.width; ++bx, block += 64) {
            const int kind = blocks.row(by)[bx];
            if (kind > kBlockMid || !(present >> kind & 1)) {
                eighth.interpolate(bx, by, kNoLimit, plane);
                continue;
            }
            const Steps& steps = kind == kBlockMid ? mid : background;
            if (only_dc(block)) {
                // No AC level: the slope is too small for the quantiser, so follow the neighbours that far.
                eighth.interpolate(bx, by, steps[1], plane);
                continue;
            }
            kernel.dequantise(block, steps.data(), coefficients);
            coefficients[0] = static_cast<std::int16_t>(clamp_int(block[0] * background[0], -32768, 32767));
            kernel.inverse_block(coefficients, plane.row(8 * by) + 8 * bx, plane.stride);
        }
    }
}

void preview_plane(const std::int16_t* levels, std::int32_t dc_step, View<std::uint8_t> out) {
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x, levels += 64) out.row(y)[x] = dc_sample(*levels, dc_step);
}

}  // namespace aig
