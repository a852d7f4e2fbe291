// Operations on rows and cells of samples in 1/16 of a grey level, centred at 0: once in plain C++ and once per
// instruction set, all with the same results. Samples lie in -2048..2047; outside of it sets may differ.
// Includes nothing but integer types: the units for newer processors must not instantiate code that others share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aig {

// An edge is smoothed where its step and the slopes beside it are less than these; `change` >= 0 bounds the correction.
struct EdgeLimits {
    std::int16_t step, slope, change;
};

inline constexpr int kRestorationTaps = 6, kRestorationSums = 27;

struct SampleKernels {
    // A row of n interleaved pixels to planes; nothing outside of the n pixels is read or written.
    void (*rgb_to_planes)(const std::uint8_t* rgb, int n, std::int16_t* y, std::int16_t* cb, std::int16_t* cr);
    // Two rows, with chroma of half width and height: (n + 1) / 2 samples, an odd last column counting twice. For an
    // odd last row both rows are the same.
    void (*rgb_rows_to_planes)(const std::uint8_t* rgb0, const std::uint8_t* rgb1, int n, std::int16_t* y0,
                               std::int16_t* y1, std::int16_t* cb, std::int16_t* cr);
    void (*grey_to_plane)(const std::uint8_t* grey, int n, std::int16_t* y);

    // One chroma row of n samples to 2n, from the nearer and the farther chroma row.
    void (*upsample)(const std::int16_t* nearer, const std::int16_t* farther, int n, std::int16_t* out);
    // A row of planes to pixels of 3 or 4 bytes. The fourth keeps its value but may be written anew, so no other thread
    // may set it meanwhile.
    void (*planes_to_rgb)(const std::int16_t* y, const std::int16_t* cb, const std::int16_t* cr, int n, int channels,
                          std::uint8_t* out);
    void (*plane_to_grey)(const std::int16_t* y, int n, int channels, std::uint8_t* out);

    // Eight lines across an edge; `samples` is the first sample right of it or below it.
    void (*smooth_vertical_edge)(std::int16_t* samples, std::ptrdiff_t stride, EdgeLimits limits);
    void (*smooth_horizontal_edge)(std::int16_t* samples, std::ptrdiff_t stride, EdgeLimits limits);

    // A symmetric filter of 6 taps in -64..63 over 8x8 samples, and over `cells` such cells side by side, each with its
    // own taps. Reads 2 samples around them; `out` is another plane.
    void (*restore_cell)(const std::int16_t* in, std::ptrdiff_t stride, const std::int16_t* taps, std::int16_t* out,
                         std::ptrdiff_t out_stride);
    void (*restore_cells)(const std::int16_t* in, std::ptrdiff_t stride, const std::int16_t* const* taps, int cells,
                          std::int16_t* out, std::ptrdiff_t out_stride);
    // Adds to `sums` the statistics for fitting those taps, from three rows of a cell: the products of any two of the
    // filter's inputs, 21 of the upper triangle row by row, then of each with the target, original minus input.
    void (*restoration_statistics)(const std::int16_t* in, std::ptrdiff_t stride, const std::int16_t* original,
                                   std::ptrdiff_t original_stride, std::int64_t* sums);
};

// Those of the instruction set in use (simd/dispatch.hpp).
const SampleKernels& sample_kernels();
const SampleKernels& plain_samples();
#ifdef AIG_HAVE_AVX2_BUILD
const SampleKernels& avx2_samples();
const SampleKernels& avx512_samples();
#endif

}  // namespace aig
