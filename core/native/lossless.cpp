#include "lossless.hpp"

#include <array>

namespace aig {
namespace {

// Context of an activity: the number of thresholds that it reaches.
constexpr int kActivityCap = 511;
constexpr std::array<std::uint8_t, kActivityCap + 1> kActivityContext = [] {
    constexpr int thresholds[kActivityLevels - 1] = {1, 2, 3, 5, 7, 10, 14, 19, 26, 35, 48, 66, 95, 140, 210};
    std::array<std::uint8_t, kActivityCap + 1> table{};
    for (int a = 0; a <= kActivityCap; ++a)
        for (int t : thresholds) table[static_cast<std::size_t>(a)] += a >= t;
    return table;
}();

struct Channel {
    std::size_t index;  // which of the pixel's transformed samples
    int low, high;      // range of its samples
};

// A picture's samples after the reversible colour transform, and the order they are coded in. Colour is
// coded as U, V, Y, so that luma knows the chroma errors; alpha comes last.
template <int Channels> struct Layout;

struct GreyLayout {
    static void forward(const std::uint8_t* p, int* s, int n) {
        for (int c = 0; c < n; ++c) s[c] = p[c];
    }
    static void inverse(const int* s, std::uint8_t* p, int n) {
        for (int c = 0; c < n; ++c) p[c] = static_cast<std::uint8_t>(s[c]);
    }
};
struct ColourLayout {
    static void forward(const std::uint8_t* p, int* s, int n) {
        const int u = p[0] - p[1], v = p[2] - p[1];
        s[0] = p[1] + ((u + v + 2) >> 2);
        s[1] = u;
        s[2] = v - (u >> 2);
        if (n == 4) s[3] = p[3];
    }
    // Damaged streams can leave the range of uint8, hence the clamps; sound ones never do.
    static void inverse(const int* s, std::uint8_t* p, int n) {
        const int u = s[1], v = s[2] + (u >> 2), g = s[0] - ((u + v + 2) >> 2);
        p[0] = clamp_u8(u + g);
        p[1] = clamp_u8(g);
        p[2] = clamp_u8(v + g);
        if (n == 4) p[3] = static_cast<std::uint8_t>(s[3]);
    }
};

constexpr Channel kLuma{0, 0, 255}, kU{1, -255, 255}, kV{2, -319, 319};
template <> struct Layout<1> : GreyLayout { static constexpr Channel order[] = {kLuma}; };
template <> struct Layout<2> : GreyLayout { static constexpr Channel order[] = {kLuma, {1, 0, 255}}; };
template <> struct Layout<3> : ColourLayout { static constexpr Channel order[] = {kU, kV, kLuma}; };
template <> struct Layout<4> : ColourLayout { static constexpr Channel order[] = {kU, kV, kLuma, {3, 0, 255}}; };

// Context of the channel coded at position c, at a capped activity.
constexpr unsigned context_of(int c, int activity) {
    return static_cast<unsigned>(c) * kActivityLevels + kActivityContext[static_cast<std::size_t>(activity)];
}

// Both directions. `code(c, activity, prediction, sample)` returns the sample that both sides then know;
// the encoder's comes from `pixels`, the decoder's is written there.
template <int Channels, bool Encoding, class Pixel, class Code>
void scan(View<Pixel> pixels, const Region& region, Code code) {
    using L = Layout<Channels>;
    const Box box = bounding_box(region);
    if (box.right <= box.left) return;
    std::vector<RowPair> rows;  // samples of every channel, then absolute errors of every channel
    for (const Channel& ch : L::order) rows.emplace_back(box.right - box.left, (ch.low + ch.high + 1) / 2);
    for (int c = 0; c < Channels; ++c) rows.emplace_back(box.right - box.left, 0);

    scan_region(region, box, rows, [&](int x0, int x1, int y) {
        Pixel* pixel = pixels.row(y) + (box.left + x0) * Channels;
        const int *above[Channels], *errors_above[Channels];
        int *here[Channels], *errors_here[Channels], west[Channels], west_error[Channels];
        for (int c = 0; c < Channels; ++c) {
            above[c] = rows[static_cast<std::size_t>(c)].above();
            here[c] = rows[static_cast<std::size_t>(c)].here();
            errors_above[c] = rows[static_cast<std::size_t>(Channels + c)].above();
            errors_here[c] = rows[static_cast<std::size_t>(Channels + c)].here();
            west[c] = above[c][x0];
            west_error[c] = errors_above[c][x0];
        }
        for (int x = x0; x < x1; ++x, pixel += Channels) {
            int s[4] = {};
            if constexpr (Encoding) L::forward(pixel, s, Channels);
            int cross = 0;  // errors of the channels coded before at this pixel
            AIG_UNROLL
            for (int c = 0; c < Channels; ++c) {
                const Channel& ch = L::order[c];
                const int w = west[c], n = above[c][x], nw = above[c][x - 1], ne = above[c][x + 1];
                const int activity = abs_int(w - nw) + abs_int(n - nw) + abs_int(ne - n) + west_error[c] +
                                     errors_above[c][x] + cross;
                const int prediction = med(w, n, nw);
                const int coded = code(c, std::min(activity, kActivityCap), prediction, s[ch.index]);
                const int sample = clamp_int(coded, ch.low, ch.high);
                const int error = abs_int(sample - prediction);
                s[ch.index] = here[c][x] = west[c] = sample;
                errors_here[c][x] = west_error[c] = error;
                cross = c == 0 ? 2 * error : (cross >> 1) + error;
            }
            if constexpr (!Encoding) L::inverse(s, pixel, Channels);
        }
    });
}

template <bool Encoding, class Pixel, class Code> void scan_any(View<Pixel> pixels, const Region& region, Code code) {
    switch (pixels.channels) {
    case 1: return scan<1, Encoding>(pixels, region, code);
    case 2: return scan<2, Encoding>(pixels, region, code);
    case 3: return scan<3, Encoding>(pixels, region, code);
    default: return scan<4, Encoding>(pixels, region, code);
    }
}

}  // namespace

SymbolSink lossless_encode(View<const std::uint8_t> pixels, const Region& region) {
    SymbolSink sink;
    scan_any<true>(pixels, region, [&](int c, int activity, int prediction, int sample) {
        sink.put_value(context_of(c, activity), zigzag(sample - prediction));
        return sample;
    });
    return sink;
}

void lossless_decode(const Stream& stream, View<std::uint8_t> pixels, const Region& region) {
    with_source(stream, kLosslessContexts, [&](auto& source) {
        using Handle = typename std::remove_reference_t<decltype(source)>::Handle;
        std::vector<std::array<Handle, kActivityCap + 1>> handles(static_cast<std::size_t>(pixels.channels));
        for (int c = 0; c < pixels.channels; ++c)
            for (int a = 0; a <= kActivityCap; ++a)
                handles[static_cast<std::size_t>(c)][static_cast<std::size_t>(a)] = source.handle(context_of(c, a));
        const auto* rows = handles.data();
        scan_any<false>(pixels, region, [&source, rows](int c, int activity, int prediction, int) {
            return prediction + unzigzag(get_value_at(source, rows[c][static_cast<std::size_t>(activity)]));
        });
    });
}

}  // namespace aig
