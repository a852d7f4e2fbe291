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

using Samples = std::array<int, 4>;

struct Channel {
    std::size_t index;  // which of the pixel's transformed samples
    int low, high;      // range of its samples
};

// Channels in coding order. Colour is coded as U, V, Y, so that luma knows the chroma errors; alpha last.
std::vector<Channel> coding_order(int channels) {
    constexpr Channel luma{0, 0, 255}, u{1, -255, 255}, v{2, -319, 319};
    switch (channels) {
    case 1: return {luma};
    case 2: return {luma, {1, 0, 255}};
    case 3: return {u, v, luma};
    default: return {u, v, luma, {3, 0, 255}};
    }
}

// RGB -> (Y, U, V), reversible; grey and alpha pass through.
Samples forward(const std::uint8_t* p, int channels) {
    if (channels < 3) return {p[0], channels == 2 ? p[1] : 0, 0, 0};
    const int u = p[0] - p[1], v = p[2] - p[1];
    return {p[1] + ((u + v + 2) >> 2), u, v - (u >> 2), channels == 4 ? p[3] : 0};
}

// Damaged streams can leave the range of uint8, hence the clamps; sound ones never do.
void inverse(const Samples& s, std::uint8_t* p, int channels) {
    if (channels < 3) {
        p[0] = clamp_u8(s[0]);
        if (channels == 2) p[1] = clamp_u8(s[1]);
        return;
    }
    const int u = s[1], v = s[2] + (u >> 2), g = s[0] - ((u + v + 2) >> 2);
    p[0] = clamp_u8(u + g);
    p[1] = clamp_u8(g);
    p[2] = clamp_u8(v + g);
    if (channels == 4) p[3] = clamp_u8(s[3]);
}

// Both directions. `load(x, y)` gives the pixel's transformed samples (the encoder's truth, nothing for
// the decoder), `code(context, prediction, sample)` returns the sample that both sides then know,
// `store(x, y, samples)` takes the result.
template <class Load, class Code, class Store>
void scan(int channels, const Region& region, Load load, Code code, Store store) {
    const Box box = bounding_box(region);
    const auto order = coding_order(channels);
    std::vector<RowPair> rows;  // samples of every channel, then absolute errors of every channel
    for (const Channel& ch : order) rows.emplace_back(box.right - box.left, (ch.low + ch.high + 1) / 2);
    for (std::size_t c = 0; c < order.size(); ++c) rows.emplace_back(box.right - box.left, 0);
    if (box.right <= box.left) return;

    scan_region(region, box, rows, [&](int x, int y, bool span_start) {
        Samples s = load(box.left + x, y);
        int cross = 0;  // errors of the channels coded before at this pixel
        for (std::size_t c = 0; c < order.size(); ++c) {
            RowPair &values = rows[c], &errors = rows[order.size() + c];
            int& sample = s[order[c].index];
            const int w = values.west(x, span_start), n = values.above[x];
            const int nw = values.above[x - 1], ne = values.above[x + 1];
            const int activity = abs_int(w - nw) + abs_int(n - nw) + abs_int(ne - n) +
                                 errors.west(x, span_start) + errors.above[x] + cross;
            const auto context = static_cast<unsigned>(c) * kActivityLevels +
                                 kActivityContext[static_cast<std::size_t>(std::min(activity, kActivityCap))];
            const int prediction = med(w, n, nw);
            sample = clamp_int(code(context, prediction, sample), order[c].low, order[c].high);
            const int error = abs_int(sample - prediction);
            values.here[x] = sample;
            errors.here[x] = error;
            cross = c == 0 ? 2 * error : (cross >> 1) + error;
        }
        store(box.left + x, y, s);
    });
}

}  // namespace

SymbolSink lossless_encode(View<const std::uint8_t> pixels, const Region& region) {
    SymbolSink sink;
    scan(
        pixels.channels, region,
        [&](int x, int y) { return forward(pixels.row(y) + x * pixels.channels, pixels.channels); },
        [&](unsigned context, int prediction, int sample) {
            sink.put_value(context, zigzag(sample - prediction));
            return sample;
        },
        [](int, int, const Samples&) {});
    return sink;
}

void lossless_decode(const Stream& stream, View<std::uint8_t> pixels, const Region& region) {
    with_source(stream, kLosslessContexts, [&](auto& source) {
        scan(
            pixels.channels, region, [](int, int) { return Samples{}; },
            [&](unsigned context, int prediction, int) { return prediction + unzigzag(get_value(source, context)); },
            [&](int x, int y, const Samples& s) { inverse(s, pixels.row(y) + x * pixels.channels, pixels.channels); });
    });
}

}  // namespace aig
