// Plain C++, for compilers without vector extensions and as the reference that tests compare with.
#define AIG_KERNELS plain_kernels
#define AIG_KERNELS_NAME "plain"
#include "simd/kernels.inl"
