#include "dct/transforms.inl"

namespace aig {
const TransformKernels& plain_transforms() { return kTransforms; }
}  // namespace aig
