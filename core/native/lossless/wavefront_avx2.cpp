#include "lossless/wavefront.inl"

namespace aig {
const WavefrontKernels& avx2_wavefront() { return kWavefront; }
}  // namespace aig
