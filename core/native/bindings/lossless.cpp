// Python bindings of the lossless coders.
#include "bindings/bands.hpp"
#include "lossless/photo.hpp"
#include "screen/recurrence.hpp"
#include "screen/screen_content.hpp"

namespace {

aig::Component component(int first, int planes, int channels) {
    require(first >= 0 && (planes == 1 || planes == 3) && first + planes <= channels, "no such channels");
    return {first, planes};
}

// `search` has the numbers of aig::Search in order.
aig::PhotoSettings settings(const std::vector<int>& search, bool bias) {
    require(search.size() == 10, "search must be 10 numbers");
    const aig::Search s{search[0], search[1], search[2], search[3], search[4],
                        search[5], search[6], search[7], search[8], search[9]};
    require(s.candidates >= 1 && s.candidates <= static_cast<int>(aig::kTrained) && s.predictors >= 1 &&
                s.predictors <= static_cast<int>(aig::kMaxPredictors),
            "1 to 32 predictors");
    require(s.rounds >= 0 && s.rounds <= 64 && s.block_stride >= 1 && s.block_stride <= 64 && s.finalists >= 1 &&
                s.margin >= 0 && s.margin <= 1024,
            "rounds, blocks, finalists or margin outside their ranges");
    // Steps of one stride are among those of a smaller one.
    for (int stride : {s.first_stride, s.stride, s.fit_stride, s.last_stride})
        require(stride == 1 || stride == 2 || stride == 4 || stride == 8 || stride == 16,
                "strides must be 1, 2, 4, 8 or 16");
    return {s, bias};
}

template <class Pixel> void bind_photo(nb::module_& m) {
    m.def(
        "photo_encode",
        [](const Array<const Pixel>& pixels, int channel, int planes, const U8In& map, int first, int last, int top,
           int bottom, const std::vector<int>& search, bool bias) {
            const Task<const Pixel> task(view(pixels), map, first, last, top, bottom);
            const auto part = component(channel, planes, task.pixels.channels);
            const auto how = settings(search, bias);
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::photo_encode(task.pixels, part, task.region, top, bottom, how);
            }
            return to_bytes(out);
        },
        "pixels"_a.noconvert(), "channel"_a, "planes"_a, "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "search"_a, "bias"_a);
    m.def(
        "photo_decode",
        [](const nb::bytes& coded, const Array<Pixel>& pixels, int channel, int planes, const U8In& map, int first,
           int last, int top, int bottom) {
            const Task<Pixel> task(view(pixels), map, first, last, top, bottom);
            const auto part = component(channel, planes, task.pixels.channels);
            const auto bytes = as_span(coded);
            nb::gil_scoped_release release;
            aig::photo_decode(bytes, task.pixels, part, task.region, top, bottom);
        },
        "coded"_a, "pixels"_a.noconvert(), "channel"_a, "planes"_a, "map"_a.noconvert(), "first"_a, "last"_a, "top"_a,
        "bottom"_a);
    m.def(
        "is_grey",
        [](const Array<const Pixel>& pixels, const U8In& map, int first, int last, int top, int bottom) {
            const Task<const Pixel> task(view(pixels), map, first, last, top, bottom);
            require(task.pixels.channels >= 3, "3 or 4 channels");
            nb::gil_scoped_release release;
            return aig::is_grey<Pixel>(task.rows(), task.region_rows());
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "Whether R, G and B of all pixels are equal.");
    m.def(
        "make_grey",
        [](const Array<Pixel>& pixels, const U8In& map, int first, int last, int top, int bottom) {
            const Task<Pixel> task(view(pixels), map, first, last, top, bottom);
            require(task.pixels.channels >= 3, "3 or 4 channels");
            nb::gil_scoped_release release;
            aig::make_grey<Pixel>(task.rows(), task.region_rows());
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a, "Copy R to G and B.");
}

}  // namespace

void bind_lossless(nb::module_& m) {
    bind_photo<std::uint8_t>(m);
    bind_photo<std::uint16_t>(m);
    m.def(
        "lossless_statistics",
        [](const U8In& pixels) {
            const auto p = view(pixels);
            require(p.channels == 1 || p.channels == 3, "1 or 3 channels");
            std::vector<std::uint8_t> inside(static_cast<std::size_t>(p.width) * static_cast<std::size_t>(p.height), 0);
            const aig::Region everything{{inside.data(), p.width, p.width, p.height, 1}, 0, 0};
            const auto counts = aig::photo_statistics(p, {0, p.channels}, everything, 0, p.height,
                                                      {{32, 4, 8, 1, 1, 4, 4, 4, 1, 0}, false});
            auto out = make_array<std::uint32_t>({counts.size() / aig::kAlphabet, aig::kAlphabet});
            std::copy(counts.begin(), counts.end(), out.data());
            return out;
        },
        "pixels"_a.noconvert());
    m.def(
        "photo_costs",
        [](const U8In& pixels, int channel, int planes, const U8In& map, int first, int last, int top, int bottom,
           const std::vector<int>& search, bool bias) {
            const Task<const std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            const auto part = component(channel, planes, task.pixels.channels);
            const auto how = settings(search, bias);
            const int width = task.pixels.width, height = task.pixels.height;
            auto bits = make_array<float>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
            std::fill_n(bits.data(), static_cast<std::size_t>(height) * static_cast<std::size_t>(width), 0.0f);
            const View<float> out{bits.data(), width, width, height, 1};
            {
                nb::gil_scoped_release release;
                aig::photo_costs(task.pixels, part, task.region, top, bottom, how, out);
            }
            return bits;
        },
        "pixels"_a.noconvert(), "channel"_a, "planes"_a, "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "search"_a, "bias"_a);
    m.def(
        "region_extent",
        [](const U8In& map, int first, int last) {
            const auto r = region(view(map), first, last);
            aig::Extent e;
            {
                nb::gil_scoped_release release;
                e = aig::extent(r);
            }
            return nb::make_tuple(e.pixels, e.top, e.bottom);
        },
        "map"_a.noconvert(), "first"_a, "last"_a, "Number of pixels, first row, and the row behind the last.");
    m.def(
        "repetition",
        [](const U8In& pixels, const U8In& map, int first, int last, int top, int bottom) {
            const Task<const std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            nb::gil_scoped_release release;
            return aig::repetition(task.rows(), task.region_rows());
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "Share of the pixels near a simple prediction that meet it exactly.");
    m.def(
        "recurrence",
        [](const U8In& pixels, const U8In& map, int first, int last, int top, int bottom) {
            const Task<const std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            aig::Recurrence r;
            {
                nb::gil_scoped_release release;
                r = aig::recurrence(task.rows(), task.region_rows());
            }
            return nb::make_tuple(r.places, r.right, r.pixels, r.colours, r.grey);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "Places sampled, those like an earlier one; pixels of a grid, different colours among them, whether all are "
        "grey.");
    m.def(
        "graphic_encode",
        [](const U8In& pixels, const U8In& map, int first, int last, int top, int bottom, bool matches) {
            const Task<const std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::screen_encode(task.rows(), task.region_rows(), {}, nullptr, matches);
            }
            return to_bytes(out);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a, "matches"_a = true);
    m.def(
        "graphic_encode_near",
        [](const U8In& pixels, const U8In& map, int first, int last, int top, int bottom, int per_bit, int most) {
            const Task<const std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            require(task.pixels.channels == 1 || task.pixels.channels == 3, "1 or 3 channels");
            require(per_bit >= 0 && per_bit < 1 << 20 && most >= 0 && most < 256, "loss outside its range");
            const auto tiles = [](int n) {
                return static_cast<std::size_t>((n + aig::kScreenTile - 1) / aig::kScreenTile);
            };
            static_assert(sizeof(aig::TileCost) == 2 * sizeof(float));
            auto costs = make_array<float>({tiles(bottom - top), tiles(task.pixels.width), 2});
            std::fill_n(costs.data(), costs.size(), 0.0f);
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::screen_encode(task.rows(), task.region_rows(), {per_bit, most},
                                         reinterpret_cast<aig::TileCost*>(costs.data()));
            }
            return nb::make_tuple(to_bytes(out), costs);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a, "per_bit"_a, "most"_a);
    m.def(
        "graphic_decode",
        [](const nb::bytes& coded, const U8Out& pixels, const U8In& map, int first, int last, int top, int bottom,
           bool matches) {
            const Task<std::uint8_t> task(view(pixels), map, first, last, top, bottom);
            const auto bytes = as_span(coded);
            nb::gil_scoped_release release;
            aig::screen_decode(bytes, task.rows(), task.region_rows(), matches);
        },
        "coded"_a, "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "matches"_a = true, "matches: whether the bytes use matches, as in the first byte of a band.");
}
