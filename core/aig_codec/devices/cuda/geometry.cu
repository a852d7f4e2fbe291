// The weighted distance, the nearest focus and the class of every pixel (format.md, 5).
struct Focus {
    i64 x, y, inv_x, inv_y, shift, alpha, r_core, r_mid;
};

#define HALF_PI 102944
#define PI 205887
__device__ const u32 kArctan[65] = {
    0, 1024, 2047, 3070, 4091, 5110, 6126, 7140, 8150, 9156, 10158, 11155, 12147,
    13133, 14114, 15088, 16055, 17015, 17968, 18913, 19850, 20779, 21699, 22610, 23512, 24406,
    25289, 26163, 27028, 27882, 28727, 29561, 30386, 31200, 32003, 32797, 33580, 34353, 35115,
    35867, 36608, 37340, 38060, 38771, 39472, 40162, 40842, 41512, 42172, 42823, 43464, 44095,
    44716, 45328, 45931, 46525, 47109, 47685, 48251, 48809, 49359, 49899, 50432, 50956, 51472};

__device__ inline u32 square_root(u64 v) {
    // The guess may be off by one, and the result does not depend on it.
    u64 r = (u64)sqrt((double)v);
    if (r > 0xffffffffull) r = 0xffffffffull;
    while (r * r > v) --r;
    while (r < 0xffffffffull && (r + 1) * (r + 1) <= v) ++r;
    return (u32)r;
}
__device__ inline u32 angle(i32 dx, i32 dy) {
    const u32 x = magnitude(dx), y = magnitude(dy);
    if (x == 0 && y == 0) return 0;
    const u32 small = x < y ? x : y, large = x < y ? y : x, ratio = (small << 16) / large, i = ratio >> 10, fraction = ratio & 1023;
    u32 a = kArctan[i];
    if (fraction) a += (kArctan[i + 1] - kArctan[i]) * fraction >> 10;
    if (y > x) a = HALF_PI - a;
    return dx < 0 ? PI - a : a;
}
__device__ inline u64 radial(const Focus& f, i32 dx, i32 dy) {
    const u64 x = magnitude(dx), y = magnitude(dy);
    return x * x * (u64)f.inv_x + y * y * (u64)f.inv_y;
}
__device__ inline u32 angle_term(const Focus& f, i32 dx, i32 dy) { return f.alpha ? (u32)((u64)f.alpha * angle(dx, dy) / 100) : 0; }
__device__ inline u32 distance(const Focus& f, i32 dx, i32 dy) {
    const u64 q = radial(f, dx, dy);
    u64 v;
    if (f.shift >= 32) v = q >> (f.shift - 32);
    else if (q >> (32 + f.shift)) return 0xffffffffu;
    else v = q << (32 - f.shift);
    const u64 d = (u64)square_root(v) + angle_term(f, dx, dy);
    return d > 0xffffffffull ? 0xffffffffu : (u32)d;
}
__device__ inline bool within(const Focus& f, i32 dx, i32 dy, u32 r) {
    const u32 term = angle_term(f, dx, dy);
    if (term > r) return false;
    const u64 t = r - term, q = radial(f, dx, dy);
    return f.shift >= 32 ? (q >> (f.shift - 32)) <= t * t : q <= (t * t) >> (32 - f.shift);
}

// The nearest of the foci that grant a tier, or -1; ties go to the lower index.
__device__ inline i32 granted(const Focus* foci, i32 n, i32 x, i32 y, bool core) {
    i32 found = -1;
    u32 best = 0;
    for (i32 k = 0; k < n; ++k) {
        const Focus& f = foci[k];
        const i32 dx = x - (i32)f.x, dy = y - (i32)f.y;
        if (!within(f, dx, dy, (u32)(core ? f.r_core : f.r_mid))) continue;
        // Most pixels are within one focus, whose distance does not matter.
        if (found >= 0) {
            const u32 d = distance(f, dx, dy);
            best = distance(foci[found], x - (i32)foci[found].x, y - (i32)foci[found].y);
            if (best <= d) continue;
        }
        found = k;
    }
    return found;
}

extern "C" __global__ void classify(const Focus* foci, i32 n, i32 left, i32 top, i32 width, i32 height, u8* classes) {
    EACH_THREAD(i, (i64)width * height) {
        const i32 x = left + (i32)(i % width), y = top + (i32)(i / width);
        i32 k = granted(foci, n, x, y, true), base = 1;
        if (k < 0) k = granted(foci, n, x, y, false), base = 5;
        classes[i] = (u8)(k < 0 ? 0 : base + k);
    }
}

extern "C" __global__ void assign(const Focus* foci, i32 n, i32 width, i32 height, u8* owner, u32* distances) {
    EACH_THREAD(i, (i64)width * height) {
        const i32 x = (i32)(i % width), y = (i32)(i / width);
        u32 best = 0xffffffffu;
        i32 nearest = 0;
        for (i32 k = 0; k < n; ++k) {
            const u32 d = distance(foci[k], x - (i32)foci[k].x, y - (i32)foci[k].y);
            if (d < best) best = d, nearest = k;
        }
        owner[i] = (u8)nearest;
        distances[i] = best;
    }
}
