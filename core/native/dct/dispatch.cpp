// The kernels of the lossy tiers for the instruction set in use.
#include "simd/dispatch.hpp"

#include "dct/filters.hpp"
#include "dct/transforms.hpp"

namespace aig {

const SampleKernels& sample_kernels() {
    switch (instruction_set()) {
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2: return avx2_samples();
    case InstructionSet::avx512: return avx512_samples();
#endif
    default: return plain_samples();
    }
}

const TransformKernels& transform_kernels() {
    switch (instruction_set()) {
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2: return avx2_transforms();
    case InstructionSet::avx512: return avx512_transforms();
#endif
    default: return plain_transforms();
    }
}

}  // namespace aig
