// Python bindings of the kernels. The GIL is released around every kernel.
#include "bindings/entropy.hpp"
#include "dct/residual.hpp"
#include "geometry/geometry.hpp"
#include "geometry/means.hpp"
#include "roi/costs.hpp"
#include "roi/planes.hpp"
#include "screen/palette.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>

void bind_entropy(nb::module_& m);
void bind_lossless(nb::module_& m);
void bind_lossy(nb::module_& m);
void bind_mapping(nb::module_& m);
void bind_maps(nb::module_& m);
void bind_mixed(nb::module_& m);

namespace {

template <class Sample> Result<Sample> shrunk(const Array<const Sample>& pixels, int scale) {
    const auto p = view(pixels);
    require(scale >= 1 && scale <= 8 && p.width >= 1 && p.height >= 1 && p.channels <= 4,
            "pixels must be (H, W[, C]), scale 1..8");
    const auto height = static_cast<std::size_t>(aig::scaled(p.height, scale)),
               width = static_cast<std::size_t>(aig::scaled(p.width, scale));
    auto out =
        pixels.ndim() == 3 ? make_array<Sample>({height, width, pixels.shape(2)}) : make_array<Sample>({height, width});
    const auto o = result_view(out);
    nb::gil_scoped_release release;
    aig::shrink(p, scale, o);
    return out;
}

// Rows of (x, y, inv_x, inv_y, shift, alpha, r_core, r_mid).
std::vector<aig::Focus> foci(const Array<const std::int64_t>& rows) {
    require(rows.ndim() == 2 && rows.shape(0) >= 1 && rows.shape(0) <= 3 && rows.shape(1) == 8,
            "foci must be (1..3, 8)");
    std::vector<aig::Focus> out;
    for (std::size_t k = 0; k < rows.shape(0); ++k) {
        const std::int64_t* r = rows.data() + 8 * k;
        const auto u32 = [](std::int64_t v) {
            require(v >= 0 && v <= std::numeric_limits<std::uint32_t>::max(), "focus entry outside uint32");
            return static_cast<std::uint32_t>(v);
        };
        require(r[0] >= 0 && r[0] < 32768 && r[1] >= 0 && r[1] < 32768, "focus center outside 0..32767");
        require(r[2] >= 1 && r[3] >= 1, "focus inverse Sigma below 1");
        require(r[4] >= 20 && r[4] <= 50 && r[5] >= 0 && r[5] <= 255, "focus shift or alpha outside its range");
        out.push_back({static_cast<int>(r[0]), static_cast<int>(r[1]), u32(r[2]), u32(r[3]), static_cast<int>(r[4]),
                       static_cast<std::uint32_t>(r[5]), u32(r[6]), u32(r[7])});
    }
    return out;
}

void require_size(int height, int width) {
    require(height >= 1 && width >= 1 && height < 32768 && width < 32768, "height and width must be 1..32767");
}

aig::Steps steps(const Array<const std::int32_t>& a) {
    require(a.ndim() == 1 && a.shape(0) == 64, "steps must be (64,)");
    aig::Steps out;
    for (std::size_t i = 0; i < 64; ++i) {
        require(a.data()[i] >= 1 && a.data()[i] <= 32767, "step outside 1..32767");
        out[i] = a.data()[i];
    }
    return out;
}

std::span<const aig::Colour> colours(const U8In& a) {
    static_assert(sizeof(aig::Colour) == 3);
    require(a.ndim() == 2 && a.shape(1) == 3, "colours must be (n, 3)");
    return {reinterpret_cast<const aig::Colour*>(a.data()), a.shape(0)};
}

}  // namespace

NB_MODULE(_kernels, m) {
    m.doc() = "Kernels of aig_codec. Private: arguments are checked for memory safety, not for meaning.";

    static nb::object corrupt_error = nb::module_::import_("aig_codec.errors").attr("CorruptError");
    nb::register_exception_translator([](const std::exception_ptr& p, void*) {
        try {
            std::rethrow_exception(p);
        } catch (const aig::Corrupt& e) { PyErr_SetString(corrupt_error.ptr(), e.what()); }
    });

    m.attr("PALETTE_CONTEXTS") = aig::kPaletteContexts;
    m.attr("BOUNDARY_CONTEXTS") = aig::kBoundaryContexts;

    m.def(
        "simd", [] { return std::string(aig::name_of(aig::instruction_set())); },
        "Name of the instruction set in use.");
    m.def(
        "choose_simd",
        [](const std::string& name) {
            if (!aig::choose_kernels(name.c_str()))
                throw nb::value_error("kernel set is not known or not supported here");
        },
        "name"_a, "Use 'auto', 'plain', 'vector', 'avx2' or 'avx512' kernels; all give the same results.");

    // Geometry
    m.def(
        "classify",
        [](int left, int top, int height, int width, const Array<const std::int64_t>& rows) {
            require_size(height, width);
            require(left >= 0 && top >= 0 && left + width < 32768 && top + height < 32768, "window outside 0..32767");
            const auto f = foci(rows);
            auto out = make_array<std::uint8_t>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
            const auto map = result_view(out);
            nb::gil_scoped_release release;
            aig::classify(f, left, top, map);
            return out;
        },
        "left"_a, "top"_a, "height"_a, "width"_a, "foci"_a.noconvert());
    m.def(
        "assign",
        [](int height, int width, const Array<const std::int64_t>& rows) {
            require_size(height, width);
            const auto f = foci(rows);
            auto owner = make_array<std::uint8_t>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
            auto distance =
                make_array<std::uint32_t>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
            {
                nb::gil_scoped_release release;
                aig::assign(f, result_view(owner), result_view(distance));
            }
            return nb::make_tuple(owner, distance);
        },
        "height"_a, "width"_a, "foci"_a.noconvert());

    bind_entropy(m);

    bind_lossless(m);
    bind_mapping(m);
    bind_lossy(m);
    bind_maps(m);
    bind_mixed(m);

    m.def(
        "paste",
        [](const U8In& source, const U8In& map, int first, int last, int left, int top, const U8Out& target) {
            const auto s = view(source);
            const auto t = view(target);
            const auto r = region(view(map), first, last);
            require_same_size(s, r.map);
            require(s.channels == t.channels && left >= 0 && top >= 0 && left + s.width <= t.width &&
                        top + s.height <= t.height,
                    "source does not fit into the target");
            nb::gil_scoped_release release;
            aig::paste(s, r, left, top, t);
        },
        "source"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "left"_a, "top"_a, "target"_a.noconvert());

    m.def(
        "gather",
        [](const U8In& source, const U8In& map, int first, int last) {
            const auto s = view(source);
            const auto r = region(view(map), first, last);
            require_same_size(s, r.map);
            std::vector<std::int64_t> found;
            Bytes pixels;
            {
                nb::gil_scoped_release release;
                const auto n = static_cast<std::ptrdiff_t>(s.channels);
                aig::for_runs(r, [&](int x, int y, int length) {
                    found.insert(found.end(), {y, x, length, static_cast<std::int64_t>(pixels.size()) / n});
                    pixels.insert(pixels.end(), s.row(y) + x * n, s.row(y) + (x + length) * n);
                });
            }
            auto runs = make_array<std::int64_t>({found.size() / 4, 4});
            std::copy(found.begin(), found.end(), runs.data());
            return nb::make_tuple(runs, bytes_array(pixels));
        },
        "source"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a,
        "Runs of pixels of some classes: int64 (n, 4), of each row, column, length and which one of these pixels is "
        "its first; and their samples, one behind the other.");

    // Smaller scales
    m.def(
        "shrink", [](const U8In& pixels, int scale) { return shrunk(pixels, scale); }, "pixels"_a.noconvert(),
        "scale"_a);
    m.def(
        "shrink", [](const Array<const std::uint16_t>& pixels, int scale) { return shrunk(pixels, scale); },
        "pixels"_a.noconvert(), "scale"_a);
    m.def(
        "add_to_boxes",
        [](const U8In& pixels, const U8In& map, int first, int last, int left, int top, int scale, int box_left,
           int box_top, const Array<std::uint32_t>& sums, const Array<std::uint32_t>& counts) {
            const auto p = view(pixels), c = view(map);
            const auto s = view(sums), n = view(counts);
            require_same_size(p, c);
            require_same_size(s, n);
            require(c.channels == 1 && n.channels == 1 && s.channels == p.channels && p.channels <= 4,
                    "channels do not fit");
            require(scale >= 1 && scale <= 8 && left >= 0 && top >= 0 && left < 1 << 17 && top < 1 << 17 &&
                        box_left >= 0 && box_top >= 0,
                    "scale or place outside its range");
            require(left / scale >= box_left && top / scale >= box_top &&
                        aig::scaled(left + p.width, scale) <= box_left + n.width &&
                        aig::scaled(top + p.height, scale) <= box_top + n.height,
                    "boxes do not hold the pixels");
            nb::gil_scoped_release release;
            aig::add_to_boxes(p, c, first, last, left, top, scale, box_left, box_top, s, n);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "left"_a, "top"_a, "scale"_a, "box_left"_a,
        "box_top"_a, "sums"_a.noconvert(), "counts"_a.noconvert());
    m.def(
        "blend_boxes",
        [](const Array<const std::uint32_t>& sums, const Array<const std::uint32_t>& counts, int scale, int box_left,
           int box_top, int width, int height, const U8Out& target) {
            const auto s = view(sums), n = view(counts);
            const auto t = view(target);
            require_same_size(s, n);
            require(n.channels == 1 && s.channels == t.channels && t.channels <= 4, "channels do not fit");
            require(scale >= 1 && scale <= 8 && width >= 1 && height >= 1 && t.width == aig::scaled(width, scale) &&
                        t.height == aig::scaled(height, scale),
                    "target is not the picture at its scale");
            require(box_left >= 0 && box_top >= 0 && box_left + n.width <= t.width && box_top + n.height <= t.height,
                    "boxes do not fit into the target");
            for (std::size_t i = 0; i < counts.size(); ++i)
                require(counts.data()[i] <= 64u, "more pixels than a box has");
            nb::gil_scoped_release release;
            aig::blend_boxes(s, n, scale, box_left, box_top, width, height, t);
        },
        "sums"_a.noconvert(), "counts"_a.noconvert(), "scale"_a, "box_left"_a, "box_top"_a, "width"_a, "height"_a,
        "target"_a.noconvert());

    // Palette
    m.def(
        "palette_fit",
        [](const U8In& pixels, std::size_t limit, int rounds, bool oklab) {
            const auto p = colours(pixels);
            require(limit >= 1 && limit <= 256, "1 to 256 colours");
            std::vector<aig::Colour> palette;
            {
                nb::gil_scoped_release release;
                palette = aig::palette_fit(p, limit, rounds, oklab ? aig::ColourSpace::oklab : aig::ColourSpace::hsv);
            }
            auto out = make_array<std::uint8_t>({palette.size(), 3});
            std::copy(palette.begin(), palette.end(), reinterpret_cast<aig::Colour*>(out.data()));
            return out;
        },
        "pixels"_a.noconvert(), "limit"_a, "rounds"_a, "oklab"_a = true);
    m.def(
        "palette_assign",
        [](const U8In& pixels, const U8In& palette) {
            const auto p = colours(pixels), q = colours(palette);
            require(!q.empty() && q.size() <= 256, "1 to 256 colours");
            auto out = make_array<std::uint8_t>({p.size()});
            {
                nb::gil_scoped_release release;
                aig::palette_assign(p, q, out.data());
            }
            return out;
        },
        "pixels"_a.noconvert(), "palette"_a.noconvert());
    m.def(
        "palette_encode",
        [](const U8In& indices, const U8In& map, int first, int last, int coder) {
            require_coder(coder);
            const auto i = view(indices);
            const auto r = region(view(map), first, last);
            require_same_size(i, r.map);
            require(i.channels == 1, "indices must have 2 axes");
            nb::gil_scoped_release release;
            return aig::palette_encode(i, r, coder);
        },
        "indices"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "coder"_a);
    m.def(
        "palette_decode",
        [](int coder, const nb::bytes& coded, const nb::bytes& raw, const U8Out& indices, const U8In& map, int first,
           int last, int size) {
            const auto i = view(indices);
            const auto r = region(view(map), first, last);
            require_same_size(i, r.map);
            require(i.channels == 1, "indices must have 2 axes");
            const auto s = payload(coder, coded, raw);
            nb::gil_scoped_release release;
            aig::palette_decode(s, i, r, size);
        },
        "coder"_a, "coded"_a, "raw"_a, "indices"_a.noconvert(), "map"_a.noconvert(), "first"_a, "last"_a, "size"_a);

    // Planes and blocks
    m.def(
        "classify_blocks",
        [](const U8In& map, int footprint, bool mid_is_hole, bool mid_is_finer) {
            const auto p = view(map);
            require(p.channels == 1 && footprint >= 8 && footprint <= 16,
                    "class map must have 2 axes, footprint 8..16");
            const auto count = [&](int n) { return static_cast<std::size_t>((n + footprint - 1) / footprint); };
            auto out = make_array<std::uint8_t>({count(p.height), count(p.width)});
            const auto blocks = result_view(out);
            nb::gil_scoped_release release;
            aig::classify_blocks(p, footprint, mid_is_hole, mid_is_finer, blocks);
            return out;
        },
        "map"_a.noconvert(), "footprint"_a, "mid_is_hole"_a, "mid_is_finer"_a);
    m.def(
        "fill_hidden",
        [](const U8Out& pixels, const U8In& map, int footprint, bool mid_is_hole) {
            const auto p = view(pixels);
            const auto c = view(map);
            require_same_size(p, c);
            require(c.channels == 1 && footprint >= 8 && footprint <= 64 && (footprint & (footprint - 1)) == 0,
                    "class map must have 2 axes, footprint be 8, 16, 32 or 64");
            nb::gil_scoped_release release;
            aig::fill_hidden(p, c, footprint, mid_is_hole);
        },
        "pixels"_a.noconvert(), "map"_a.noconvert(), "footprint"_a, "mid_is_hole"_a);
    m.def(
        "block_costs",
        [](const U8In& pixels, const Array<const std::int32_t>& background, const Array<const std::int32_t>& mid) {
            const auto p = view(pixels);
            require(p.width >= 1 && p.height >= 1 && p.channels <= 4, "empty image");
            const auto q = steps(background), r = steps(mid);
            static_assert(sizeof(aig::BlockCost) == 5 * sizeof(float));
            auto out = make_array<float>(
                {static_cast<std::size_t>((p.height + 7) / 8), static_cast<std::size_t>((p.width + 7) / 8), 5});
            nb::gil_scoped_release release;
            aig::block_costs(p, q, r, reinterpret_cast<aig::BlockCost*>(out.data()));
            return out;
        },
        "pixels"_a.noconvert(), "background"_a.noconvert(), "mid"_a.noconvert());

    // Boundary
    m.def(
        "boundary_band",
        [](const U8In& map, int radius) {
            const auto p = view(map);
            require(p.channels == 1 && radius >= 0 && radius <= 64, "class map must have 2 axes, radius 0..64");
            auto out = make_array<std::uint8_t>({map.shape(0), map.shape(1)});
            const auto band = result_view(out);
            nb::gil_scoped_release release;
            aig::boundary_band(p, radius, band);
            return out;
        },
        "map"_a.noconvert(), "radius"_a);
    m.def(
        "boundary_encode",
        [](const U8In& original, const U8In& decoded, const U8In& band, int tau, int coder) {
            require_coder(coder);
            const auto o = view(original), d = view(decoded), b = view(band);
            require_same_size(o, d);
            require_same_size(o, b);
            require(b.channels == 1 && d.channels <= o.channels, "decoded has more channels than the original");
            nb::gil_scoped_release release;
            return aig::boundary_encode(o, d, b, tau, coder);
        },
        "original"_a.noconvert(), "decoded"_a.noconvert(), "band"_a.noconvert(), "tau"_a, "coder"_a);
    m.def(
        "boundary_decode",
        [](int coder, const nb::bytes& coded, const nb::bytes& raw, const U8Out& pixels, int colours,
           const U8In& band) {
            const auto p = view(pixels);
            const auto b = view(band);
            require_same_size(p, b);
            require(b.channels == 1 && colours >= 1 && colours <= p.channels, "more colours than channels");
            const auto s = payload(coder, coded, raw);
            nb::gil_scoped_release release;
            aig::boundary_decode(s, p, colours, b);
        },
        "coder"_a, "coded"_a, "raw"_a, "pixels"_a.noconvert(), "colours"_a, "band"_a.noconvert());
    m.def(
        "boundary_correct",
        [](int coder, const nb::bytes& coded, const nb::bytes& raw, const U8Out& pixels, int colours, const U8In& map,
           int radius) {
            const auto p = view(pixels);
            const auto c = view(map);
            require_same_size(p, c);
            require(c.channels == 1 && colours >= 1 && colours <= p.channels && radius >= 0 && radius <= 64,
                    "more colours than channels, or radius outside 0..64");
            const auto s = payload(coder, coded, raw);
            nb::gil_scoped_release release;
            aig::boundary_decode(s, p, colours, c, radius);
        },
        "coder"_a, "coded"_a, "raw"_a, "pixels"_a.noconvert(), "colours"_a, "map"_a.noconvert(), "radius"_a,
        "boundary_decode in the band of a class map, without a map of the band.");
}

namespace {

int (*execute_kernels)(PyObject*) = nullptr;

// Types and errors belong to one interpreter: a second one would use the first one's, or deadlock.
int execute_native(PyObject* module) {
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError, "aig_codec._native works in the main interpreter alone, not in a "
                                           "subinterpreter: use threads or processes there");
        return -1;
    }
    return execute_kernels(module);
}

}  // namespace

// Called for every interpreter, or for the main one in place of others: only when the module is executed is the
// interpreter certain.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name is fixed by Python.
extern "C" NB_EXPORT PyObject* PyInit__native(void) {
    PyObject* const definition = PyInit__kernels();
    if (!definition) return nullptr;
    for (PyModuleDef_Slot* slot = reinterpret_cast<PyModuleDef*>(definition)->m_slots; slot && slot->slot; ++slot) {
        if (slot->slot != Py_mod_exec || execute_kernels) continue;
        execute_kernels = reinterpret_cast<int (*)(PyObject*)>(slot->value);
        slot->value = reinterpret_cast<void*>(execute_native);
    }
    if (!execute_kernels) PyErr_SetString(PyExc_ImportError, "aig_codec._native has nothing to execute");
    return execute_kernels ? definition : nullptr;
}
