#include "lossless/strips.hpp"

#include <bit>
#include <cstring>

namespace aig {
namespace {

// A tile's rows, which stay in the first cache.
template <class T> using TileRows = T[kLanes][kTile];

// Sixteen rows to one vector per step, and back.
template <class T> void to_lanes(const TileRows<T>& rows, T* lanes, int steps) {
    for (int t = 0; t < steps; ++t)
        for (int k = 0; k < kLanes; ++k) lanes[t * kSlots + k] = rows[k][t];
}
template <class T> void from_lanes(const T* lanes, TileRows<T>& rows, int steps) {
    for (int t = 0; t < steps; ++t)
        for (int k = 0; k < kLanes; ++k) rows[k][t] = lanes[t * kSlots + k];
}

#if defined(__GNUC__) || defined(__clang__)
using Eight __attribute__((vector_size(16))) = std::int16_t;

#ifdef AIG_VECTORS
#define AIG_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define AIG_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, Eight{__VA_ARGS__})
#endif
AIG_INLINE Eight low(Eight x, Eight y) { return AIG_SHUFFLE(x, y, 0, 8, 1, 9, 2, 10, 3, 11); }
AIG_INLINE Eight high(Eight x, Eight y) { return AIG_SHUFFLE(x, y, 4, 12, 5, 13, 6, 14, 7, 15); }
#undef AIG_SHUFFLE

// Transpose 8 x 8 values. Three times over, every second row is dealt between the rows before.
AIG_INLINE void transpose(const std::int16_t* from, std::ptrdiff_t from_stride, std::int16_t* to,
                          std::ptrdiff_t to_stride) {
    Eight rows[8], dealt[8];
    for (int i = 0; i < 8; ++i) std::memcpy(&rows[i], from + i * from_stride, sizeof(Eight));
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i)
            dealt[2 * i] = low(rows[i], rows[i + 4]), dealt[2 * i + 1] = high(rows[i], rows[i + 4]);
        std::copy_n(dealt, 8, rows);
    }
    for (int i = 0; i < 8; ++i) std::memcpy(to + i * to_stride, &rows[i], sizeof(Eight));
}
// Up to seven steps more than needed; a tile has room for them, and so has a strip.
template <> void to_lanes(const TileRows<std::int16_t>& rows, std::int16_t* lanes, int steps) {
    for (int t = 0; t < steps; t += 8)
        for (int k = 0; k < kLanes; k += 8) transpose(&rows[k][t], kTile, lanes + t * kSlots + k, kSlots);
}
template <> void from_lanes(const std::int16_t* lanes, TileRows<std::int16_t>& rows, int steps) {
    for (int t = 0; t < steps; t += 8)
        for (int k = 0; k < kLanes; k += 8) transpose(lanes + t * kSlots + k, kSlots, &rows[k][t], kTile);
}
#endif

// Call run(lane, t, count, row, column) for the stretches of region pixels in steps tile .. tile + kTile - 1 of a
// strip, t being the step of the first one from there.
template <class Run> void for_runs(const Band& band, int strip, int tile, Run run) {
    const Box& box = band.box();
    const std::uint16_t* active = band.active(strip);
    const int top = box.top + strip * kLanes, rows = std::min(kLanes, box.bottom - top),
              stop = std::min(band.steps(), tile + kTile);
    unsigned every = 0xFFFF, some = 0;
    for (int t = tile; t < stop; ++t) every &= active[t], some |= active[t];
    for (int k = 0; k < rows; ++k) {
        const auto inside = [&](int t) { return (active[t] >> k & 1) != 0; };
        for (int t = some >> k & 1 ? tile : stop; t < stop;) {
            while (t < stop && !inside(t)) ++t;
            const int begin = t;
            if (every >> k & 1) t = stop;
            while (t < stop && inside(t)) ++t;
            if (begin < t) run(k, begin - tile, t - begin, top + k, box.left + begin - kSkew * k);
        }
    }
}

void store_colours(unsigned transform, const std::int16_t* const* samples, std::uint8_t* pixels, int channels,
                   int count) {
    wavefront_kernels().store_colours8(transform, samples, pixels, channels, count);
}
void store_colours(unsigned transform, const std::int32_t* const* samples, std::uint16_t* pixels, int channels,
                   int count) {
    wavefront_kernels().store_colours16(transform, samples, pixels, channels, count);
}

}  // namespace

void load_pixels(const std::uint8_t* pixels, int channels, unsigned transform, std::int16_t* const* samples,
                 int count) {
    wavefront_kernels().load_colours8(transform, pixels, channels, samples, count);
}
void load_pixels(const std::uint16_t* pixels, int channels, unsigned transform, std::int32_t* const* samples,
                 int count) {
    wavefront_kernels().load_colours16(transform, pixels, channels, samples, count);
}

std::array<PlaneRange, kMaxPlanes> plane_ranges(int planes, unsigned transform, int peak) {
    if (planes == 1 || transform == kGreenFirst) return {{{0, peak}, {0, peak}, {0, peak}}};
    return {{{-peak, peak}, {-peak, peak}, {0, peak}}};
}

Band::Band(const Region& region, int top, int bottom) : region_(region) {
    Region rows = region;
    rows.map.data = region.map.row(top);
    rows.map.height = bottom - top;
    box_ = bounding_box(rows);
    if (empty()) return;
    box_.top += top;
    box_.bottom += top;
    active_.assign(static_cast<std::size_t>(strips()) * static_cast<std::size_t>(steps()), 0);
    for (int y = box_.top; y < box_.bottom; ++y) {
        const int k = (y - box_.top) % kLanes, strip = (y - box_.top) / kLanes;
        std::uint16_t* out =
            active_.data() + static_cast<std::size_t>(strip) * static_cast<std::size_t>(steps()) + kSkew * k;
        const std::uint8_t* classes = region.map.row(y) + box_.left;
        const auto first = static_cast<std::uint8_t>(region.first),
                   span = static_cast<std::uint8_t>(region.last - region.first);
        const auto lane = static_cast<std::uint16_t>(1 << k);
        unsigned count = 0;
        for (int x = 0; x < box_.right - box_.left; ++x) {
            const bool inside = static_cast<std::uint8_t>(classes[x] - first) <= span;
            out[x] = static_cast<std::uint16_t>(out[x] | (inside ? lane : 0));
            count += inside;
        }
        pixels_ += count;
    }
}

bool Band::block_is_active(int strip, int block) const {
    const std::uint16_t* steps_of = active(strip);
    for (int t = block * kBlockSteps; t < std::min(steps(), (block + 1) * kBlockSteps); ++t)
        if (steps_of[t]) return true;
    return false;
}

template <class T> void StripBuffer<T>::start(int c, T value) {
    T* p = plane(c);
    std::fill(p - kHistory * kSlots, p, value);
    for (int t = 0; t < steps_; ++t) std::fill_n(p + t * kSlots, kAbove, value);
}

template <class T> void StripBuffer<T>::follow(const StripBuffer& previous, const std::uint16_t* previous_active) {
    constexpr int ahead = kSkew * kLanes;  // a row is that many steps later in the strip it belongs to
    std::array<int, kAbove> first;         // step of each row's first pixel
    for (int j = 0; j < kAbove; ++j) {
        int t = 0;
        while (t < steps_ && !(previous_active[t] >> (kLanes - kAbove + j) & 1)) ++t;
        first[static_cast<std::size_t>(j)] = t < steps_ ? t : 0;
    }
    const int ragged = std::min(steps_, *std::max_element(first.begin(), first.end()) - ahead);
    for (int c = 0; c < planes_; ++c) {
        const T* from = previous.plane(c) + kLanes;
        T* to = plane(c);
        for (int t = -kHistory; t < ragged; ++t)  // columns before a row's first pixel get that pixel's value
            for (int j = 0; j < kAbove; ++j)
                to[t * kSlots + j] =
                    from[std::min(std::max(t + ahead, first[static_cast<std::size_t>(j)]), steps_ - 1) * kSlots + j];
        for (int t = std::max(-kHistory, ragged); t < steps_ - ahead; ++t)
            std::copy_n(from + (t + ahead) * kSlots, kAbove, to + t * kSlots);
        for (int t = std::max(-kHistory, steps_ - ahead); t < steps_; ++t)
            std::copy_n(from + (steps_ - 1) * kSlots, kAbove, to + t * kSlots);
        for (int t = -kHistory; t < 0; ++t)
            std::fill_n(to + t * kSlots + kAbove, kLanes, to[-kHistory * kSlots + kAbove - 1]);
    }
}

template <class Pixel, class T>
void load_strip(View<const Pixel> pixels, Component component, unsigned transform, const Band& band, int strip,
                StripBuffer<T>& buffer) {
    TileRows<T> rows[kMaxPlanes] = {};
    for (int tile = 0; tile < band.steps(); tile += kTile) {
        for_runs(band, strip, tile, [&](int k, int t, int count, int y, int x) {
            const Pixel* pixel = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels + component.first;
            T* const out[kMaxPlanes] = {&rows[0][k][t], &rows[1][k][t], &rows[2][k][t]};
            if (component.planes == 1)
                for (int i = 0; i < count; ++i) out[0][i] = static_cast<T>(pixel[i * pixels.channels]);
            else
                load_pixels(pixel, pixels.channels, transform, out, count);
        });
        for (int c = 0; c < component.planes; ++c)
            to_lanes(rows[c], buffer.plane(c) + tile * kSlots + kAbove, std::min(kTile, band.steps() - tile));
    }
    unsigned started = 0;
    for (int t = 0; t < band.steps(); ++t) {
        const unsigned active = band.active(strip)[t];
        for (unsigned missing = ~active & 0xFFFF; missing; missing &= missing - 1) {
            const int k = std::countr_zero(missing);
            const std::ptrdiff_t from = started >> k & 1 ? -kSlots : -kSlots - 1;
            for (int c = 0; c < component.planes; ++c) {
                T* here = buffer.plane(c) + t * kSlots + kAbove + k;
                *here = here[from];
            }
        }
        started |= active;
    }
}

template <class Pixel, class T>
void store_strip(StripBuffer<T>& buffer, Component component, unsigned transform, const Band& band, int strip,
                 View<Pixel> pixels) {
    TileRows<T> rows[kMaxPlanes];
    for (int tile = 0; tile < band.steps(); tile += kTile) {
        for (int c = 0; c < component.planes; ++c)
            from_lanes(buffer.plane(c) + tile * kSlots + kAbove, rows[c], std::min(kTile, band.steps() - tile));
        for_runs(band, strip, tile, [&](int k, int t, int count, int y, int x) {
            Pixel* pixel = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels + component.first;
            const T* const in[kMaxPlanes] = {&rows[0][k][t], &rows[1][k][t], &rows[2][k][t]};
            if (component.planes == 1)
                for (int i = 0; i < count; ++i) pixel[i * pixels.channels] = static_cast<Pixel>(in[0][i]);
            else
                store_colours(transform, in, pixel, pixels.channels, count);
        });
    }
}

template class StripBuffer<std::int16_t>;
template class StripBuffer<std::int32_t>;
template void load_strip(View<const std::uint8_t>, Component, unsigned, const Band&, int, StripBuffer<std::int16_t>&);
template void load_strip(View<const std::uint16_t>, Component, unsigned, const Band&, int, StripBuffer<std::int32_t>&);
template void store_strip(StripBuffer<std::int16_t>&, Component, unsigned, const Band&, int, View<std::uint8_t>);
template void store_strip(StripBuffer<std::int32_t>&, Component, unsigned, const Band&, int, View<std::uint16_t>);

}  // namespace aig
