// Vector extensions at the compiler's baseline: SSE2 on x86-64, NEON on arm64.
#define AIG_KERNELS vector_kernels
#define AIG_VECTOR_EXTENSIONS
#include "simd/kernels.inl"
