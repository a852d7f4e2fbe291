#include "roi/planes.hpp"

#include <algorithm>
#include <cstring>

namespace aig {
namespace {

bool hidden(int pixel_class, bool mid_is_hole) {
    return is_core(pixel_class) || pixel_class == kDrawn || (mid_is_hole && is_mid(pixel_class));
}

bool all_background(const std::uint8_t* classes, int count) {
    static_assert(kBackground == 0);
    // 64 at once, which compilers turn into a few wide instructions.
    constexpr int kStep = 64;
    int i = 0;
    for (; i + kStep <= count; i += kStep) {
        std::uint64_t any = 0;
        for (int k = 0; k < kStep; k += 8) {
            std::uint64_t eight;
            std::memcpy(&eight, classes + i + k, 8);
            any |= eight;
        }
        if (any) return false;
    }
    std::uint8_t any = 0;
    for (; i < count; ++i) any = static_cast<std::uint8_t>(any | classes[i]);
    return any == 0;
}

bool eight_alike(const std::uint8_t* classes) {
    std::uint64_t eight;
    std::memcpy(&eight, classes, 8);
    return eight == classes[0] * std::uint64_t{0x0101010101010101};
}

// Give the samples of a square of n x n that are not given values that continue the others smoothly, of which there
// is one at least: means at half the size first, then diffusion (pull and push; Gortler et al. 1996). n is a power of
// two.
void fill_square(std::vector<float>& values, const std::vector<std::uint8_t>& known, std::size_t n) {
    constexpr int kRounds = 6;
    if (n == 1) return;
    const std::size_t m = n / 2;
    std::vector<float> half(m * m);
    std::vector<std::uint8_t> half_known(m * m);
    for (std::size_t y = 0; y < m; ++y)
        for (std::size_t x = 0; x < m; ++x) {
            float sum = 0;
            int count = 0;
            for (std::size_t k : {std::size_t{0}, std::size_t{1}, n, n + 1}) {
                const std::size_t i = 2 * y * n + 2 * x + k;
                if (known[i]) sum += values[i], ++count;
            }
            half_known[y * m + x] = count > 0;
            half[y * m + x] = count ? sum / static_cast<float>(count) : 0;
        }
    fill_square(half, half_known, m);
    for (std::size_t i = 0; i < n * n; ++i)
        if (!known[i]) values[i] = half[i / n / 2 * m + i % n / 2];
    std::vector<float> next = values;
    for (int round = 0; round < kRounds; ++round) {
        for (std::size_t y = 0; y < n; ++y)
            for (std::size_t x = 0; x < n; ++x) {
                const std::size_t i = y * n + x;
                if (known[i]) continue;
                const float here = values[i];
                const float l = x > 0 ? values[i - 1] : here, r = x + 1 < n ? values[i + 1] : here;
                const float u = y > 0 ? values[i - n] : here, d = y + 1 < n ? values[i + n] : here;
                next[i] = (l + r + u + d) * 0.25f;
            }
        std::swap(values, next);
    }
}

}  // namespace

void classify_blocks(View<const std::uint8_t> map, int footprint, bool mid_is_hole, bool mid_is_finer,
                     View<std::uint8_t> blocks) {
    for (int by = 0; by < blocks.height; ++by) {
        const int y1 = std::min(map.height, (by + 1) * footprint);
        // Most rows of blocks are background only.
        bool plain = true;
        for (int y = by * footprint; plain && y < y1; ++y) plain = all_background(map.row(y), map.width);
        if (plain) {
            std::fill_n(blocks.row(by), blocks.width, kBlockBackground);
            continue;
        }
        for (int bx = 0; bx < blocks.width; ++bx) {
            bool all_hidden = true, any_mid = false, any_screen_content = false;
            const int x1 = std::min(map.width, (bx + 1) * footprint);
            for (int y = by * footprint; y < y1; ++y) {
                const std::uint8_t* row = map.row(y);
                for (int x = bx * footprint; x < x1;) {
                    // Eight pixels at once where they are all of one class.
                    const int n = x + 8 <= x1 && eight_alike(row + x) ? 8 : 1;
                    all_hidden &= hidden(row[x], mid_is_hole);
                    any_mid |= is_mid(row[x]);
                    any_screen_content |= row[x] == kDrawn;
                    x += n;
                }
            }
            const BlockClass hole = any_screen_content ? kBlockScreenContent : kBlockHole;
            blocks.row(by)[bx] = all_hidden ? hole : any_mid && mid_is_finer ? kBlockMid : kBlockBackground;
        }
    }
}

void fill_hidden(View<std::uint8_t> pixels, View<const std::uint8_t> map, int footprint, bool mid_is_hole) {
    const auto n = static_cast<std::size_t>(footprint);
    std::vector<float> values(n * n);
    std::vector<std::uint8_t> known(n * n);
    for (int top = 0; top < map.height; top += footprint) {
        bool plain = true;
        for (int y = top; plain && y < std::min(map.height, top + footprint); ++y)
            plain = all_background(map.row(y), map.width);
        if (plain) continue;
        for (int left = 0; left < map.width; left += footprint) {
            const int h = std::min(footprint, map.height - top), w = std::min(footprint, map.width - left);
            std::fill(known.begin(), known.end(), std::uint8_t{0});
            int shown = 0;
            for (int y = 0; y < h; ++y)
                for (int x = 0; x < w; ++x)
                    shown += known[static_cast<std::size_t>(y) * n + static_cast<std::size_t>(x)] =
                        !hidden(map.row(top + y)[left + x], mid_is_hole);
            if (shown == 0 || shown == w * h) continue;
            for (int c = 0; c < pixels.channels; ++c) {
                const auto pixel = [&](int x, int y) -> std::uint8_t& {
                    return pixels.row(top + y)[(left + x) * pixels.channels + c];
                };
                for (int y = 0; y < h; ++y)
                    for (int x = 0; x < w; ++x)
                        values[static_cast<std::size_t>(y) * n + static_cast<std::size_t>(x)] = pixel(x, y);
                fill_square(values, known, n);
                for (int y = 0; y < h; ++y)
                    for (int x = 0; x < w; ++x) {
                        const std::size_t i = static_cast<std::size_t>(y) * n + static_cast<std::size_t>(x);
                        if (!known[i]) pixel(x, y) = clamp_u8(static_cast<int>(values[i] + 0.5f));
                    }
            }
        }
    }
}

}  // namespace aig
