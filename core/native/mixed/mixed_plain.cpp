#include "mixed/mixed.inl"

namespace aig::mixed {
const Kernels& plain_kernels() { return kKernels; }
}  // namespace aig::mixed
