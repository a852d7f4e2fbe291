// Python bindings of what the lossless coder puts in place of samples: indices, ranks, YCbCr.
#include "bindings/arrays.hpp"
#include "lossless/colour_table.hpp"
#include "lossless/value_ranks.hpp"
#include "lossless/ycc.hpp"

namespace {

// The values of a band, as Python holds them.
struct Values {
    aig::ValueSets sets;

    // Of a rank.
    int bits() const {
        const bool few = std::all_of(sets.begin(), sets.end(), [](const auto& set) { return set.size() <= 256; });
        return few ? 8 : 16;
    }
};

template <class Pixel> View<Pixel> picture(const Array<Pixel>& a) {
    const auto v = view(a);
    require(v.channels <= 4, "1 to 4 channels");
    return v;
}

template <class Pixel> aig::Region region_of(const View<Pixel>& pixels, const U8In& map, int first, int last) {
    const auto r = region(view(map), first, last);
    require_same_size(pixels, r.map);
    return r;
}

template <class T> Result<T> zeros(int height, int width, int channels) {
    auto out = make_array<T>(
        {static_cast<std::size_t>(height), static_cast<std::size_t>(width), static_cast<std::size_t>(channels)});
    std::fill_n(out.data(), out.size(), T{0});
    return out;
}

template <class T> constexpr int kBits = 8 * sizeof(T);

template <class Rank, class Pixel>
nb::object ranked(const View<const Pixel>& p, const aig::Region& r, const Values& values) {
    const auto ranks = zeros<Rank>(p.height, p.width, p.channels);
    const auto out = result_view(ranks);
    Bytes table;
    {
        nb::gil_scoped_release release;
        table = aig::write_values(values.sets, p.channels);
        aig::to_ranks(p, r, values.sets, out);
    }
    return nb::make_tuple(to_bytes(table), ranks);
}

template <class Rank, class Pixel> void bind_ranks(nb::module_& m) {
    m.def(
        "from_ranks",
        [](const Values& values, const Array<const Rank>& ranks, const Array<Pixel>& pixels, const U8In& map, int first,
           int last) {
            const auto source = picture(ranks);
            const auto target = picture(pixels);
            const auto r = region_of(target, map, first, last);
            require_same_size(source, target);
            require(source.channels == target.channels, "ranks and pixels differ in channels");
            require(values.sets.size() == 1 || values.sets.size() == static_cast<std::size_t>(target.channels),
                    "values of other channels");
            nb::gil_scoped_release release;
            aig::from_ranks(source, r, values.sets, target);
        },
        "values"_a, "ranks"_a.noconvert(), "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a,
        "Set the region's samples, which may lie where the ranks do.");
}

template <class Pixel> void bind_for(nb::module_& m) {
    m.def(
        "few_colours",
        [](const Array<const Pixel>& pixels, const U8In& map, int first, int last) -> nb::object {
            const auto p = picture(pixels);
            const auto r = region_of(p, map, first, last);
            aig::ColourTable table;
            {
                nb::gil_scoped_release release;
                table = aig::few_colours(p, r);
            }
            if (!table.size()) return nb::none();
            const auto indices = zeros<std::uint8_t>(p.height, p.width, 1);
            const auto out = result_view(indices);
            Bytes coded;
            {
                nb::gil_scoped_release release;
                coded = aig::write_colours(table, kBits<Pixel>);
                aig::to_indices(p, r, table, out);
            }
            return nb::make_tuple(to_bytes(coded), indices, table.size());
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a,
        "The coded table of at most 256 colours, their indices (H, W, 1), and how many there are; or None.");
    m.def(
        "from_indices",
        [](const nb::bytes& coded, const U8In& indices, const Array<Pixel>& pixels, const U8In& map, int first,
           int last) {
            const auto source = picture(indices);
            const auto target = picture(pixels);
            const auto r = region_of(target, map, first, last);
            require_same_size(source, target);
            require(source.channels == 1, "indices must be (H, W, 1)");
            const auto bytes = as_span(coded);
            nb::gil_scoped_release release;
            const auto table = aig::read_colours(bytes, target.channels, kBits<Pixel>, aig::extent(r).pixels);
            aig::from_indices(source, r, table, target);
        },
        "coded"_a, "indices"_a.noconvert(), "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a);
    m.def(
        "sparse_values",
        [](const Array<const Pixel>& pixels, const U8In& map, int first, int last) -> nb::object {
            const auto p = picture(pixels);
            const auto r = region_of(p, map, first, last);
            Values values;
            {
                nb::gil_scoped_release release;
                values.sets = aig::sparse_values(p, r);
            }
            if (values.sets.empty()) return nb::none();
            if constexpr (sizeof(Pixel) == 2)
                if (values.bits() == 16) return ranked<std::uint16_t>(p, r, values);
            return ranked<std::uint8_t>(p, r, values);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a,
        "The coded values that occur, and ranks (H, W, C) in place of samples, of 8 bits where that is enough; or "
        "None, if that is unlikely to save anything.");
}

}  // namespace

void bind_mapping(nb::module_& m) {
    nb::class_<Values>(m, "Values").def_prop_ro("bits", &Values::bits, "Bits of a rank.");
    m.def(
        "read_values",
        [](const nb::bytes& coded, int channels, int bits, const U8In& map, int first, int last) {
            const auto r = region(view(map), first, last);
            require(channels >= 1 && channels <= 4 && (bits == 8 || bits == 16), "1 to 4 channels of 8 or 16 bits");
            const auto bytes = as_span(coded);
            nb::gil_scoped_release release;
            return Values{aig::read_values(bytes, channels, bits, aig::extent(r).pixels)};
        },
        "coded"_a, "channels"_a, "bits"_a, "map"_a.noconvert(), "first"_a, "last"_a);
    bind_for<std::uint8_t>(m);
    bind_for<std::uint16_t>(m);
    bind_ranks<std::uint8_t, std::uint8_t>(m);
    bind_ranks<std::uint8_t, std::uint16_t>(m);
    bind_ranks<std::uint16_t, std::uint16_t>(m);
    m.def(
        "to_ycc",
        [](const U8In& pixels, const U8In& map, int first, int last) -> nb::object {
            const auto p = picture(pixels);
            const auto r = region_of(p, map, first, last);
            require(p.channels >= 3, "3 or 4 channels");
            bool found = false;
            {
                nb::gil_scoped_release release;
                found = aig::looks_like_ycc(p, r);
            }
            if (!found) return nb::none();
            const auto ycc = zeros<std::uint8_t>(p.height, p.width, p.channels);
            const auto out = result_view(ycc);
            {
                nb::gil_scoped_release release;
                found = aig::to_ycc(p, r, out);
            }
            return found ? nb::cast(ycc) : nb::none();
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a,
        "Cr, Y, Cb and what alpha there is, uint8 (H, W, C), if all colours are a triple's; else None.");
    m.def(
        "from_ycc",
        [](const U8Out& pixels, const U8In& map, int first, int last) {
            const auto p = picture(pixels);
            const auto r = region_of(p, map, first, last);
            require(p.channels >= 3, "3 or 4 channels");
            nb::gil_scoped_release release;
            aig::from_ycc(p, r);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a);
}
