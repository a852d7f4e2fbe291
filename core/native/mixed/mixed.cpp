#include "mixed/mixed.hpp"

#include "mixed/variants.hpp"
#include "simd/dispatch.hpp"

namespace aig {

namespace {

const mixed::Kernels& kernels_in_use() {
    switch (instruction_set()) {
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2: return mixed::avx2_kernels();
    case InstructionSet::avx512: return mixed::avx512_kernels();
#endif
    default: return mixed::plain_kernels();
    }
}

struct Band {
    Region region;
    Box box;
    std::int64_t pixels;

    Band(const Region& whole, int top, int bottom) : region(whole) {
        region.map.height = bottom;
        Region rows = region;
        rows.map.data += top * rows.map.stride;
        rows.map.height = bottom - top;
        box = bounding_box(rows);
        box.top += top, box.bottom += top;
        pixels = extent(rows).pixels;
    }
};

}  // namespace

template <class Pixel>
Bytes mixed_encode(View<const Pixel> pixels, const MixedPlanes& planes, const Region& region, int top, int bottom,
                   int shift) {
    const Band band(region, top, bottom);
    if (!band.pixels) return {};
    int x = band.box.left;
    while (!band.region.contains(x, band.box.top)) ++x;
    const Pixel* first = pixels.row(band.box.top) + std::ptrdiff_t{x} * pixels.channels;
    Bytes out;
    if (sizeof(Pixel) > 1) out.push_back(static_cast<std::uint8_t>(shift));
    int start[4] = {};
    for (int c = 0; c < planes.count; ++c) {
        start[c] = first[planes.channel[c]];
        for (std::size_t i = 0; i < sizeof(Pixel); ++i) out.push_back(static_cast<std::uint8_t>(start[c] >> 8 * i));
    }
    BinaryWriter coder;
    const auto& use = kernels_in_use();
    if constexpr (sizeof(Pixel) == 1)
        use.encode8(coder, pixels, planes, band.region, band.box, band.pixels, 0, start);
    else
        use.encode16(coder, pixels, planes, band.region, band.box, band.pixels, shift, start);
    const Bytes coded = coder.finish();
    out.insert(out.end(), coded.begin(), coded.end());
    return out;
}

template <class Pixel>
void mixed_decode(std::span<const std::uint8_t> coded, View<Pixel> pixels, const MixedPlanes& planes,
                  const Region& region, int top, int bottom) {
    const Band band(region, top, bottom);
    if (!band.pixels) {
        if (!coded.empty()) throw Corrupt("bytes for an empty region");
        return;
    }
    constexpr std::size_t depth = sizeof(Pixel), shifts = depth > 1;
    const std::size_t head = shifts + depth * static_cast<std::size_t>(planes.count);
    if (coded.size() < head) throw Corrupt("lossless data is cut");
    const int shift = shifts ? coded[0] : 0;
    if (shift > kMostMixedShift) throw Corrupt("shift outside its range");
    int start[4] = {};
    for (std::size_t c = 0; c < static_cast<std::size_t>(planes.count); ++c)
        for (std::size_t i = 0; i < depth; ++i) start[c] |= coded[shifts + c * depth + i] << 8 * i;
    BinaryReader coder(coded.subspan(head));
    const auto& use = kernels_in_use();
    if constexpr (sizeof(Pixel) == 1)
        use.decode8(coder, pixels, planes, band.region, band.box, band.pixels, shift, start);
    else
        use.decode16(coder, pixels, planes, band.region, band.box, band.pixels, shift, start);
    if (!coder.finished()) throw Corrupt("lossless data does not end where the region does");
}

template Bytes mixed_encode(View<const std::uint8_t>, const MixedPlanes&, const Region&, int, int, int);
template Bytes mixed_encode(View<const std::uint16_t>, const MixedPlanes&, const Region&, int, int, int);
template void mixed_decode(std::span<const std::uint8_t>, View<std::uint8_t>, const MixedPlanes&, const Region&, int,
                           int);
template void mixed_decode(std::span<const std::uint8_t>, View<std::uint16_t>, const MixedPlanes&, const Region&, int,
                           int);

}  // namespace aig
