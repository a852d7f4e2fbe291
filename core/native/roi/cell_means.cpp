#include "roi/cell_means.hpp"

#include <algorithm>

namespace aig {

void cell_means(View<const std::uint8_t> pixels, int step, float* out) {
    const int n = pixels.channels, colours = n < 3 ? 1 : 3, columns = pixels.width / step, rows = pixels.height / step,
              skip = step >= 16  ? 4
                     : step >= 4 ? 2
                                 : 1;
    const int size = columns * step * n;
    // By sample of a row, over the rows of a cell: a sum is below 2^16 * 255 * 2.
    std::vector<std::uint32_t> sums(static_cast<std::size_t>(size)), changes(static_cast<std::size_t>(size));
    for (int cy = 0; cy < rows; ++cy) {
        std::fill(sums.begin(), sums.end(), 0u);
        std::fill(changes.begin(), changes.end(), 0u);
        int count = 0;
        for (int y = cy * step; y < (cy + 1) * step; y += skip, ++count) {
            const std::uint8_t *row = pixels.row(y), *below = pixels.row(std::min(y + 1, pixels.height - 1));
            // The last pixel of all has none on its right.
            const int inside = std::min(size, (pixels.width - 1) * n);
            std::uint32_t *s = sums.data(), *c = changes.data();
            for (int i = 0; i < size; ++i) s[i] += row[i];
            for (int i = 0; i < size; ++i) c[i] += static_cast<std::uint32_t>(abs_int(row[i] - below[i]));
            for (int i = 0; i < inside; ++i) c[i] += static_cast<std::uint32_t>(abs_int(row[i] - row[i + n]));
        }
        const float pixels_in = static_cast<float>(count * step);
        for (int cx = 0; cx < columns; ++cx) {
            std::uint64_t total[3] = {}, change = 0;
            for (int x = cx * step; x < (cx + 1) * step; ++x)
                for (int k = 0; k < colours; ++k)
                    total[k] += sums[static_cast<std::size_t>(x * n + k)],
                        change += changes[static_cast<std::size_t>(x * n + k)];
            for (int k = 0; k < colours; ++k) *out++ = static_cast<float>(total[k]) / pixels_in;
            *out++ = static_cast<float>(change) / (pixels_in * static_cast<float>(2 * colours));
        }
    }
}

}  // namespace aig
