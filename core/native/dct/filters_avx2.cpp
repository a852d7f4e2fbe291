// The kernels compiled for AVX2; called only where the processor has it.
#include "dct/filters.inl"

namespace aig {
const SampleKernels& avx2_samples() { return kSamples; }
}  // namespace aig
