#include "screen/palette.hpp"

#include <array>
#include <cmath>
#include <unordered_map>

namespace aig {
namespace {

using Point = std::array<float, 3>;

// HSV as a cone, so that distance makes sense where hue wraps and where saturation vanishes:
// (chroma cos(hue), chroma sin(hue), value), all in 0..255.
Point hsv_point(float r, float g, float b) {
    const float value = std::max({r, g, b}), chroma = value - std::min({r, g, b});
    // chroma * (cos, sin)(hue) of the hexagon's circumscribed circle, straight from the components
    const float alpha = r - 0.5f * (g + b), beta = 0.8660254f * (g - b),
                length = std::sqrt(alpha * alpha + beta * beta);
    const float scale = length > 0 ? chroma / length : 0;
    return {alpha * scale, beta * scale, value};
}

// Oklab, scaled so that black and white are 255 apart.
Point oklab_point(float r, float g, float b) {
    const auto linear = [](float v) {
        v /= 255;
        return v <= 0.04045f ? v / 12.92f : std::pow((v + 0.055f) / 1.055f, 2.4f);
    };
    const float lr = linear(r), lg = linear(g), lb = linear(b);
    const float l = std::cbrt(0.4122214708f * lr + 0.5363325363f * lg + 0.0514459929f * lb);
    const float m = std::cbrt(0.2119034982f * lr + 0.6806995451f * lg + 0.1073969566f * lb);
    const float s = std::cbrt(0.0883024619f * lr + 0.2817188376f * lg + 0.6299787005f * lb);
    return {255 * (0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s),
            255 * (1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s),
            255 * (0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s)};
}

struct Bin {
    double weight = 0;
    std::array<double, 3> sum{};  // of RGB
    Point point{};
};

float squared(const Point& a, const Point& b) {
    const float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

struct Cluster {
    std::vector<std::uint32_t> bins;
    int axis = 0;
    double mean = 0, error = 0;  // along the axis of largest variance

    void measure(const std::vector<Bin>& all) {
        error = -1;
        for (int a = 0; a < 3; ++a) {
            double w = 0, s = 0, q = 0;
            for (auto i : bins) {
                const double v = all[i].point[static_cast<std::size_t>(a)];
                w += all[i].weight, s += all[i].weight * v, q += all[i].weight * v * v;
            }
            if (const double e = q - s * s / w; e > error) error = e, axis = a, mean = s / w;
        }
        if (bins.size() < 2) error = -1;
    }
};

std::uint32_t pack(Colour c) { return std::uint32_t{c.r} << 16 | std::uint32_t{c.g} << 8 | c.b; }

int luma(Colour c) { return 19595 * c.r + 38470 * c.g + 7471 * c.b; }

void sort_unique(std::vector<Colour>& colours) {
    const auto key = [](Colour c) { return std::uint64_t{static_cast<std::uint32_t>(luma(c))} << 24 | pack(c); };
    std::sort(colours.begin(), colours.end(), [&](Colour a, Colour b) { return key(a) < key(b); });
    colours.erase(std::unique(colours.begin(), colours.end(), [](Colour a, Colour b) { return pack(a) == pack(b); }),
                  colours.end());
}

std::vector<Bin> histogram(std::span<const Colour> pixels, ColourSpace space) {
    std::vector<Bin> bins(1 << 15);
    for (Colour c : pixels) {
        Bin& bin = bins[static_cast<std::size_t>(c.r >> 3 << 10 | c.g >> 3 << 5 | c.b >> 3)];
        bin.weight += 1;
        bin.sum[0] += c.r, bin.sum[1] += c.g, bin.sum[2] += c.b;
    }
    std::erase_if(bins, [](const Bin& b) { return b.weight == 0; });
    const auto point = space == ColourSpace::hsv ? hsv_point : oklab_point;
    for (Bin& b : bins)
        b.point = point(static_cast<float>(b.sum[0] / b.weight), static_cast<float>(b.sum[1] / b.weight),
                        static_cast<float>(b.sum[2] / b.weight));
    return bins;
}

// Both directions: code(x, y, equality context, west, north) returns the index that both sides then know.
template <class Code> void scan_indices(const Region& region, Code code) {
    const Box box = bounding_box(region);
    if (box.right <= box.left) return;
    std::vector<RowPair> rows{RowPair(box.right - box.left, 0)};
    scan_region(region, box, rows, [&](int x0, int x1, int y) {
        const int* above = rows[0].above();
        int* here = rows[0].here();
        for (int x = x0, w = above[x0]; x < x1; ++x) {
            const int n = above[x], nw = above[x - 1], ne = above[x + 1];
            const unsigned equal = (w == n) | (n == ne) << 1 | (w == nw) << 2;
            w = here[x] = code(box.left + x, y, equal, w, n);
        }
    });
}

unsigned distance_context(int w, int n) {
    const int d = abs_int(w - n);
    return 8 + (d < 1 ? 0u : d < 2 ? 1u : d < 4 ? 2u : d < 8 ? 3u : d < 16 ? 4u : d < 32 ? 5u : d < 64 ? 6u : 7u);
}

enum Hit : unsigned { kWest = 0, kNorth = 1, kMiss = 2 };

}  // namespace

std::vector<Colour> palette_fit(std::span<const Colour> pixels, std::size_t limit, int rounds, ColourSpace space) {
    std::vector<Colour> colours;
    {
        std::unordered_map<std::uint32_t, bool> seen;
        for (Colour c : pixels) {
            if (!seen.emplace(pack(c), true).second) continue;
            if (colours.size() == limit) {
                colours.clear();
                break;
            }
            colours.push_back(c);
        }
    }
    if (!colours.empty() || pixels.empty()) {
        sort_unique(colours);
        return colours;
    }

    const auto bins = histogram(pixels, space);
    std::vector<Cluster> clusters(1);
    for (std::uint32_t i = 0; i < bins.size(); ++i) clusters[0].bins.push_back(i);
    clusters[0].measure(bins);
    while (clusters.size() < limit) {
        auto widest =
            std::max_element(clusters.begin(), clusters.end(), [](auto& a, auto& b) { return a.error < b.error; });
        if (widest->error <= 0) break;
        Cluster low, high;
        for (auto i : widest->bins)
            (bins[i].point[static_cast<std::size_t>(widest->axis)] <= widest->mean ? low : high).bins.push_back(i);
        if (low.bins.empty() || high.bins.empty()) {
            widest->error = -1;
            continue;
        }
        low.measure(bins), high.measure(bins);
        *widest = std::move(low);
        clusters.push_back(std::move(high));
    }

    std::vector<std::uint32_t> member(bins.size());
    for (std::uint32_t k = 0; k < clusters.size(); ++k)
        for (auto i : clusters[k].bins) member[i] = k;
    std::vector<Point> centres(clusters.size());
    for (int round = 0; round <= rounds; ++round) {
        std::vector<std::array<double, 4>> sums(centres.size());
        for (std::size_t i = 0; i < bins.size(); ++i) {
            auto& s = sums[member[i]];
            for (std::size_t a = 0; a < 3; ++a) s[a] += bins[i].weight * bins[i].point[a];
            s[3] += bins[i].weight;
        }
        for (std::size_t k = 0; k < centres.size(); ++k)
            if (sums[k][3] > 0)
                for (std::size_t a = 0; a < 3; ++a) centres[k][a] = static_cast<float>(sums[k][a] / sums[k][3]);
        if (round == rounds) break;
        for (std::size_t i = 0; i < bins.size(); ++i) {
            float best = squared(bins[i].point, centres[member[i]]);
            for (std::uint32_t k = 0; k < centres.size(); ++k)
                if (const float d = squared(bins[i].point, centres[k]); d < best) best = d, member[i] = k;
        }
    }
    std::vector<std::array<double, 4>> rgb(centres.size());
    for (std::size_t i = 0; i < bins.size(); ++i) {
        for (std::size_t a = 0; a < 3; ++a) rgb[member[i]][a] += bins[i].sum[a];
        rgb[member[i]][3] += bins[i].weight;
    }
    for (const auto& s : rgb)
        if (s[3] > 0)
            colours.push_back({static_cast<std::uint8_t>(s[0] / s[3] + 0.5),
                               static_cast<std::uint8_t>(s[1] / s[3] + 0.5),
                               static_cast<std::uint8_t>(s[2] / s[3] + 0.5)});
    sort_unique(colours);
    return colours;
}

void palette_assign(std::span<const Colour> pixels, std::span<const Colour> palette, std::uint8_t* indices) {
    std::unordered_map<std::uint32_t, std::uint8_t> known;  // equal colours cost one lookup
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const Colour c = pixels[i];
        const auto [entry, fresh] = known.emplace(pack(c), std::uint8_t{0});
        if (fresh) {
            int best = 1 << 30;
            for (std::size_t k = 0; k < palette.size(); ++k) {
                const int r = c.r - palette[k].r, g = c.g - palette[k].g, b = c.b - palette[k].b;
                if (const int d = r * r + g * g + b * b; d < best)
                    best = d, entry->second = static_cast<std::uint8_t>(k);
            }
        }
        indices[i] = entry->second;
    }
}

WrittenStream palette_encode(View<const std::uint8_t> indices, const Region& region, int coder) {
    return with_writer(coder, kPaletteContexts, [&](MultiSymbolCoder auto& writer) {
        scan_indices(region, [&](int x, int y, unsigned equal, int w, int n) {
            const int index = indices.row(y)[x];
            writer.symbol(equal, index == w ? kWest : index == n ? kNorth : kMiss);
            if (index != w && index != n) code_value(writer, distance_context(w, n), zigzag(index - w));
            return index;
        });
    });
}

void palette_decode(const Payload& payload, View<std::uint8_t> indices, const Region& region, int size) {
    with_reader(payload, kPaletteContexts, [&](MultiSymbolCoder auto& reader) {
        scan_indices(region, [&](int x, int y, unsigned equal, int w, int n) {
            const unsigned hit = reader.symbol(equal);
            const int index = hit == kWest    ? w
                              : hit == kNorth ? n
                                              : w + unzigzag(code_value(reader, distance_context(w, n)));
            if (hit > kMiss || index < 0 || index >= size) throw Corrupt("palette index outside the palette");
            indices.row(y)[x] = static_cast<std::uint8_t>(index);
            return index;
        });
    });
}

}  // namespace aig
