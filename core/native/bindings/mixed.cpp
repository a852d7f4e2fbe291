// Python bindings of the mixed coder.
#include "mixed/mixed.hpp"

#include "bindings/bands.hpp"
#include "mixed/training.hpp"

namespace {

// channels: in the order of the planes, each at most once.
aig::MixedPlanes planes(const std::vector<int>& channels, bool alpha, int count) {
    require(!channels.empty() && channels.size() <= 4, "1 to 4 planes");
    aig::MixedPlanes out{0, {}, alpha};
    for (const int c : channels) {
        require(c >= 0 && c < count, "no such channel");
        for (int k = 0; k < out.count; ++k) require(out.channel[k] != c, "a channel twice");
        out.channel[out.count++] = c;
    }
    require(out.count - alpha == 1 || out.count - alpha == 3, "1 or 3 colours");
    return out;
}

template <class Pixel> void bind_for(nb::module_& m) {
    m.def(
        "mixed_encode",
        [](const Array<const Pixel>& pixels, const std::vector<int>& channels, bool alpha, const U8In& map, int first,
           int last, int top, int bottom, int shift) {
            const Task<const Pixel> task(view(pixels), map, first, last, top, bottom);
            const auto part = planes(channels, alpha, task.pixels.channels);
            require(shift >= 0 && shift <= aig::kMostMixedShift, "shift outside its range");
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::mixed_encode(task.pixels, part, task.region, top, bottom, shift);
            }
            return to_bytes(out);
        },
        "pixels"_a.noconvert(), "channels"_a, "alpha"_a, "map"_a.noconvert(), "first"_a, "last"_a, "top"_a, "bottom"_a,
        "shift"_a = 0);
    m.def(
        "mixed_decode",
        [](const nb::bytes& coded, const Array<Pixel>& pixels, const std::vector<int>& channels, bool alpha,
           const U8In& map, int first, int last, int top, int bottom) {
            const Task<Pixel> task(view(pixels), map, first, last, top, bottom);
            const auto part = planes(channels, alpha, task.pixels.channels);
            const auto bytes = as_span(coded);
            nb::gil_scoped_release release;
            aig::mixed_decode(bytes, task.pixels, part, task.region, top, bottom);
        },
        "coded"_a, "pixels"_a.noconvert(), "channels"_a, "alpha"_a, "map"_a.noconvert(), "first"_a, "last"_a, "top"_a,
        "bottom"_a);
}

}  // namespace

void bind_mixed(nb::module_& m) {
    bind_for<std::uint8_t>(m);
    bind_for<std::uint16_t>(m);
    m.def(
        "mixed_costs",
        [](const U8In& pixels, const std::vector<int>& channels, bool alpha, const U8In& map, int first, int last) {
            const auto p = view(pixels);
            const auto r = region(view(map), first, last);
            require_same_size(p, r.map);
            const auto part = planes(channels, alpha, p.channels);
            auto bits = make_array<float>({static_cast<std::size_t>(p.height), static_cast<std::size_t>(p.width)});
            std::fill_n(bits.data(), bits.size(), 0.0f);
            {
                nb::gil_scoped_release release;
                aig::mixed_costs(p, part, r, {bits.data(), p.width, p.width, p.height, 1});
            }
            return bits;
        },
        "pixels"_a.noconvert(), "channels"_a, "alpha"_a, "map"_a.noconvert(), "first"_a, "last"_a,
        "The bits that every pixel takes: float32 (H, W), 0 outside the region.");
    m.def(
        "mixed_training",
        [](const U8In& pixels) {
            const auto p = view(pixels);
            require(p.channels == 3 && p.width >= 1 && p.height >= 1, "pixels must be (H, W, 3)");
            std::vector<double> sums;
            {
                nb::gil_scoped_release release;
                sums = aig::mixed_training(p);
            }
            auto out =
                make_array<double>({aig::kMixedPlanes, aig::kMixedSets, aig::kMixedNodes, 1 + aig::kMixedInputs});
            std::copy(sums.begin(), sums.end(), out.data());
            return out;
        },
        "pixels"_a.noconvert(),
        "For every plane, set and node: how many decisions there were, and the sums of the weights after them.");
}
