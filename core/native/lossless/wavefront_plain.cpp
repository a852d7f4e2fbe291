#include "lossless/wavefront.inl"

namespace aig {
const WavefrontKernels& plain_wavefront() { return kWavefront; }
}  // namespace aig
