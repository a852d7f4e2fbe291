#include "lossless/wavefront.inl"

namespace aig {
const WavefrontKernels& avx512_wavefront() { return kWavefront; }
}  // namespace aig
