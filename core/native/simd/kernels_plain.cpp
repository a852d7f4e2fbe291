// Plain C++, for compilers without vector extensions and as the reference that tests compare with.
#define AIG_KERNELS plain_kernels
#include "simd/kernels.inl"
