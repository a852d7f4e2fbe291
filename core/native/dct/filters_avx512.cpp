// The kernels compiled for AVX-512 (F, BW, VL, DQ); called only where the processor has it.
#include "dct/filters.inl"

namespace aig {
const SampleKernels& avx512_samples() { return kSamples; }
}  // namespace aig
