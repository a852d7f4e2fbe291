// Declarations for all kernels. These files are joined into one source, which is compiled at run time, and once more by a plain C++
// compiler for the tests: a kernel walks over its work in strides of the grid and of the block, so that one thread does as well
// as many.
typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

// Of n pieces of work one per block of threads, or one per thread; and a block's threads together over n.
#define EACH_BLOCK(i, n) for (i64 i = blockIdx.x; i < (n); i += gridDim.x)
#define EACH_THREAD(i, n) for (i64 i = blockIdx.x * (i64)blockDim.x + threadIdx.x; i < (n); i += gridDim.x * (i64)blockDim.x)
#define TOGETHER(i, n) for (i32 i = threadIdx.x; i < (n); i += blockDim.x)

#define CELL 8
#define GROUP 256
#define NOT_CODED 255

__device__ inline i32 clamp(i32 v, i32 low, i32 high) { return v < low ? low : v > high ? high : v; }
__device__ inline i32 magnitude(i32 v) { return v < 0 ? -v : v; }
__device__ inline i32 least(i32 a, i32 b) { return a < b ? a : b; }

// The parameters of a frame, packed by frame.py: all 32-bit integers, in this order. Arrays of three are by plane; cells, samples and
// pixels of the LF image of all planes lie behind each other in one array each, from these offsets. Chroma planes share shapes.
struct Frame {
    i32 width, height, planes, subsampled;
    i32 group_columns, adaptive, superblock_columns, matrix;
    i32 cells_w[3], cells_h[3];
    u32 shapes_at[3], cells_at[3], samples_at[3], lf_at[3];
    i32 log[3];         // samples are at 1/2^log of the plane's size
    i32 base[3][2];     // steps of background and mid tier
    i32 deblocking[2], restores[2];
    i32 taps[2][2][7][6];  // by tier, then luma and chroma
};

// A cell's shape: log2 of its block's sides in cells as 3 h + w, whether it is at the block's left and upper edge, its class.
#define SIZE(shape) ((shape) & 15)
#define LEFT_EDGE 16
#define UPPER_EDGE 32
#define CLASS(shape) ((shape) >> 6)

__device__ inline i32 chroma_halved(const Frame& f, i32 plane) { return plane && f.subsampled; }
__device__ inline i64 cells_of(const Frame& f, i32 plane) { return (i64)f.cells_w[plane] * f.cells_h[plane]; }
__device__ inline i32 sample_side(const Frame& f, i32 plane) { return CELL >> f.log[plane]; }
__device__ inline i64 stride_of(const Frame& f, i32 plane) { return (i64)f.cells_w[plane] * sample_side(f, plane); }

// The step ahead of a block's scale and a coefficient's weight (format.md, 7.3.3).
__device__ const i32 kAdaptation[17] = {64, 76, 91, 108, 128, 152, 181, 215, 256, 304, 362, 431, 512, 609, 724, 861, 1024};
__device__ inline i32 base_of(const Frame& f, i32 plane, i32 tier, i32 x, i32 y, const i8* aq_offsets) {
    const i32 base = f.base[plane][tier];
    if (!f.adaptive) return base;
    const i32 shift = chroma_halved(f, plane) ? 1 : 2;
    const i32 a = aq_offsets[(i64)(y >> shift) * f.superblock_columns + (x >> shift)];
    const i32 b = (base * kAdaptation[a + 8] + 128) >> 8;
    return b < 1 ? 1 : b;
}
__device__ const i32 kScale[5] = {256, 181, 128, 91, 64};
__device__ inline i32 step_of(i32 base, i32 log_cells, i32 weight) {
    const i32 s = (base * kScale[log_cells] >> 4) * weight >> 4;
    return s < 1 ? 1 : s;
}
__device__ inline i32 dequantised(i32 level, i32 step) {
    const i64 m = ((i64)magnitude(level) * step + 8) >> 4;
    return (i32)(level < 0 ? (m > 32768 ? -32768 : -m) : (m > 32767 ? 32767 : m));
}
