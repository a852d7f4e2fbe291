// The mixed coder's loop for each instruction set.
#pragma once
#include "entropy/binary_coder.hpp"
#include "mixed/mixed.hpp"

#include <vector>

namespace aig::mixed {

// Code the planes of the region's pixels within the box, `count` of them. start: what is above the first row.
template <class P, class Coder>
using Run = void(Coder&, View<P>, const MixedPlanes&, const Region&, const Box&, std::int64_t count, int shift,
                 const int* start);

struct Kernels {
    Run<const std::uint8_t, BinaryWriter>* encode8;
    Run<const std::uint16_t, BinaryWriter>* encode16;
    Run<std::uint8_t, BinaryReader>* decode8;
    Run<std::uint16_t, BinaryReader>* decode16;
};

const Kernels& plain_kernels();
#ifdef AIG_HAVE_AVX2_BUILD
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
#endif

}  // namespace aig::mixed
