// The inner loops of the lossless coder for the instruction set in use.
#include "simd/dispatch.hpp"

#include "lossless/wavefront.hpp"

namespace aig {

const WavefrontKernels& wavefront_kernels() {
    switch (instruction_set()) {
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2: return avx2_wavefront();
    case InstructionSet::avx512: return avx512_wavefront();
#endif
    default: return plain_wavefront();
    }
}

}  // namespace aig
