// The vector kernels compiled for AVX2; called only where the processor has it.
#define AIG_KERNELS avx2_kernels
#define AIG_VECTOR_EXTENSIONS
#include "simd/kernels.inl"
