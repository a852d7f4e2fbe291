// The encoder's first steps, for efforts whose blocks are independent of each other: colour planes, partition of
// superblocks, transforms, quantised coefficients (format.md, 7.3). Floating point here is single products and quotients, which are the CPU's to the bit.

// Pixels, of which the first one or three channels are colours, to samples in 1/16. Chroma of half the size is the mean of four.
// The last column and row of samples stand in for what a plane has beyond them.
extern "C" __global__ void to_planes(const i32* frame, const u8* pixels, i32 channels, i16* samples) {
    const Frame& f = *(const Frame*)frame;
    for (i32 p = 0; p < f.planes; ++p) {
        const i32 side = chroma_halved(f, p) ? 2 : 1;
        const i64 stride = (i64)f.cells_w[p] * CELL;
        const i32 width = (f.width + side - 1) / side, height = (f.height + side - 1) / side;
        EACH_THREAD(i, 64 * cells_of(f, p)) {
            const i32 x = least((i32)(i % stride), width - 1) * side, y = least((i32)(i / stride), height - 1) * side;
            i32 sums[3] = {0, 0, 0};
            for (i32 k = 0; k < side * side; ++k) {
                const u8* from = pixels + ((i64)least(y + k / side, f.height - 1) * f.width + least(x + k % side, f.width - 1)) * channels;
                for (i32 c = 0; c < f.planes; ++c) sums[c] += from[c];
            }
            const i32 shift = side == 2 ? 12 : 10, half = 1 << (shift - 1);
            i32 sample;
            if (f.planes == 1) sample = 16 * sums[0] - 2048;
            else if (p == 0) sample = (4899 * sums[0] + 9617 * sums[1] + 1868 * sums[2] + half - (2048 << 10)) >> 10;
            else if (p == 1) sample = (-2765 * sums[0] - 5427 * sums[1] + 8192 * sums[2] + half) >> shift;
            else sample = (8192 * sums[0] - 6860 * sums[1] - 1332 * sums[2] + half) >> shift;
            samples[f.samples_at[p] + i] = (i16)least(sample, 2047);
        }
    }
}

// The variance of the samples of every cell of luma.
extern "C" __global__ void variances(const i32* frame, const i16* samples, i32* variances) {
    const Frame& f = *(const Frame*)frame;
    const i64 stride = (i64)f.cells_w[0] * CELL;
    EACH_THREAD(i, cells_of(f, 0)) {
        const i16* corner = samples + i / f.cells_w[0] * CELL * stride + i % f.cells_w[0] * CELL;
        i32 total = 0, squares = 0;
        for (i32 k = 0; k < 64; ++k) {
            const i32 s = corner[k / CELL * stride + k % CELL];
            total += s, squares += s * s;
        }
        variances[i] = (i32)((squares - (i64)total * total / 64) / 64);
    }
}

// Squares of 2^log samples a side, which lie side by side in a field of 2^log_field, into their coefficients, in place.
__device__ inline void transform_squares(i32* field, i32* rows, i32 log_field, i32 log, const i8* basis) {
    const i32 side = 1 << log, n = 1 << 2 * log_field;
    TOGETHER(i, n) {
        const i32 *from = field + (i & ~(side - 1)), shift = log + 2;
        const i8* function = basis + ((i & (side - 1)) << (10 - log));
        i32 sum = 1 << (shift - 1);
        for (i32 k = 0; k < side; ++k) sum += function[k] * from[k];
        rows[i] = sum >> shift;
    }
    __syncthreads();
    TOGETHER(i, n) {
        const i32 x = i & ((1 << log_field) - 1), y = i >> log_field, shift = log + 7;
        const i32* from = rows + ((y & ~(side - 1)) << log_field) + x;
        const i8* function = basis + ((y & (side - 1)) << (10 - log));
        i32 sum = 1 << (shift - 1);
        for (i32 k = 0; k < side; ++k) sum += function[k] * from[k << log_field];
        field[i] = sum >> shift;
    }
    __syncthreads();
}

__device__ inline float inverse_step(i32 base, i32 log_cells, i32 weight) { return 16.0f / (float)step_of(base, log_cells, weight); }

// Costs of a block, in 2^-13 bits, besides 3/2 of those of its coefficients; and of the partition of a square.
#define BLOCK_COST (6 << 13)
#define QUARTERS_COST (1 << 13)
// About 2^13 log2(1 + 6.25 a^2), a the coefficient in steps.
__device__ inline i32 cost_of(i32 coefficient, float inverse) {
    const float a = (float)coefficient * inverse;
    return (__float_as_int(1.0f + 6.25f * (a * a)) - 0x3f800000) >> 10;
}

// Squares of a superblock: 16 of a cell, row by row, 4 of 2 x 2, and all of it.
#define SQUARES 21
struct Superblock {
    i64 costs[SQUARES];  // as one block, of all planes with the same partition
    u8 classes[16];      // OUTSIDE beyond the plane
    u8 whole[SQUARES];   // of the larger ones: whether they are one block
};
#define OUTSIDE 4

// Whether the square of 2^log cells at (x, y) lies inside, and is of one class.
__device__ inline bool uniform(const Superblock& s, i32 x, i32 y, i32 log) {
    const u8 first = s.classes[4 * y + x];
    for (i32 k = 0; k < 1 << 2 * log; ++k)
        if (s.classes[4 * (y + (k >> log)) + x + (k & ((1 << log) - 1))] != first) return false;
    return first != OUTSIDE;
}

// Decide about one square; the quarters' cost and the number of their blocks become the square's.
__device__ inline void decide(Superblock& s, i32 square, i32 x, i32 y, i32 log, i32 largest, i32 chooses, i64& cost, i32& count) {
    const bool fits = uniform(s, x, y, log), hole = fits && s.classes[4 * y + x] >= 2;
    cost += QUARTERS_COST;
    bool whole = false;
    if (hole || (!chooses && log <= largest && fits)) {
        whole = true, cost = 0;
    } else if (chooses && log <= largest && fits && !(log == 2 && count > 10)) {
        // Where most of the quarters are cheaper as single cells, the whole square is not tried.
        whole = s.costs[square] <= cost;
        if (whole) cost = s.costs[square];
    }
    if (whole) count = 1;
    s.whole[square] = whole;
}

// The partition of superblocks: cells of `shapes` hold their class alone before. Both chroma planes share a partition.
extern "C" __global__ void cut_superblocks(const i32* frame, i32 plane, i32 largest, i32 chooses, const i16* samples,
                                           const i8* aq_offsets, const u8* weights, const i8* basis, u8* shapes) {
    __shared__ i32 block[1024], rows[1024], sums[16];
    __shared__ Superblock s;
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], cells_h = f.cells_h[plane], across = (cells_w + 3) / 4, last = plane ? 2 : 0;
    u8* const own = shapes + f.shapes_at[plane];
    EACH_BLOCK(b, (i64)across * ((cells_h + 3) / 4)) {
        const i32 cx = (i32)(b % across) * 4, cy = (i32)(b / across) * 4;
        TOGETHER(i, 16) {
            const i32 x = cx + (i & 3), y = cy + (i >> 2);
            s.classes[i] = x < cells_w && y < cells_h ? CLASS(own[(i64)y * cells_w + x]) : OUTSIDE;
        }
        TOGETHER(i, SQUARES) s.costs[i] = 0;
        __syncthreads();
        for (i32 p = plane; chooses && p <= last; ++p)
            for (i32 log = 0; log <= largest; ++log) {
                const i64 stride = (i64)cells_w * CELL;
                const i16* from = samples + f.samples_at[p];
                TOGETHER(i, 1024) {
                    const i32 x = cx * CELL + (i & 31), y = cy * CELL + (i >> 5);
                    block[i] = x < stride && y < cells_h * CELL ? from[y * stride + x] : 0;
                }
                TOGETHER(i, 16) sums[i] = 0;
                __syncthreads();
                transform_squares(block, rows, 5, log + 3, basis);
                const i32 side = CELL << log, size = 4 * log;
                TOGETHER(i, 1024) {
                    const i32 x = (i & 31) / CELL >> log << log, y = (i >> 5) / CELL >> log << log, k = (i >> 5) % side * side + (i & 31) % side;
                    const i32 c = s.classes[4 * y + x];
                    if (k && c != OUTSIDE && block[i]) {
                        const i32 base = base_of(f, p, least(c, 1), cx + x, cy + y, aq_offsets);
                        const i32 cost = cost_of(block[i], inverse_step(base, 2 * log, weights[1024 * size + k]));
                        atomicAdd(&sums[(y >> log) * (4 >> log) + (x >> log)], cost);
                    }
                }
                __syncthreads();
                const i32 first = log == 0 ? 0 : log == 1 ? 16 : 20;
                TOGETHER(i, 16 >> 2 * log) s.costs[first + i] += (i64)sums[i] * 3 / 2 + BLOCK_COST;
                __syncthreads();
            }
        if (threadIdx.x == 0) {
            i64 cost = 0;
            i32 count = 0;
            for (i32 q = 0; q < 4; ++q) {
                const i32 x = (q & 1) * 2, y = (q >> 1) * 2;
                s.whole[16 + q] = 0;
                if (s.classes[4 * y + x] == OUTSIDE) continue;
                i64 quarter = 0;
                i32 blocks = 0;
                for (i32 k = 0; k < 4; ++k) {
                    const i32 cell = 4 * (y + (k >> 1)) + x + (k & 1);
                    if (s.classes[cell] == OUTSIDE) continue;
                    quarter += s.classes[cell] >= 2 ? 0 : s.costs[cell], ++blocks;
                }
                decide(s, 16 + q, x, y, 1, largest, chooses, quarter, blocks);
                cost += quarter, count += blocks;
            }
            decide(s, 20, 0, 0, 2, largest, chooses, cost, count);
        }
        __syncthreads();
        TOGETHER(i, 16) {
            const i32 x = i & 3, y = i >> 2, log = s.whole[20] ? 2 : s.whole[16 + (y / 2) * 2 + x / 2] ? 1 : 0;
            const i32 edges = ((x & ((1 << log) - 1)) ? 0 : LEFT_EDGE) | ((y & ((1 << log) - 1)) ? 0 : UPPER_EDGE);
            if (s.classes[i] != OUTSIDE) own[(i64)(cy + y) * cells_w + cx + x] = (u8)(s.classes[i] << 6 | edges | 4 * log);
        }
        __syncthreads();
    }
}

// By plane, size, band and magnitude.
#define THRESHOLDS (2 * 3 * 7 * 8)
// Levels round up from this fraction of a step.
#define UPWARDS 0.55f

// Levels of all blocks at their places, and among them the coefficients of the LF image, not quantised. thresholds: from which
// magnitude on, in steps, 1 and 2 pay, by plane, size, band and magnitude; then for a block's first one; then the least of all.
extern "C" __global__ void choose_levels(const i32* frame, i32 plane, const u8* shapes, const i16* samples, const i8* aq_offsets,
                                         const u8* weights, const i8* basis, const i32* scan_first, const u16* scan_coefficient,
                                         const u16* scan_place, const u8* scan_band, const float* thresholds, i16* levels) {
    __shared__ i32 block[1024], rows[1024];
    __shared__ u32 field[34 * 34 / 4], candidates[32];
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], fine = chroma_halved(f, plane);
    const i64 stride = (i64)cells_w * CELL;
    const float first_one = thresholds[2 * THRESHOLDS], least_one = thresholds[2 * THRESHOLDS + 1];
    EACH_BLOCK(cell, cells_of(f, plane)) {
        const u8 shape = shapes[f.shapes_at[plane] + cell];
        if (!(shape & LEFT_EDGE) || !(shape & UPPER_EDGE)) continue;
        const i32 x = (i32)(cell % cells_w), y = (i32)(cell / cells_w), log = SIZE(shape) % 3 + 3, side = 1 << log, n = side * side;
        const i32 size = SIZE(shape), tier = CLASS(shape), first = scan_first[size + 9 * fine], count = scan_first[size + 9 * fine + 1] - first;
        const i64 corner = f.samples_at[plane] + (i64)y * CELL * stride + x * CELL;
        TOGETHER(i, n) block[i] = samples[corner + (i >> log) * stride + (i & (side - 1))];
        TOGETHER(i, 34 * 34 / 4) field[i] = 0;
        TOGETHER(i, 32) candidates[i] = 0;
        __syncthreads();
        transform_squares(block, rows, log, log, basis);
        TOGETHER(i, n) rows[i] = 0;
        __syncthreads();
        if (tier < 2) {
            const i32 base = base_of(f, plane, tier, x, y, aq_offsets), log_cells = 2 * (log - 3);
            const float* own = thresholds + 2 * 8 * 7 * (3 * (plane > 0) + size_class(log_cells));
            const u8* weight = weights + 1024 * size;
            TOGETHER(i, count) {
                const i32 c = scan_coefficient[first + i];
                if ((float)magnitude(block[c]) * inverse_step(base, log_cells, weight[c]) >= least_one) atomicOr(&candidates[i >> 5], 1u << (i & 31));
            }
            __syncthreads();
            if (threadIdx.x == 0) {
                bool any = false;
                for (i32 w = (count + 31) / 32; w-- > 0;)
                    for (u32 left = candidates[w]; left;) {
                        const i32 bit = 31 - __clz((i32)left), at = first + 32 * w + bit, c = scan_coefficient[at];
                        left ^= 1u << bit;
                        const i32 place = scan_place[at];
                        const float* t = own + 2 * (8 * scan_band[at] + magnitude_class(((u8*)field)[place]));
                        const float a = (float)magnitude(block[c]) * inverse_step(base, log_cells, weight[c]);
                        if (a < (any ? t[0] : first_one)) continue;
                        const i32 more = (i32)(a + (1 - UPWARDS)), level = a < t[1] ? 1 : least(32767, more < 2 ? 2 : more);
                        rows[c] = block[c] < 0 ? -level : level;
                        add_to_field((u8*)field, place, side + 2, (u32)level);
                        any = true;
                    }
            }
            __syncthreads();
        }
        const i32 lowest = 1 << (log - 3 + fine);
        TOGETHER(i, n) {
            const i32 h = i & (side - 1), v = i >> log;
            levels[corner + v * stride + h] = (i16)(h < lowest && v < lowest ? block[i] : rows[i]);
        }
        __syncthreads();
    }
}
