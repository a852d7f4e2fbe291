// From coefficients to samples (format.md, 7.3.4 to 7.3.6 and 7.3.9).

// The means over boxes of 2^log x 2^log samples of a block together, `in` width x height, into a plane.
__device__ inline void put_means(const i32* in, i32 width, i32 height, i32 log, i16* out, i64 stride) {
    const i32 w = width >> log, side = 1 << log, half = log ? 1 << (2 * log - 1) : 0;
    TOGETHER(i, w * (height >> log)) {
        const i32 x = i % w, y = i / w;
        i32 sum = half;
        for (i32 b = 0; b < side; ++b)
            for (i32 a = 0; a < side; ++a) sum += in[(y * side + b) * width + x * side + a];
        out[y * stride + x] = (i16)(sum >> 2 * log);
    }
}

// The coefficients of a block are where its samples will be, the lowest ones in `low`. basis: int8 (32, 32), row k of it frequency k.
// lf_index, lf_weight: LF correction by shape and coefficient (18, 1024), to which of the lowest it adds, and its weight in 1/256.
extern "C" __global__ void inverse_transforms(const i32* frame, i32 plane, const u8* shapes, const u8* activity, const i16* coefficients,
                                              const i16* low, const u8* lf_index, const i16* lf_weight, const i8* basis,
                                              i16* samples) {
    __shared__ i32 block[1024], columns[1024], corrections[64];
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], fine = chroma_halved(f, plane);
    const i64 plane_width = (i64)cells_w * CELL;
    EACH_BLOCK(cell, cells_of(f, plane)) {
        const u8 shape = shapes[f.shapes_at[plane] + cell];
        if (!(shape & LEFT_EDGE) || !(shape & UPPER_EDGE) || activity[f.cells_at[plane] + cell] == NOT_CODED) continue;
        const i32 x = (i32)(cell % cells_w), y = (i32)(cell / cells_w), size = SIZE(shape), log_w = size % 3 + 3, log_h = size / 3 + 3;
        const i32 width = 1 << log_w, height = 1 << log_h, n = width << log_h;
        const i32 low_w = 1 << (log_w - 3 + fine), low_h = 1 << (log_h - 3 + fine);
        const i16* in = coefficients + f.samples_at[plane] + (i64)y * CELL * plane_width + x * CELL;
        const u8* to = lf_index + 1024 * (size + 9 * fine);
        const i16* weights = lf_weight + 1024 * (size + 9 * fine);
        TOGETHER(i, 64) corrections[i] = 0;
        __syncthreads();
        TOGETHER(i, n) {
            const i32 c = in[(i >> log_w) * plane_width + (i & (width - 1))];
            block[i] = c;
            if (c && weights[i]) atomicAdd(&corrections[to[i]], c * weights[i]);
        }
        __syncthreads();
        const i64 lf_width = (i64)cells_w << fine;
        const i16* lowest = low + f.lf_at[plane] + ((i64)y << fine) * lf_width + ((i64)x << fine);
        TOGETHER(i, low_w * low_h) {
            const i32 h = i % low_w, v = i / low_w;
            block[(v << log_w) + h] = clamp(lowest[v * lf_width + h] - ((corrections[i] + 128) >> 8), -32768, 32767);
        }
        __syncthreads();
        TOGETHER(i, n) {
            const i32 h = i & (width - 1), row = i >> log_w;
            i32 sum = 64;
            for (i32 v = 0; v < height; ++v) sum += basis[(v << (10 - log_h)) + row] * block[(v << log_w) + h];
            columns[i] = clamp(sum >> 7, -32768, 32767);
        }
        __syncthreads();
        TOGETHER(i, n) {
            const i32 column = i & (width - 1), row = i >> log_w;
            i32 sum = 128;
            for (i32 h = 0; h < width; ++h) sum += basis[(h << (10 - log_w)) + column] * columns[(row << log_w) + h];
            block[i] = clamp(sum >> 8, -2048, 2047);
        }
        __syncthreads();
        const i64 stride = stride_of(f, plane);
        i16* const out = samples + f.samples_at[plane] + (i64)y * sample_side(f, plane) * stride + x * sample_side(f, plane);
        put_means(block, width, height, f.log[plane], out, stride);
        __syncthreads();
    }
}

// Sum of the basis function k of a side of 2^log samples over pixel i of the LF image.
__device__ inline i32 sum_over(const i8* basis, i32 log, i32 k, i32 i, i32 samples) {
    i32 sum = 0;
    for (i32 n = 0; n < samples; ++n) sum += basis[(k << (10 - log)) + i * samples + n];
    return sum;
}

// The LF image from the lowest coefficients of all blocks (format.md, 7.3.5); zero before.
extern "C" __global__ void eighths(const i32* frame, i32 plane, const u8* shapes, const i16* low, const i8* basis, i16* lf) {
    __shared__ i32 along[64];
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], fine = chroma_halved(f, plane), samples = CELL >> fine, shift = 13 - 2 * fine;
    const i64 stride = (i64)cells_w << fine;
    EACH_BLOCK(cell, cells_of(f, plane)) {
        const u8 shape = shapes[f.shapes_at[plane] + cell];
        if (!(shape & LEFT_EDGE) || !(shape & UPPER_EDGE)) continue;
        const i32 x = (i32)(cell % cells_w), y = (i32)(cell / cells_w), log_w = SIZE(shape) % 3, log_h = SIZE(shape) / 3;
        const i32 w = 1 << (log_w + fine), h = 1 << (log_h + fine);
        const i64 corner = f.lf_at[plane] + ((i64)y << fine) * stride + ((i64)x << fine);
        TOGETHER(i, w * h) {
            i32 sum = 128;
            for (i32 u = 0; u < w; ++u) sum += sum_over(basis, log_w + 3, u, i % w, samples) * low[corner + i / w * stride + u];
            along[i] = sum >> 8;
        }
        __syncthreads();
        TOGETHER(i, w * h) {
            i32 sum = 1 << (shift - 1);
            for (i32 v = 0; v < h; ++v) sum += sum_over(basis, log_h + 3, v, i / w, samples) * along[v * w + i % w];
            lf[corner + i / w * stride + i % w] = (i16)clamp(sum >> shift, -2048, 2047);
        }
        __syncthreads();
    }
}

// Cells without high frequencies, interpolated from the LF image.
extern "C" __global__ void interpolate(const i32* frame, i32 plane, const u8* activity, const i16* lf, i16* samples) {
    __shared__ i32 whole[64];
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], fine = chroma_halved(f, plane), side = CELL >> fine;
    const i32 w = cells_w << fine, h = f.cells_h[plane] << fine;
    const i16* pixels = lf + f.lf_at[plane];
    EACH_BLOCK(cell, cells_of(f, plane)) {
        if (activity[f.cells_at[plane] + cell] != NOT_CODED) continue;
        const i32 x = (i32)(cell % cells_w), y = (i32)(cell / cells_w);
        TOGETHER(i, 64) {
            const i32 sx = i % CELL, sy = i / CELL, px = (x << fine) + sx / side, py = (y << fine) + sy / side;
            const i32 u = fine ? 4 * (sx % side) - 6 : 2 * sx - 7, v = fine ? 4 * (sy % side) - 6 : 2 * sy - 7;
            const i32 qx = clamp(px + (u < 0 ? -1 : 1), 0, w - 1), qy = clamp(py + (v < 0 ? -1 : 1), 0, h - 1);
            const i32 a = magnitude(u), b = magnitude(v);
            const i32 near = (16 - a) * pixels[(i64)py * w + px] + a * pixels[(i64)py * w + qx];
            const i32 far = (16 - a) * pixels[(i64)qy * w + px] + a * pixels[(i64)qy * w + qx];
            whole[i] = ((16 - b) * near + b * far + 128) >> 8;
        }
        __syncthreads();
        const i64 stride = stride_of(f, plane);
        i16* const out = samples + f.samples_at[plane] + (i64)y * sample_side(f, plane) * stride + x * sample_side(f, plane);
        put_means(whole, CELL, CELL, f.log[plane], out, stride);
        __syncthreads();
    }
}
