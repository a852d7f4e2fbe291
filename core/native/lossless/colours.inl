// Reversible colour transforms of pixels side by side (format.md, 7.1.2). Included by one unit per instruction set; the
// loops are written so that compilers use it.
#include "lossless/wavefront.hpp"

#include <bit>
#include <cstring>

namespace aig {
namespace {

template <unsigned Transform, class T> AIG_INLINE void forward(T r, T g, T b, T& first, T& second, T& third) {
    const auto value = [](int v) { return static_cast<T>(v); };
    if constexpr (Transform == kGreenFirst) {
        first = g, second = r, third = b;
    } else if constexpr (Transform == kChromaLuma) {
        const T u = value(r - g), v = value(b - g), sum = value(u + v + 2);
        first = u, second = value(v - (u >> 2)), third = value(g + (sum >> 2));
    } else if constexpr (Transform == kSubtractGreen) {
        first = value(r - g), second = value(b - g), third = g;
    } else {
        const T co = value(r - b), t = value(b + (co >> 1)), cg = value(g - t);
        first = co, second = cg, third = value(t + (cg >> 1));
    }
}

template <unsigned Transform, class T> AIG_INLINE void inverse(T first, T second, T third, T& r, T& g, T& b) {
    const auto value = [](int v) { return static_cast<T>(v); };
    if constexpr (Transform == kGreenFirst) {
        g = first, r = second, b = third;
    } else if constexpr (Transform == kChromaLuma) {
        const T v = value(second + (first >> 2)), sum = value(first + v + 2);
        g = value(third - (sum >> 2)), r = value(first + g), b = value(v + g);
    } else if constexpr (Transform == kSubtractGreen) {
        g = third, r = value(first + g), b = value(second + g);
    } else {
        const T t = value(third - (second >> 1));
        g = value(second + t), b = value(t - (first >> 1)), r = value(b + first);
    }
}

template <unsigned Transform, std::ptrdiff_t Channels, class Pixel, class T>
void load_colours(const Pixel* __restrict pixel, T* __restrict first, T* __restrict second, T* __restrict third,
                  std::ptrdiff_t count) {
    for (std::ptrdiff_t i = 0; i < count; ++i)
        forward<Transform, T>(pixel[Channels * i], pixel[Channels * i + 1], pixel[Channels * i + 2], first[i],
                              second[i], third[i]);
}

// Damaged streams can leave the range of a pixel, hence the clamps; sound ones never do.
template <unsigned Transform, std::ptrdiff_t Channels, class Pixel, class T>
void store_colours(const T* __restrict first, const T* __restrict second, const T* __restrict third,
                   Pixel* __restrict pixel, std::ptrdiff_t count) {
    constexpr T peak = static_cast<Pixel>(-1);
    const auto clamped = [](T v) { return static_cast<Pixel>(v < 0 ? T{0} : v > peak ? peak : v); };
    Pixel colours[3][kTile];
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        T r, g, b;
        inverse<Transform, T>(first[i], second[i], third[i], r, g, b);
        colours[0][i] = clamped(r), colours[1][i] = clamped(g), colours[2][i] = clamped(b);
    }
    std::ptrdiff_t i = 0;
    if constexpr (sizeof(Pixel) == 1 && Channels == 3 && std::endian::native == std::endian::little) {
        std::uint32_t packed[kTile];
        for (std::ptrdiff_t j = 0; j < count; ++j) packed[j] = colours[0][j] | colours[1][j] << 8 | colours[2][j] << 16;
        // Four bytes at a time, of which the next pixel overwrites the last.
        for (; i < count - 1; ++i) std::memcpy(pixel + Channels * i, packed + i, 4);
    }
    for (; i < count; ++i)
        for (std::ptrdiff_t c = 0; c < 3; ++c) pixel[Channels * i + c] = colours[c][i];
}

template <class F> void with_transform(unsigned transform, F f) {
    switch (transform) {
    case kGreenFirst: return f.template operator()<kGreenFirst>();
    case kChromaLuma: return f.template operator()<kChromaLuma>();
    case kSubtractGreen: return f.template operator()<kSubtractGreen>();
    default: return f.template operator()<kCoCgLuma>();
    }
}

template <class Pixel, class T>
void load_colours(unsigned transform, const Pixel* pixel, int channels, T* const* planes, int count) {
    const auto load = [&]<unsigned Kind>() {
        (channels == 3 ? load_colours<Kind, 3, Pixel, T> : load_colours<Kind, 4, Pixel, T>)(pixel, planes[0], planes[1],
                                                                                            planes[2], count);
    };
    with_transform(transform, load);
}

template <class Pixel, class T>
void store_colours(unsigned transform, const T* const* planes, Pixel* pixel, int channels, int count) {
    const auto store = [&]<unsigned Kind>() {
        (channels == 3 ? store_colours<Kind, 3, Pixel, T> : store_colours<Kind, 4, Pixel, T>)(planes[0], planes[1],
                                                                                              planes[2], pixel, count);
    };
    with_transform(transform, store);
}

}  // namespace
}  // namespace aig
