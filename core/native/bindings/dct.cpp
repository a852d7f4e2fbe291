// The Python face of the lossy tiers: an encoder and a decoder that hold their planes.
#include "base/matrix.hpp"
#include "bindings/entropy.hpp"
#include "dct/encoder.hpp"
#include "dct/lf_image.hpp"
#include "simd/dispatch.hpp"

#include <nanobind/stl/optional.h>

#include <algorithm>
#include <optional>

namespace {

using aig::CodedStream;
using aig::LossyDecoder;
using aig::LossyEncoder;
using aig::SharedTables;

// Cell classes that live as long as the frame that looks at them.
struct Classes {
    std::vector<std::uint8_t> luma, chroma;
    int luma_width, chroma_width;

    Classes(const U8In& l, const U8In& c)
        : luma(l.data(), l.data() + l.size()), chroma(c.data(), c.data() + c.size()),
          luma_width(static_cast<int>(l.shape(1))), chroma_width(static_cast<int>(c.shape(1))) {}
    static View<const std::uint8_t> view_of(const std::vector<std::uint8_t>& v, int width) {
        return {v.data(), width, width, static_cast<int>(v.size()) / width, 1};
    }
    View<const std::uint8_t> luma_view() const { return view_of(luma, luma_width); }
    View<const std::uint8_t> chroma_view() const { return view_of(chroma, chroma_width); }
};

// `steps`: of every plane the base steps of background, mid tier and LF image, in 1/16.
aig::FrameSettings frame_settings(int width, int height, bool colour, bool subsampled, const U8In& luma,
                                  const U8In& chroma, const std::vector<int>& steps, int matrix) {
    require(width >= 1 && height >= 1 && width < 32768 && height < 32768, "width and height must be 1..32767");
    require(colour || !subsampled, "grey images have no chroma to subsample");
    const auto check = [&](const U8In& classes, int footprint) {
        require(classes.ndim() == 2 && static_cast<int>(classes.shape(0)) == (height + footprint - 1) / footprint &&
                    static_cast<int>(classes.shape(1)) == (width + footprint - 1) / footprint,
                "cell classes do not fit the image");
        for (std::size_t i = 0; i < classes.size(); ++i)
            require(classes.data()[i] <= aig::kCellDrawn, "cell class above 3");
    };
    check(luma, aig::kCell);
    check(chroma, subsampled ? 2 * aig::kCell : aig::kCell);
    require(steps.size() == (colour ? 9u : 3u), "three steps per plane");
    for (int s : steps) require(s >= 1 && s <= 32767, "step outside 1..32767");
    require(matrix >= 0 && matrix < aig::kMatrices, "no such matrix");
    aig::FrameSettings out;
    out.width = width, out.height = height, out.colour = colour, out.subsampled = subsampled;
    for (std::size_t p = 0; 3 * p < steps.size(); ++p) {
        out.steps[p].high = {aig::Quantiser{steps[3 * p], matrix}, aig::Quantiser{steps[3 * p + 1], matrix}};
        out.steps[p].low = steps[3 * p + 2];
    }
    return out;
}

template <class Codec> struct Held {
    Classes classes;
    Codec codec;
    std::array<aig::TierFilters, aig::kTiers> filters{};

    // `settings` were checked together with the classes.
    template <class... More>
    Held(const aig::FrameSettings& settings, const U8In& luma, const U8In& chroma, More... more)
        : classes(luma, chroma), codec(settings, classes.luma_view(), classes.chroma_view(), more...) {}
    aig::Frame& frame() { return codec.frame(); }
    void require_group(int group) { require(group >= 0 && group < frame().groups(), "no such group"); }
    void require_region(int region) { require(region >= 0 && region < frame().regions(), "no such region"); }
    // All of them without a right end.
    aig::Columns columns(int left, int right) {
        const int width = frame().settings().width;
        if (right < 0) right = width;
        require(0 <= left && left < right && right <= width && left % 16 == 0 && (right % 16 == 0 || right == width),
                "no such columns");
        return {left, right};
    }
    void require_rows(int first, int last) {
        require(0 <= first && first <= last && last <= frame().group_rows(), "no such rows of groups");
    }
};
using Encoder = Held<LossyEncoder>;
using Decoder = Held<LossyDecoder>;

void require_tier(int tier) { require(tier >= 0 && tier < aig::kTiers, "no such tier"); }

template <class T> Result<T> array_of(const std::vector<T>& v) {
    auto out = make_array<T>({v.size()});
    std::copy(v.begin(), v.end(), out.data());
    return out;
}

template <class Class> void bind_frame(nb::class_<Class>& c) {
    c.def_prop_ro("groups", [](Class& self) { return self.frame().groups(); });
    c.def_prop_ro("group_rows", [](Class& self) { return self.frame().group_rows(); });
    c.def_prop_ro("regions", [](Class& self) { return self.frame().regions(); });
    c.def_prop_ro(
        "adaptations", [](Class& self) { return array_of(self.frame().adaptations()); }, nb::rv_policy::move);
    c.def(
        "region_of",
        [](Class& self, int group) {
            self.require_group(group);
            return self.frame().region_of(group);
        },
        "group"_a);
}

void bind_encoder(nb::module_& m) {
    nb::class_<Encoder> c(m, "LossyEncoder",
                          "The encoder's side of the lossy tiers. Distinct rows, groups and regions may be worked on "
                          "by distinct threads.");
    c.def(
        "__init__",
        [](Encoder* self, int width, int height, bool colour, bool subsampled, const U8In& luma, const U8In& chroma,
           const std::vector<int>& steps, int matrix, int largest, bool chooses, bool halves, bool rebuild,
           float lambda, bool exact, bool alone) {
            require(largest >= 0 && largest <= 2, "largest must be 0..2");
            new (self)
                Encoder(frame_settings(width, height, colour, subsampled, luma, chroma, steps, matrix), luma, chroma,
                        aig::BlockEffort{largest, chooses, halves, rebuild}, aig::LevelEffort{lambda, exact, alone});
        },
        "width"_a, "height"_a, "colour"_a, "subsampled"_a, "luma"_a.noconvert(), "chroma"_a.noconvert(), "steps"_a,
        "matrix"_a, "largest"_a, "chooses"_a, "halves"_a, "rebuild"_a, "lambda_"_a, "exact"_a, "alone"_a);
    bind_frame(c);
    c.def(
        "sample",
        [](Encoder& self, int row, const U8In& pixels, bool again) {
            const auto p = view(pixels);
            const auto& s = self.frame().settings();
            self.require_rows(row, row + 1);
            require(p.width == s.width && p.height == std::min(aig::kGroup, s.height - row * aig::kGroup) &&
                        p.channels == self.frame().planes(),
                    "pixels must be those of one row of groups");
            nb::gil_scoped_release release;
            again ? self.codec.sample_again(row, p) : self.codec.sample(row, p);
        },
        "row"_a, "pixels"_a.noconvert(), "again"_a = false);
    c.def(
        "adapt",
        [](Encoder& self, float strength, const std::optional<Array<const std::int32_t>>& variances) {
            require(strength >= 0 && strength <= 16, "strength outside 0..16");
            const aig::Grid& grid = self.frame().grid(0);
            require(!variances || variances->size() ==
                                      static_cast<std::size_t>(grid.width()) * static_cast<std::size_t>(grid.height()),
                    "a variance for each cell");
            const std::int32_t* given = variances ? variances->data() : nullptr;
            for (std::size_t i = 0; variances && i < variances->size(); ++i)
                require(given[i] >= 0, "variances are not negative");
            nb::gil_scoped_release release;
            self.codec.adapt(strength, given);
        },
        "strength"_a, "variances"_a.noconvert() = nb::none());
    c.def(
        "accept",
        [](Encoder& self, int group, const U8In& shapes, const Array<const std::int16_t>& levels) {
            self.require_group(group);
            require(shapes.size() == self.codec.shapes_size() && levels.size() == self.codec.levels_size(),
                    "shapes and levels are not those of the frame");
            nb::gil_scoped_release release;
            self.codec.accept(group, shapes.data(), levels.data());
        },
        "group"_a, "shapes"_a.noconvert(), "levels"_a.noconvert(),
        "Instead of sample() and search(): what another device made of a group.");
    c.def_prop_ro(
        "thresholds",
        [](Encoder& self) {
            const aig::LevelSearch& search = self.codec.level_search();
            const auto alone = search.thresholds_alone();
            auto out = make_array<float>({2 * alone.size() + 1});
            for (std::size_t i = 0; i < alone.size(); ++i)
                out.data()[2 * i] = alone[i].one, out.data()[2 * i + 1] = alone[i].two;
            out.data()[2 * alone.size()] = search.last_one();
            return out;
        },
        nb::rv_policy::move,
        "Of blocks alone: by plane, size, band and magnitude from where on levels are 1 and 2, then the last level's.");
    c.def(
        "search",
        [](Encoder& self, int group) {
            self.require_group(group);
            nb::gil_scoped_release release;
            self.codec.search(group);
        },
        "group"_a);
    c.def(
        "encode_group",
        [](Encoder& self, int group, int tier, int coder) {
            self.require_group(group);
            require_tier(tier);
            require_coder(coder);
            nb::gil_scoped_release release;
            return self.codec.encode_group(group, tier, coder);
        },
        "group"_a, "tier"_a, "coder"_a);
    c.def(
        "encode_region",
        [](Encoder& self, int region, int coder) {
            self.require_region(region);
            require_coder(coder);
            nb::gil_scoped_release release;
            return self.codec.encode_region(region, coder);
        },
        "region"_a, "coder"_a);
    c.def(
        "rebuild",
        [](Encoder& self, int group) {
            self.require_group(group);
            nb::gil_scoped_release release;
            self.codec.rebuild(group);
        },
        "group"_a);
    c.def(
        "fit",
        [](Encoder& self, int tier, int deblocking) {
            require_tier(tier);
            require(deblocking >= 0 && deblocking <= 255, "deblocking outside 0..255");
            aig::TierFilters filters;
            filters.deblocking = deblocking;
            {
                nb::gil_scoped_release release;
                self.codec.fit(tier, filters);
            }
            auto out = make_array<std::int8_t>({2, aig::kRestorationClasses, aig::kRestorationTaps});
            std::copy_n(&filters.taps[0][0][0], out.size(), out.data());
            return out;
        },
        "tier"_a, "deblocking"_a);
    c.def(
        "counts",
        [](Encoder& self, int tier) {
            require_tier(tier);
            aig::DecisionCounter high, low;
            {
                nb::gil_scoped_release release;
                for (int g = 0; g < self.frame().groups(); ++g) self.codec.count_group(g, tier, high);
                for (int r = 0; r < self.frame().regions(); ++r) self.codec.count_region(r, low);
            }
            const auto array = [](const aig::DecisionCounter& counter) {
                auto out = make_array<std::uint32_t>({counter.counts.size(), 2});
                std::copy_n(counter.counts.data()->data(), out.size(), out.data());
                return out;
            };
            return nb::make_tuple(array(high), array(low));
        },
        "tier"_a);
}

void bind_decoder(nb::module_& m) {
    nb::class_<Decoder> c(m, "LossyDecoder",
                          "The decoder's side of the lossy tiers. Distinct regions, then groups, then rows may be "
                          "worked on by distinct threads.");
    c.def(
        "__init__",
        [](Decoder* self, int width, int height, bool colour, bool subsampled, const U8In& luma, const U8In& chroma,
           const std::vector<int>& steps, int matrix, bool adaptation) {
            new (self)
                Decoder(frame_settings(width, height, colour, subsampled, luma, chroma, steps, matrix), luma, chroma);
            if (adaptation) self->frame().let_adaptation_vary();
        },
        "width"_a, "height"_a, "colour"_a, "subsampled"_a, "luma"_a.noconvert(), "chroma"_a.noconvert(), "steps"_a,
        "matrix"_a, "adaptation"_a);
    bind_frame(c);
    c.def(
        "has_tier",
        [](Decoder& self, int group, int tier) {
            self.require_group(group);
            require_tier(tier);
            return self.frame().has_tier(group, tier);
        },
        "group"_a, "tier"_a);
    c.def(
        "read_region",
        [](Decoder& self, int region, const SharedTables& tables, const nb::bytes& raw, const nb::bytes& coded) {
            self.require_region(region);
            require(tables.contexts() == aig::SymbolContexts::kLow, "tables have other contexts");
            const CodedStream s{as_span(raw), as_span(coded)};
            nb::gil_scoped_release release;
            self.codec.read_region(region, tables, s);
        },
        "region"_a, "tables"_a, "raw"_a, "coded"_a);
    c.def(
        "start",
        [](Decoder& self, int log) {
            require(log >= 0 && log <= 2, "scale outside 1..4");
            require(!self.codec.started() || self.codec.log() == log, "started at another scale");
            self.codec.start(log);
        },
        "log"_a = 0, "Have planes of 1/2^log of the picture's size.");
    c.def(
        "hold",
        [](Decoder& self, int first_row, int last_row, int log) {
            require(log >= 0 && log <= 2, "scale outside 1..4");
            require(!self.codec.started() || self.codec.log() == log, "started at another scale");
            self.require_rows(first_row, last_row);
            nb::gil_scoped_release release;
            self.codec.hold(log, first_row, last_row);
        },
        "first_row"_a, "last_row"_a, "log"_a = 0,
        "Have planes of some rows of groups, at 1/2^log of the picture's size: later rows take the place of earlier "
        "ones.");
    c.def(
        "read_group",
        [](Decoder& self, int group, int tier, const SharedTables& tables, const nb::bytes& raw,
           const nb::bytes& coded) {
            self.require_group(group);
            require_tier(tier);
            const int row = group / self.frame().group_columns();
            require(self.codec.holds(row, row + 1), "start() or hold() comes first");
            require(tables.contexts() == aig::SymbolContexts::kHigh, "tables have other contexts");
            const CodedStream s{as_span(raw), as_span(coded)};
            nb::gil_scoped_release release;
            self.codec.read_group(group, tier, tables, s);
        },
        "group"_a, "tier"_a, "tables"_a, "raw"_a, "coded"_a);
    c.def(
        "read_coefficients",
        [](Decoder& self, int group, int tier, const SharedTables& tables, const nb::bytes& raw,
           const nb::bytes& coded) {
            self.require_group(group);
            require_tier(tier);
            require(tables.contexts() == aig::SymbolContexts::kHigh, "tables have other contexts");
            const CodedStream s{as_span(raw), as_span(coded)};
            aig::PlacedCoefficients found;
            {
                nb::gil_scoped_release release;
                found = self.codec.read_coefficients(group, tier, tables, s);
            }
            return nb::make_tuple(array_of(found.positions), array_of(found.values),
                                  nb::make_tuple(found.ends[0], found.ends[1], found.ends[2]));
        },
        "group"_a, "tier"_a, "tables"_a, "raw"_a, "coded"_a,
        "Instead of read_group: (positions uint16, values int16, where each plane's end) for another device.");
    c.def(
        "cells",
        [](Decoder& self, int plane) {
            require(plane >= 0 && plane < self.frame().planes(), "no such plane");
            aig::Frame& frame = self.frame();
            const auto rows = static_cast<std::size_t>(frame.grid(plane).height()),
                       columns = static_cast<std::size_t>(frame.grid(plane).width());
            auto shapes = make_array<std::uint8_t>({rows, columns});
            for (std::size_t i = 0; i < rows * columns; ++i) {
                const int x = static_cast<int>(i % columns), y = static_cast<int>(i / columns);
                shapes.data()[i] =
                    static_cast<std::uint8_t>(frame.begins(plane, x, y) | frame.grid(plane).class_of(x, y) << 6);
            }
            const auto& cells = frame.cells(plane);
            return nb::make_tuple(shapes, array_of(cells.low), array_of(cells.busy));
        },
        "plane"_a,
        "What regions left of a plane, for another device: of every cell size, edges and class (uint8), then of every "
        "pixel of the LF image "
        "lowest coefficients (int16), of every cell its activity (uint8).");
    c.def(
        "interpolate",
        [](Decoder& self, int first_row, int last_row, int left, int right) {
            self.require_rows(first_row, last_row);
            const auto columns = self.columns(left, right);
            require(self.codec.holds(first_row, last_row), "start() or hold() comes first");
            nb::gil_scoped_release release;
            self.codec.interpolate(first_row, last_row, columns);
        },
        "first_row"_a, "last_row"_a, "left"_a = 0, "right"_a = -1);
    c.def(
        "set_filters",
        [](Decoder& self, int tier, int deblocking, const std::optional<Array<const std::int8_t>>& taps) {
            require_tier(tier);
            require(deblocking >= 0 && deblocking <= 255, "deblocking outside 0..255");
            aig::TierFilters& f = self.filters[static_cast<std::size_t>(tier)];
            f = {};
            f.deblocking = deblocking;
            if (!taps) return;
            require(taps->ndim() == 3 && taps->shape(0) == 2 && taps->shape(1) == aig::kRestorationClasses &&
                        taps->shape(2) == aig::kRestorationTaps,
                    "taps must be (2, 7, 6)");
            for (std::size_t i = 0; i < taps->size(); ++i)
                require(taps->data()[i] >= -64 && taps->data()[i] <= 63, "tap outside -64..63");
            f.restores = true;
            std::copy_n(taps->data(), taps->size(), &f.taps[0][0][0]);
        },
        "tier"_a, "deblocking"_a, "taps"_a.noconvert().none());
    c.def(
        "rows",
        [](Decoder& self, int first_row, int last_row, const U8Out& pixels, int left, int right) {
            const auto p = view(pixels);
            self.require_rows(first_row, last_row);
            const auto columns = self.columns(left, right);
            const auto& s = self.frame().settings();
            require(p.width == s.width && p.height == s.height && p.channels <= 4 && (p.channels >= 3) == s.colour,
                    "pixels differ from the frame in size or channels");
            // Filters look at the rows beside.
            require(self.codec.holds(first_row - 1, last_row + 1) && self.codec.log() == 0,
                    "start() or hold() comes first");
            nb::gil_scoped_release release;
            constexpr int strips = aig::kGroup / 16;
            aig::Finisher(self.frame(), self.codec.planes(), self.filters)
                .rows(first_row * strips, std::min(last_row * strips, (p.height + 15) / 16), columns, p);
        },
        "first_row"_a, "last_row"_a, "pixels"_a.noconvert(), "left"_a = 0, "right"_a = -1);
    c.def_prop_ro(
        "filters",
        [](Decoder& self) {
            // By tier: strength of deblocking, whether there are taps, then these.
            constexpr std::size_t taps = 2 * aig::kRestorationClasses * aig::kRestorationTaps;
            auto out = make_array<std::int32_t>({aig::kTiers, 2 + taps});
            for (std::size_t t = 0; t < aig::kTiers; ++t) {
                std::int32_t* row = out.data() + t * (2 + taps);
                row[0] = self.filters[t].deblocking, row[1] = self.filters[t].restores;
                std::copy_n(&self.filters[t].taps[0][0][0], taps, row + 2);
            }
            return out;
        },
        nb::rv_policy::move);
    const auto require_scaled = [](Decoder& self, const View<std::uint8_t>& p, int log) {
        const auto& s = self.frame().settings();
        const auto scaled = [log](int n) { return (n + (1 << log) - 1) >> log; };
        require(p.width == scaled(s.width) && p.height == scaled(s.height) && p.channels <= 4 &&
                    (p.channels >= 3) == s.colour,
                "pixels are not the image at its scale");
    };
    c.def(
        "scaled_rows",
        [require_scaled](Decoder& self, int first_row, int last_row, const U8Out& pixels) {
            const auto p = view(pixels);
            self.require_rows(first_row, last_row);
            require(self.codec.holds(first_row, last_row) && self.codec.log() > 0, "start() or hold() comes first");
            require_scaled(self, p, self.codec.log());
            nb::gil_scoped_release release;
            const int rows = aig::kGroup >> self.codec.log();
            aig::show_planes(self.codec.planes(), self.frame().settings().colour, false, first_row * rows,
                             std::min(last_row * rows, p.height), p);
        },
        "first_row"_a, "last_row"_a, "pixels"_a.noconvert());
    c.def(
        "preview",
        [require_scaled](Decoder& self, const U8Out& pixels) {
            const auto p = view(pixels);
            require_scaled(self, p, 3);
            nb::gil_scoped_release release;
            const auto& s = self.frame().settings();
            aig::show_planes(aig::eighth_planes(self.frame()), s.colour, false, 0, p.height, p);
        },
        "pixels"_a.noconvert());
}

}  // namespace

void bind_lossy(nb::module_& m) {
    m.attr("HIGH_CONTEXTS") = aig::SymbolContexts::kHigh;
    m.attr("LOW_CONTEXTS") = aig::SymbolContexts::kLow;
    m.def(
        "scan",
        [](int shape) {
            require(shape >= 0 && shape < aig::kShapes, "no such shape");
            const auto scan = aig::scan_of(aig::Shape::of_index(shape));
            auto out = make_array<std::int16_t>({scan.size(), 5});
            for (std::size_t i = 0; i < scan.size(); ++i) {
                const aig::ScanEntry& e = scan[i];
                const int row[5] = {e.coefficient, e.place, e.band, e.alias, e.alias_weight};
                for (std::size_t k = 0; k < 5; ++k) out.data()[5 * i + k] = static_cast<std::int16_t>(row[k]);
            }
            return out;
        },
        "shape"_a, "Scan of a shape: int16 (n, 5), of every entry coefficient, place, band, alias and its weight.");
    m.def(
        "coefficient_weights",
        [](int matrix) {
            require(matrix >= 0 && matrix < aig::kMatrices, "no such matrix");
            auto out = make_array<std::uint8_t>({aig::kSizes, aig::kMaxBlockSamples});
            std::fill_n(out.data(), out.size(), std::uint8_t{0});
            for (int i = 0; i < aig::kSizes; ++i) {
                const auto weights = aig::weights_of(matrix, aig::Shape::of_index(i));
                std::copy(weights.begin(), weights.end(), out.data() + i * aig::kMaxBlockSamples);
            }
            return out;
        },
        "matrix"_a, "Weights in 1/16 of the coefficients of every size: uint8 (9, 1024).");
    m.def(
        "transform_basis",
        [] {
            auto out = make_array<std::int8_t>({32, 32});
            for (int k = 0; k < 32; ++k)
                for (int n = 0; n < 32; ++n) out.data()[32 * k + n] = static_cast<std::int8_t>(aig::dct_entry(5, k, n));
            return out;
        },
        "The matrix of the transforms: int8 (32, 32), a frequency per row.");
    bind_encoder(m);
    bind_decoder(m);
}
