// The vector kernels compiled for AVX2; called only where the processor has it.
#define AIG_KERNELS avx2_kernels
#define AIG_KERNELS_NAME "avx2"
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define AIG_VECTOR_EXTENSIONS
#endif
#include "simd_kernels.inl"
