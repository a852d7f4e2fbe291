// Plain C++: the reference that tests compare with, and what compilers make vectors of.
#include "dct/filters.inl"

namespace aig {
const SampleKernels& plain_samples() { return kSamples; }
}  // namespace aig
