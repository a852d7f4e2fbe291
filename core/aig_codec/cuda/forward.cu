// The encoder's first steps: colour planes, transforms, levels (format.md, 7.3.3 and 7.3.4).

// Width x height pixels of 3 bytes to planes of YCbCr in 1/16; chroma of half the size is the mean of four. The last column and row
// stand in for what a plane has beyond them.
extern "C" __global__ void to_planes(const u8* rgb, i32 width, i32 height, i32 halved, i32 plane_w, i32 plane_h, i32 chroma_w,
                                     i32 chroma_h, i16* y_plane, i16* cb_plane, i16* cr_plane) {
    EACH_THREAD(i, (i64)plane_w * plane_h) {
        const i32 x = least((i32)(i % plane_w), width - 1), y = least((i32)(i / plane_w), height - 1);
        const u8* p = rgb + ((i64)y * width + x) * 3;
        y_plane[i] = (i16)((4899 * p[0] + 9617 * p[1] + 1868 * p[2] + 512 - (2048 << 10)) >> 10);
    }
    EACH_THREAD(i, (i64)chroma_w * chroma_h) {
        const i32 x = (i32)(i % chroma_w), y = (i32)(i / chroma_w), side = halved ? 2 : 1;
        i32 sums[3] = {0, 0, 0};
        for (i32 k = 0; k < side * side; ++k) {
            const i32 px = least(side * x + k % side, width - 1), py = least(side * y + k / side, height - 1);
            for (i32 c = 0; c < 3; ++c) sums[c] += rgb[((i64)py * width + px) * 3 + c];
        }
        const i32 shift = halved ? 12 : 10, half = 1 << (shift - 1);
        cb_plane[i] = (i16)least((-2765 * sums[0] - 5427 * sums[1] + 8192 * sums[2] + half) >> shift, 2047);
        cr_plane[i] = (i16)least((8192 * sums[0] - 6860 * sums[1] - 1332 * sums[2] + half) >> shift, 2047);
    }
}

// Blocks of 2^log samples a side, side by side over a plane whose sides are multiples of that: coefficients at their places, and
// levels, rounded to the nearest with `dead` / 256 of a step less. step: 1/16 of a coefficient.
extern "C" __global__ void forward_transforms(const i16* samples, i32 plane_w, i32 plane_h, i32 log, i32 step, i32 dead, const i8* basis,
                                              i16* coefficients, i16* levels) {
    __shared__ i32 block[1024], rows[1024];
    const i32 side = 1 << log, across = plane_w >> log;
    EACH_BLOCK(b, (i64)across * (plane_h >> log)) {
        const i64 corner = (b / across) * side * plane_w + (b % across) * side;
        TOGETHER(i, side * side) block[i] = samples[corner + (i64)(i >> log) * plane_w + (i & (side - 1))];
        __syncthreads();
        TOGETHER(i, side * side) {
            const i32 k = i & (side - 1), y = i >> log, shift = log + 2;
            i32 sum = 1 << (shift - 1);
            for (i32 n = 0; n < side; ++n) sum += basis[(k << (10 - log)) + n] * block[(y << log) + n];
            rows[i] = sum >> shift;
        }
        __syncthreads();
        TOGETHER(i, side * side) {
            const i32 k = i & (side - 1), v = i >> log, shift = log + 7;
            i32 sum = 1 << (shift - 1);
            for (i32 n = 0; n < side; ++n) sum += basis[(v << (10 - log)) + n] * rows[(n << log) + k];
            const i32 c = sum >> shift;
            const i64 at = corner + (i64)v * plane_w + k;
            coefficients[at] = (i16)c;
            const i32 level = (i32)(((i64)magnitude(c) * 16 * 256 + (i64)step * (128 - dead)) / ((i64)step * 256));
            levels[at] = (i16)(c < 0 ? -level : level);
        }
        __syncthreads();
    }
}
