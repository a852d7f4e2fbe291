#include "mixed/mixed.inl"

namespace aig::mixed {
const Kernels& avx512_kernels() { return kKernels; }
}  // namespace aig::mixed
