// Python bindings of masks, label maps and tiles.
#include "bindings/arrays.hpp"
#include "geometry/label_map.hpp"
#include "geometry/masks.hpp"
#include "roi/cell_means.hpp"
#include "roi/tile_costs.hpp"

namespace {

std::size_t tiles(int n) { return static_cast<std::size_t>((n + aig::kScreenTile - 1) / aig::kScreenTile); }

void require_labels(const U8In& labels, int n) {
    require(labels.ndim() == 2 && labels.size() > 0, "labels must have 2 axes and not be empty");
    require(n >= 1 && n <= aig::kMostLabels, "1 to 3 labels");
    for (std::size_t i = 0; i < labels.size(); ++i) require(labels.data()[i] <= n, "label outside its range");
}

}  // namespace

void bind_maps(nb::module_& m) {
    m.attr("TILE") = aig::kScreenTile;
    m.def(
        "label_map_encode",
        [](const U8In& labels, int n) {
            require_labels(labels, n);
            const auto v = view(labels);
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::label_map_encode(v, n);
            }
            return to_bytes(out);
        },
        "labels"_a.noconvert(), "n"_a);
    m.def(
        "label_map_decode",
        [](const nb::bytes& coded, int height, int width, int n) {
            require(height >= 1 && width >= 1 && height < 32768 && width < 32768, "height and width must be 1..32767");
            require(n >= 1 && n <= aig::kMostLabels, "1 to 3 labels");
            auto out = make_array<std::uint8_t>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
            const auto bytes = as_span(coded);
            {
                nb::gil_scoped_release release;
                aig::label_map_decode(bytes, result_view(out), n);
            }
            return out;
        },
        "coded"_a, "height"_a, "width"_a, "n"_a);
    m.def(
        "classify_labels",
        [](const U8In& labels, const std::vector<std::int64_t>& reach2) {
            require_labels(labels, static_cast<int>(reach2.size()));
            for (std::int64_t r : reach2) require(r >= 0 && r < std::int64_t{1} << 48, "reach outside its range");
            const auto v = view(labels);
            auto out = make_array<std::uint8_t>({labels.shape(0), labels.shape(1)});
            {
                nb::gil_scoped_release release;
                aig::classify_labels(v, reach2, result_view(out));
            }
            return out;
        },
        "labels"_a.noconvert(), "reach2"_a);
    m.def(
        "components",
        [](const U8In& mask) {
            const auto v = view(mask);
            require(v.channels == 1 && mask.size() > 0, "mask must have 2 axes and not be empty");
            auto out = make_array<std::int32_t>({mask.shape(0), mask.shape(1)});
            std::int32_t count;
            {
                nb::gil_scoped_release release;
                count = aig::components(v, result_view(out));
            }
            return nb::make_tuple(out, count);
        },
        "mask"_a.noconvert(), "Numbers of the connected components, and how many there are.");
    m.def(
        "mark_drawn",
        [](const U8In& drawn, bool keep_mid, const U8Out& map) {
            const auto d = view(drawn);
            const auto c = view(map);
            require(d.channels == 1 && c.channels == 1, "tiles and class map must have 2 axes");
            require(drawn.shape(0) == tiles(c.height) && drawn.shape(1) == tiles(c.width),
                    "tiles do not fit the class map");
            nb::gil_scoped_release release;
            aig::mark_screen_content(d, keep_mid, c);
        },
        "drawn"_a.noconvert(), "keep_mid"_a, "map"_a.noconvert());
    m.def(
        "repeated_by_tile",
        [](const U8In& pixels, const U8In& map) {
            const auto p = view(pixels), c = view(map);
            require_same_size(p, c);
            require(c.channels == 1 && p.channels <= 4 && p.width > 0 && p.height > 0, "class map must have 2 axes");
            auto out = make_array<std::uint8_t>({tiles(p.height), tiles(p.width)});
            {
                nb::gil_scoped_release release;
                aig::repeated_by_tile(p, c, result_view(out));
            }
            return out;
        },
        "pixels"_a.noconvert(), "map"_a.noconvert());
    m.def(
        "transform_costs_by_tile",
        [](const U8In& pixels, const U8In& wanted, const Array<const std::int32_t>& steps) {
            const auto p = view(pixels), w = view(wanted);
            require(p.channels == 1 || p.channels == 3, "1 or 3 channels");
            require(p.width > 0 && p.height > 0 && wanted.ndim() == 2 && wanted.shape(0) == tiles(p.height) &&
                        wanted.shape(1) == tiles(p.width),
                    "tiles do not fit the picture");
            require(steps.ndim() == 1 && steps.shape(0) == 64, "steps must be (64,)");
            aig::Steps q;
            for (std::size_t i = 0; i < 64; ++i) {
                require(steps.data()[i] >= 1 && steps.data()[i] <= 32767, "step outside 1..32767");
                q[i] = steps.data()[i];
            }
            auto out = make_array<float>({wanted.shape(0), wanted.shape(1), 2});
            std::fill_n(out.data(), out.size(), 0.0f);
            {
                nb::gil_scoped_release release;
                aig::transform_costs_by_tile(p, w, q, reinterpret_cast<aig::TileCost*>(out.data()));
            }
            return out;
        },
        "pixels"_a.noconvert(), "wanted"_a.noconvert(), "steps"_a.noconvert());
    m.def(
        "cell_means",
        [](const U8In& pixels, int step) {
            const auto p = view(pixels);
            require(p.channels <= 4 && step >= 1 && step <= p.width && step <= p.height && step < 32768,
                    "step outside 1..the shorter side");
            const auto colours = static_cast<std::size_t>(p.channels < 3 ? 1 : 3);
            auto out = make_array<float>(
                {static_cast<std::size_t>(p.height / step), static_cast<std::size_t>(p.width / step), colours + 1});
            {
                nb::gil_scoped_release release;
                aig::cell_means(p, step, out.data());
            }
            return out;
        },
        "pixels"_a.noconvert(), "step"_a);
    m.def(
        "squared_error",
        [](const U8In& a, const U8In& b, int colours, const U8In& map) {
            const auto p = view(a), q = view(b), c = view(map);
            require_same_size(p, q);
            require_same_size(p, c);
            require(c.channels == 1 && colours >= 1 && colours <= p.channels && colours <= q.channels,
                    "channels do not fit");
            aig::SquaredError e;
            {
                nb::gil_scoped_release release;
                e = aig::squared_error(p, q, colours, c);
            }
            return nb::make_tuple(e.sum, e.samples);
        },
        "a"_a.noconvert(), "b"_a.noconvert(), "colours"_a, "map"_a.noconvert(),
        "Sum of squared differences outside the cores, and samples.");
}
