#include "dct/transforms.inl"

namespace aig {
const TransformKernels& avx2_transforms() { return kTransforms; }
}  // namespace aig
