#include "strips.hpp"

#include <bit>

namespace aig {
namespace {

// Columns that are worked on at a time, so that what sixteen rows write stays in the first cache.
constexpr int kTile = 64;

template <unsigned Transform> AIG_INLINE void forward(const int r, const int g, const int b, int* s) {
    if constexpr (Transform == kGreenFirst) {
        s[0] = g, s[1] = r, s[2] = b;
    } else if constexpr (Transform == kChromaLuma) {
        const int u = r - g, v = b - g;
        s[0] = u, s[1] = v - (u >> 2), s[2] = g + ((u + v + 2) >> 2);
    } else if constexpr (Transform == kSubtractGreen) {
        s[0] = r - g, s[1] = b - g, s[2] = g;
    } else {
        const int co = r - b, t = b + (co >> 1), cg = g - t;
        s[0] = co, s[1] = cg, s[2] = t + (cg >> 1);
    }
}

template <unsigned Transform> AIG_INLINE void inverse(const int* s, int& r, int& g, int& b) {
    if constexpr (Transform == kGreenFirst) {
        g = s[0], r = s[1], b = s[2];
    } else if constexpr (Transform == kChromaLuma) {
        const int u = s[0], v = s[1] + (u >> 2);
        g = s[2] - ((u + v + 2) >> 2), r = u + g, b = v + g;
    } else if constexpr (Transform == kSubtractGreen) {
        g = s[2], r = s[0] + g, b = s[1] + g;
    } else {
        const int t = s[2] - (s[1] >> 1);
        g = s[1] + t, b = t - (s[0] >> 1), r = b + s[0];
    }
}

// Call run(lane, x0, x1, row) for the stretches of region pixels in every tile of a strip's rows.
template <class Run> void for_runs(const Band& band, int strip, Run run) {
    const Box& box = band.box();
    const int width = box.right - box.left, top = box.top + strip * kLanes, rows = std::min(kLanes, box.bottom - top);
    for (int tile = 0; tile < width; tile += kTile)
        for (int k = 0; k < rows; ++k) {
            const std::uint16_t* active = band.active(strip) + kSkew * k;
            const int stop = std::min(width, tile + kTile);
            for (int x = tile; x < stop;) {
                while (x < stop && !(active[x] >> k & 1)) ++x;
                const int begin = x;
                while (x < stop && active[x] >> k & 1) ++x;
                if (begin < x) run(k, begin, x, top + k);
            }
        }
}

template <unsigned Transform, class Pixel, class T>
void load_colour(const Pixel* pixel, int channels, T* const* out, int count) {
    for (int i = 0; i < count; ++i, pixel += channels) {
        int s[3];
        forward<Transform>(pixel[0], pixel[1], pixel[2], s);
        for (int c = 0; c < 3; ++c) out[c][i * kSlots] = static_cast<T>(s[c]);
    }
}

// Damaged streams can leave the range of a pixel, hence the clamps; sound ones never do.
template <unsigned Transform, class Pixel, class T>
void store_colour(T* const* in, Pixel* pixel, int channels, int count) {
    constexpr int peak = static_cast<Pixel>(-1);
    for (int i = 0; i < count; ++i, pixel += channels) {
        const int s[3] = {in[0][i * kSlots], in[1][i * kSlots], in[2][i * kSlots]};
        int r, g, b;
        inverse<Transform>(s, r, g, b);
        pixel[0] = static_cast<Pixel>(clamp_int(r, 0, peak));
        pixel[1] = static_cast<Pixel>(clamp_int(g, 0, peak));
        pixel[2] = static_cast<Pixel>(clamp_int(b, 0, peak));
    }
}

template <class F> void with_transform(unsigned transform, F f) {
    switch (transform) {
    case kGreenFirst: return f.template operator()<kGreenFirst>();
    case kChromaLuma: return f.template operator()<kChromaLuma>();
    case kSubtractGreen: return f.template operator()<kSubtractGreen>();
    default: return f.template operator()<kCoCgLuma>();
    }
}

}  // namespace

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
        std::uint16_t* out = active_.data() + static_cast<std::size_t>(strip) * static_cast<std::size_t>(steps()) + kSkew * k;
        const std::uint8_t* classes = region.map.row(y) + box_.left;
        const auto first = static_cast<unsigned>(region.first), span = static_cast<unsigned>(region.last - region.first);
        unsigned count = 0;
        for (int x = 0; x < box_.right - box_.left; ++x) {
            const unsigned inside = classes[x] - first <= span;
            out[x] = static_cast<std::uint16_t>(out[x] | inside << k);
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
                to[t * kSlots + j] = from[std::min(std::max(t + ahead, first[static_cast<std::size_t>(j)]), steps_ - 1) * kSlots + j];
        for (int t = std::max(-kHistory, ragged); t < steps_; ++t) std::copy_n(from + std::min(t + ahead, steps_ - 1) * kSlots, kAbove, to + t * kSlots);
        for (int t = -kHistory; t < 0; ++t) std::fill_n(to + t * kSlots + kAbove, kLanes, to[-kHistory * kSlots + kAbove - 1]);
    }
}

template <class Pixel, class T>
void load_strip(View<const Pixel> pixels, Component component, unsigned transform, const Band& band, int strip, StripBuffer<T>& buffer) {
    for_runs(band, strip, [&](int k, int x0, int x1, int y) {
        const Pixel* pixel = pixels.row(y) + (band.box().left + x0) * pixels.channels + component.first;
        T* out[kMaxPlanes];
        for (int c = 0; c < component.planes; ++c) out[c] = buffer.plane(c) + (x0 + kSkew * k) * kSlots + kAbove + k;
        if (component.planes == 1)
            for (int i = 0; i < x1 - x0; ++i) out[0][i * kSlots] = static_cast<T>(pixel[i * pixels.channels]);
        else
            with_transform(transform, [&]<unsigned Kind>() { load_colour<Kind>(pixel, pixels.channels, out, x1 - x0); });
    });
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
void store_strip(StripBuffer<T>& buffer, Component component, unsigned transform, const Band& band, int strip, View<Pixel> pixels) {
    for_runs(band, strip, [&](int k, int x0, int x1, int y) {
        Pixel* pixel = pixels.row(y) + (band.box().left + x0) * pixels.channels + component.first;
        T* in[kMaxPlanes];
        for (int c = 0; c < component.planes; ++c) in[c] = buffer.plane(c) + (x0 + kSkew * k) * kSlots + kAbove + k;
        if (component.planes == 1)
            for (int i = 0; i < x1 - x0; ++i) pixel[i * pixels.channels] = static_cast<Pixel>(in[0][i * kSlots]);
        else
            with_transform(transform, [&]<unsigned Kind>() { store_colour<Kind>(in, pixel, pixels.channels, x1 - x0); });
    });
}

template class StripBuffer<std::int16_t>;
template class StripBuffer<std::int32_t>;
template void load_strip(View<const std::uint8_t>, Component, unsigned, const Band&, int, StripBuffer<std::int16_t>&);
template void load_strip(View<const std::uint16_t>, Component, unsigned, const Band&, int, StripBuffer<std::int32_t>&);
template void store_strip(StripBuffer<std::int16_t>&, Component, unsigned, const Band&, int, View<std::uint8_t>);
template void store_strip(StripBuffer<std::int32_t>&, Component, unsigned, const Band&, int, View<std::uint16_t>);

}  // namespace aig
