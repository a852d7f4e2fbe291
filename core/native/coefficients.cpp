#include "coefficients.hpp"

#include <array>
#include <cstring>

namespace aig {
namespace {

// Zigzag scan; entries are 8 * horizontal + vertical frequency.
constexpr std::array<std::uint8_t, 64> kScan = [] {
    std::array<std::uint8_t, 64> scan{};
    int h = 0, v = 0;
    for (auto& entry : scan) {
        entry = static_cast<std::uint8_t>(8 * h + v);
        if ((h + v) % 2 == 0) {
            if (h == 7) ++v;
            else if (v == 0) ++h;
            else ++h, --v;
        } else {
            if (v == 7) ++h;
            else if (h == 0) ++v;
            else --h, ++v;
        }
    }
    return scan;
}();

// Band of a scan position.
constexpr std::array<std::uint8_t, 64> kBand = [] {
    std::array<std::uint8_t, 64> band{};
    for (int i = 0; i < 64; ++i) band[static_cast<std::size_t>(i)] = i < 3 ? 0 : i < 6 ? 1 : i < 10 ? 2 : i < 21 ? 3 : i < 36 ? 4 : 5;
    return band;
}();

// Class of a sum of neighbouring magnitudes.
constexpr unsigned kMagnitudeSums = 13;
constexpr std::uint8_t kMagnitudeClass[kMagnitudeSums] = {0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 7, 7};
constexpr unsigned kBands = 12;  // six of luma, six of chroma

// Class 0..7 of a count or sum of magnitudes.
unsigned bucket(int v) {
    return v < 1 ? 0 : v < 3 ? 1 : v < 5 ? 2 : v < 8 ? 3 : v < 13 ? 4 : v < 21 ? 5 : v < 33 ? 6 : 7;
}

constexpr unsigned kAcBase = 16, kLastBase = 112;

// Magnitudes of the block's coefficients so far, capped at 3, with a border of zeros behind.
struct Neighbours {
    std::uint8_t at[10 * 10 + 2] = {};

    static int index(int position) { return position + 2 * (position >> 3); }
    void set(int position, int magnitude) { at[index(position)] = static_cast<std::uint8_t>(magnitude < 3 ? magnitude : 3); }
    unsigned sum(int position) const {
        const std::uint8_t* p = at + index(position);
        return static_cast<unsigned>(p[1] + p[10] + p[11] + ((p[2] + p[20] + 1) >> 1));
    }
};

unsigned level_context(unsigned band, unsigned sum) { return kAcBase + band * 8 + kMagnitudeClass[sum]; }

// Both directions of DC coding: code(context, residual) returns the residual that both sides know.
template <class Code> void scan_dc(std::span<const LevelPlane> planes, Code code) {
    for (std::size_t plane = 0; plane < planes.size(); ++plane) {
        const int width = planes[plane].blocks.width, height = planes[plane].blocks.height;
        std::vector<int> magnitudes(static_cast<std::size_t>(width), 0);  // of the row above, then of this one
        for (int y = 0; y < height; ++y) {
            std::int16_t* row = planes[plane].levels + 64 * static_cast<std::ptrdiff_t>(y) * width;
            const std::int16_t* above = row - 64 * static_cast<std::ptrdiff_t>(width);
            for (int x = 0; x < width; ++x) {
                const int l = x ? row[64 * (x - 1)] : 0, u = y ? above[64 * x] : 0;
                const int prediction = x && y ? (med(l, u, above[64 * (x - 1)]) + ((l + u) >> 1)) >> 1 : x ? l : u;
                const int activity = (x ? magnitudes[static_cast<std::size_t>(x - 1)] : 0) + magnitudes[static_cast<std::size_t>(x)];
                const int level = clamp_int(prediction + code((plane ? 8 : 0) + bucket(activity), row[64 * x] - prediction), -32768, 32767);
                row[64 * x] = static_cast<std::int16_t>(level);
                magnitudes[static_cast<std::size_t>(x)] = abs_int(level - prediction);
            }
        }
    }
}

// Visit the blocks of class `kind`; code(chroma, context of the end of block, levels) returns the
// number of scan positions up to the last level that is not zero.
template <class Code> void scan_ac(std::span<const LevelPlane> planes, int kind, Code code) {
    for (std::size_t plane = 0; plane < planes.size(); ++plane) {
        const auto& blocks = planes[plane].blocks;
        std::vector<int> ends(static_cast<std::size_t>(blocks.width), -1);  // -1: not of this class
        std::int16_t* levels = planes[plane].levels;
        for (int y = 0; y < blocks.height; ++y) {
            int left = -1;
            for (int x = 0; x < blocks.width; ++x, levels += 64) {
                int& above = ends[static_cast<std::size_t>(x)];
                if (blocks.row(y)[x] != kind) {
                    left = above = -1;
                    continue;
                }
                const int around = left < 0 ? (above < 0 ? 0 : above) : above < 0 ? left : (left + above + 1) >> 1;
                left = above = code(plane ? 1u : 0u, (plane ? 8 : 0) + bucket(around), levels);
            }
        }
    }
}

}  // namespace

SymbolSink dc_encode(std::span<const LevelPlane> planes) {
    SymbolSink sink;
    scan_dc(planes, [&](unsigned context, int residual) {
        sink.put_value(context, zigzag(residual));
        return residual;
    });
    return sink;
}

void dc_decode(const Stream& stream, std::span<const LevelPlane> planes) {
    with_source(stream, kDcContexts, [&](auto& source) {
        scan_dc(planes, [&](unsigned context, int) { return unzigzag(get_value(source, context)); });
    });
}

SymbolSink ac_encode(std::span<const LevelPlane> planes, int kind) {
    SymbolSink sink;
    scan_ac(planes, kind, [&](unsigned chroma, unsigned end_context, const std::int16_t* levels) {
        int end = 63;
        while (end > 0 && levels[kScan[static_cast<std::size_t>(end)]] == 0) --end;
        sink.put_value(end_context, static_cast<std::uint32_t>(end));
        Neighbours near;
        for (int i = end; i > 0; --i) {
            const int position = kScan[static_cast<std::size_t>(i)], level = levels[position], magnitude = abs_int(level);
            const unsigned band = chroma * 6 + kBand[static_cast<std::size_t>(i)];
            if (i == end) sink.put_value(kLastBase + band, static_cast<std::uint32_t>(magnitude - 1));
            else sink.put_value(level_context(band, near.sum(position)), static_cast<std::uint32_t>(magnitude));
            if (magnitude) {
                sink.bits.put(level < 0, 1);
                near.set(position, magnitude);
            }
        }
        return end;
    });
    return sink;
}

void ac_decode(const Stream& stream, std::span<const LevelPlane> planes, int kind) {
    with_source(stream, kAcContexts, [&](auto& source) {
        using Handle = typename std::remove_reference_t<decltype(source)>::Handle;
        Handle handles[kBands][kMagnitudeSums];
        for (unsigned band = 0; band < kBands; ++band)
            for (unsigned sum = 0; sum < kMagnitudeSums; ++sum) handles[band][sum] = source.handle(level_context(band, sum));
        scan_ac(planes, kind, [&](unsigned chroma, unsigned end_context, std::int16_t* levels) {
            const std::uint32_t coded_end = get_value(source, end_context);
            const int end = static_cast<int>(coded_end < 63 ? coded_end : 63);
            Neighbours near;
            for (int i = end; i > 0; --i) {
                const int position = kScan[static_cast<std::size_t>(i)];
                const unsigned band = chroma * 6 + kBand[static_cast<std::size_t>(i)];
                std::uint32_t magnitude = i == end ? get_value(source, kLastBase + band) + 1
                                                   : get_value_at(source, handles[band][near.sum(position)]);
                if (magnitude) {
                    if (magnitude > 32767) magnitude = 32767;
                    near.set(position, static_cast<int>(magnitude));
                    const int level = static_cast<int>(magnitude);
                    levels[position] = static_cast<std::int16_t>(source.bits(1) ? -level : level);
                }
            }
            return end;
        });
    });
}

}  // namespace aig
