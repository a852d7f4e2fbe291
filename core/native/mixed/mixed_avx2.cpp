#include "mixed/mixed.inl"

namespace aig::mixed {
const Kernels& avx2_kernels() { return kKernels; }
}  // namespace aig::mixed
