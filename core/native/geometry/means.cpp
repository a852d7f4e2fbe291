#include "geometry/means.hpp"

#include <algorithm>

namespace aig {
namespace {

// Sums over boxes of one row of pixels, added to `sums`.
template <int Channels, class Sample> void add_row(const Sample* row, int width, int scale, std::uint32_t* sums) {
    for (int x = 0; x < width; x += scale, sums += Channels) {
        const int end = std::min(width, x + scale);
        for (int i = x; i < end; ++i)
            for (int c = 0; c < Channels; ++c) sums[c] += row[i * Channels + c];
    }
}

template <class Sample> void add_row(const Sample* row, int width, int channels, int scale, std::uint32_t* sums) {
    switch (channels) {
    case 1: return add_row<1>(row, width, scale, sums);
    case 2: return add_row<2>(row, width, scale, sums);
    case 3: return add_row<3>(row, width, scale, sums);
    default: return add_row<4>(row, width, scale, sums);
    }
}

// How many pixels a box has along one axis.
std::uint32_t box_side(int box, int scale, int size) {
    return static_cast<std::uint32_t>(std::min(scale, size - box * scale));
}

}  // namespace

template <class Sample> void shrink(View<const Sample> pixels, int scale, View<Sample> out) {
    const int channels = pixels.channels;
    std::vector<std::uint32_t> sums(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(channels));
    for (int y = 0; y < out.height; ++y) {
        std::fill(sums.begin(), sums.end(), 0);
        const std::uint32_t rows = box_side(y, scale, pixels.height);
        for (std::uint32_t k = 0; k < rows; ++k)
            add_row(pixels.row(y * scale + static_cast<int>(k)), pixels.width, channels, scale, sums.data());
        Sample* to = out.row(y);
        const std::uint32_t* from = sums.data();
        for (int x = 0; x < out.width; ++x) {
            const std::uint32_t n = rows * box_side(x, scale, pixels.width);
            for (int c = 0; c < channels; ++c) *to++ = static_cast<Sample>((*from++ + n / 2) / n);
        }
    }
}

template void shrink(View<const std::uint8_t>, int, View<std::uint8_t>);
template void shrink(View<const std::uint16_t>, int, View<std::uint16_t>);

void add_to_boxes(View<const std::uint8_t> pixels, View<const std::uint8_t> map, int first, int last, int left, int top,
                  int scale, int box_left, int box_top, View<std::uint32_t> sums, View<std::uint32_t> counts) {
    const int channels = pixels.channels;
    for (int y = 0; y < map.height; ++y) {
        const int box_y = (top + y) / scale - box_top;
        std::uint32_t *sum = sums.row(box_y), *count = counts.row(box_y);
        const std::uint8_t *row = pixels.row(y), *classes = map.row(y);
        for (int x = 0; x < map.width; ++x) {
            if (classes[x] < first || classes[x] > last) continue;
            const int box = (left + x) / scale - box_left;
            ++count[box];
            for (int c = 0; c < channels; ++c) sum[box * channels + c] += row[x * channels + c];
        }
    }
}

void blend_boxes(View<const std::uint32_t> sums, View<const std::uint32_t> counts, int scale, int box_left, int box_top,
                 int width, int height, View<std::uint8_t> out) {
    const int channels = out.channels;
    for (int y = 0; y < counts.height; ++y)
        for (int x = 0; x < counts.width; ++x) {
            const std::uint32_t known = counts.row(y)[x];
            if (!known) continue;
            const std::uint32_t n = box_side(box_left + x, scale, width) * box_side(box_top + y, scale, height);
            std::uint8_t* pixel = out.row(box_top + y) + std::ptrdiff_t{box_left + x} * channels;
            for (int c = 0; c < channels; ++c)
                pixel[c] =
                    static_cast<std::uint8_t>((sums.row(y)[x * channels + c] + (n - known) * pixel[c] + n / 2) / n);
        }
}

}  // namespace aig
