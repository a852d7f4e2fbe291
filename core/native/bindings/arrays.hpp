// Arrays of Python as views, and back. Shapes are checked here, so that no kernel can be led outside them.
#pragma once
#include "base/memory.hpp"
#include "base/region.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <span>

namespace nb = nanobind;
using namespace nb::literals;

// Internal to every unit that includes this.
namespace {

using aig::Bytes;
using aig::View;

// Arguments of these types are bound with noconvert(): nanobind would else copy an array of another type or layout, and
// what is written to the copy is lost.
template <class T> using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
template <class T> using Result = nb::ndarray<nb::numpy, T, nb::c_contig>;
using U8In = Array<const std::uint8_t>;
using U8Out = Array<std::uint8_t>;

inline void require(bool condition, const char* message) {
    if (!condition) throw nb::value_error(message);
}

// (H, W) or (H, W, C) array as a view.
template <class T> View<T> view(const Array<T>& a) {
    require(a.ndim() == 2 || a.ndim() == 3, "array must have 2 or 3 axes");
    constexpr std::size_t limit = 1 << 17;
    const std::size_t channels = a.ndim() == 3 ? a.shape(2) : 1;
    require(a.shape(0) <= limit && a.shape(1) <= limit && channels >= 1 && channels <= 64, "array is too large");
    return {a.data(), static_cast<std::ptrdiff_t>(a.shape(1) * channels), static_cast<int>(a.shape(1)),
            static_cast<int>(a.shape(0)), static_cast<int>(channels)};
}

using aig::constant;

template <class A, class B> void require_same_size(const View<A>& a, const View<B>& b) {
    require(a.width == b.width && a.height == b.height, "arrays differ in height or width");
}

// An array whose every element the caller is going to set.
template <class T> Result<T> make_array(std::initializer_list<std::size_t> shape) {
    static_assert(std::is_trivial_v<T>);
    std::size_t size = 1;
    for (auto n : shape) size *= n;
    void* data = aig::allocate(size * sizeof(T));
    nb::capsule owner(data, [](void* p) noexcept { std::free(p); });
    return Result<T>(data, shape, owner);
}

template <class T> View<T> result_view(const Result<T>& a) {
    const auto channels = static_cast<int>(a.ndim() == 3 ? a.shape(2) : 1);
    return {a.data(), static_cast<std::ptrdiff_t>(a.shape(1)) * channels, static_cast<int>(a.shape(1)),
            static_cast<int>(a.shape(0)), channels};
}

inline nb::bytes to_bytes(const Bytes& b) { return nb::bytes(reinterpret_cast<const char*>(b.data()), b.size()); }

inline std::span<const std::uint8_t> as_span(const nb::bytes& b) {
    return {reinterpret_cast<const std::uint8_t*>(b.c_str()), b.size()};
}

inline Result<std::uint8_t> bytes_array(const Bytes& b) {
    auto out = make_array<std::uint8_t>({b.size()});
    std::copy(b.begin(), b.end(), out.data());
    return out;
}

inline aig::Region region(const View<const std::uint8_t>& map, int first, int last) {
    require(map.channels == 1, "class map must have 2 axes");
    require(0 <= first && first <= last && last <= 255, "classes outside 0..255");
    return {map, first, last};
}

}  // namespace
