// Deblocking and restoration of a plane at its full size (format.md, 7.3.7 and 7.3.8).
struct Limits {
    i32 step, slope, change;
};
__device__ inline i32 limit(i32 base, i32 share, i32 strength) {
    const i64 v = ((i64)base * share * strength + 128) >> 8;
    return v > 32767 ? 32767 : (i32)v;
}
__device__ inline Limits limits_of(const Frame& f, i32 plane, i32 tier, i32 x, i32 y, const i8* aq_offsets) {
    const i32 base = base_of(f, plane, tier, x, y, aq_offsets), g = f.deblocking[tier];
    return {limit(base, 19, g), limit(base, 5, g), limit(base, 3, g)};
}

// The left edges of all cells, or with `upper` the upper ones; a thread per line across an edge.
extern "C" __global__ void smooth_edges(const i32* frame, i32 plane, i32 upper, const u8* shapes, const u8* activity, const i8* aq_offsets,
                                        i16* samples) {
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane];
    const i64 stride = (i64)cells_w * CELL;
    EACH_THREAD(i, CELL * cells_of(f, plane)) {
        const i32 line = (i32)(i % CELL);
        const i64 cell = i / CELL, before = cell - (upper ? cells_w : 1);
        const i32 x = (i32)(cell % cells_w), y = (i32)(cell / cells_w);
        if (!(upper ? y : x)) continue;
        const u8 *shape = shapes + f.shapes_at[plane], *own = activity + f.cells_at[plane];
        if (!(shape[cell] & (upper ? UPPER_EDGE : LEFT_EDGE)) || own[cell] == NOT_CODED || own[before] == NOT_CODED) continue;
        const Limits a = limits_of(f, plane, CLASS(shape[before]), upper ? x : x - 1, upper ? y - 1 : y, aq_offsets);
        const Limits b = limits_of(f, plane, CLASS(shape[cell]), x, y, aq_offsets);
        const Limits m = a.step < b.step ? a : b;
        i16* const q = samples + f.samples_at[plane] + ((i64)y * CELL + (upper ? 0 : line)) * stride + (i64)x * CELL + (upper ? line : 0);
        const i64 across = upper ? stride : 1;
        const i32 p1 = q[-2 * across], p0 = q[-across], q0 = q[0], q1 = q[across], d = q0 - p0;
        if (magnitude(d) >= m.step || magnitude(p1 - p0) >= m.slope || magnitude(q1 - q0) >= m.slope) continue;
        const i32 e = clamp((9 * d - 3 * (q1 - p1) + 8) >> 4, -m.change, m.change);
        q[-across] = (i16)clamp(p0 + e, -2048, 2047);
        q[0] = (i16)clamp(q0 - e, -2048, 2047);
    }
}

extern "C" __global__ void restore(const i32* frame, i32 plane, const u8* shapes, const u8* activity, const i16* samples, i16* restored) {
    const Frame& f = *(const Frame*)frame;
    const i32 cells_w = f.cells_w[plane], w = cells_w * CELL, h = f.cells_h[plane] * CELL;
    const i16* in = samples + f.samples_at[plane];
    EACH_THREAD(i, (i64)w * h) {
        const i32 x = (i32)(i % w), y = (i32)(i / w);
        const i64 cell = (i64)(y / CELL) * cells_w + x / CELL;
        const i32 c = in[i], own = activity[f.cells_at[plane] + cell], tier = CLASS(shapes[f.shapes_at[plane] + cell]);
        i32 out = c;
        if (own != NOT_CODED && f.restores[tier]) {
            const i32* taps = f.taps[tier][plane > 0][(own + 1) / 2];
            i32 sum = 32;
            for (i32 k = 0; k < 6; ++k) {
                const i32 dx = k == 1 || k == 5 ? 0 : k == 3 ? -1 : k == 4 ? 2 : 1, dy = k == 0 || k == 4 ? 0 : k == 5 ? 2 : 1;
                const i32 a = in[(i64)clamp(y + dy, 0, h - 1) * w + clamp(x + dx, 0, w - 1)];
                const i32 b = in[(i64)clamp(y - dy, 0, h - 1) * w + clamp(x - dx, 0, w - 1)];
                sum += taps[k] * (a + b - 2 * c);
            }
            out = clamp(c + (sum >> 6), -2048, 2047);
        }
        restored[f.samples_at[plane] + i] = (i16)out;
    }
}
