#include "dct/transforms.inl"

namespace aig {
const TransformKernels& avx512_transforms() { return kTransforms; }
}  // namespace aig
