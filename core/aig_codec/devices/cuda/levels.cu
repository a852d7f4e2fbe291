// High frequencies of the static rANS profile (format.md, 6.1, 6.2, 6.5 and 7.3.6): one thread decodes the stream of a group,
// of which an image of two megapixels has about forty, and a batch many times that.

// Entries of the scans of all shapes, one behind the other; `first` has where a shape's begins, and its end.
struct Scans {
    const i32* first;
    const u16 *coefficient, *place;
    const u8* band;
};

struct Bits {
    const u8* data;
    u64 size, at;  // in bits; behind the end come zeros

    __device__ u32 get(u32 count) {
        u64 value = 0;
        for (u32 got = 0; got < count;) {
            const u64 byte = (at + got) >> 3;
            const u32 offset = (u32)(at + got) & 7;
            if ((byte << 3) < size) value |= (u64)(data[byte] >> offset) << got;
            got += 8 - offset;
        }
        at += count;
        return (u32)(value & ((1ull << count) - 1));
    }
    // Whether nothing but the zeros of the last byte is left.
    __device__ bool finished() {
        if (at > size || size - at >= 8) return false;
        return get((u32)(size - at)) == 0;
    }
};

#define ALPHABET 64
#define SCALE_BITS 12
#define STATE_LOW (1u << 16)

struct Symbols {
    const u8* slots;           // (tables, 4096)
    const u16* intervals;      // (tables, 2, 64): frequencies, starts
    const u8* table_of;        // by context
    const u8 *next, *end;
    u32 states[2], turn;
    bool missing;
    Bits bits;

    __device__ u32 word(u32 at) const { return next[at] | (u32)next[at + 1] << 8; }
    __device__ bool start() {
        missing = false, turn = 0;
        if (end - next < 8) return false;
        for (u32 i = 0; i < 2; ++i) states[i] = word(4 * i) | word(4 * i + 2) << 16;
        next += 8;
        return states[0] >= STATE_LOW && states[1] >= STATE_LOW;
    }
    __device__ u32 symbol(u32 context) {
        const u32 table = table_of[context];
        const u32 state = states[turn], low = state & ((1u << SCALE_BITS) - 1);
        const u32 found = slots[(table << SCALE_BITS) + low];
        const u16* interval = intervals + table * 2 * ALPHABET + found;
        u32 x = interval[0] * (state >> SCALE_BITS) + low - interval[ALPHABET];
        if (x < STATE_LOW) {
            const bool left = end - next >= 2;
            x = x << 16 | (left ? word(0) : 0u);
            next += left ? 2 : 0;
            missing |= !left;
        }
        states[turn] = x;
        turn ^= 1;
        return found;
    }
    __device__ u32 value(u32 context) {
        const u32 token = symbol(context);
        if (token < 16) return token;
        const u32 top = 4 + ((token - 16) >> 1);
        return (2 | ((token - 16) & 1)) << (top - 1) | bits.get(top - 1);
    }
    __device__ bool finished() { return !missing && next == end && states[0] == STATE_LOW && states[1] == STATE_LOW && bits.finished(); }
};

// The symbol of every slot of a table, from the symbols' frequencies and starts.
extern "C" __global__ void fill_slots(const u16* intervals, i32 tables, u8* slots) {
    EACH_BLOCK(t, tables) {
        const u16* frequencies = intervals + t * 2 * ALPHABET;
        TOGETHER(s, ALPHABET)
            for (u32 k = 0; k < frequencies[s]; ++k) slots[(t << SCALE_BITS) + frequencies[ALPHABET + s] + k] = (u8)s;
    }
}

// The activity of the blocks on the left and above; 35 cells each, of which the last three are never read alone.
struct Busy {
    u8 left[36], above[36];
};
__device__ inline i32 mean_of(const u8* cells, i32 log) {
    i32 sum = 0;
    for (i32 i = 0; i < 1 << log; ++i) sum += cells[i];
    return sum >> log;
}
__device__ inline i32 binary_digits(u32 v) {
    i32 n = 0;
    for (; v; v >>= 1) ++n;
    return n;
}
__device__ inline i32 activity_of(i32 log_cells, u32 nonzero) {
    if (!nonzero) return 0;
    const u32 v = (256 * nonzero >> (6 + log_cells)) + 1;
    return clamp(binary_digits(v * v) - 1, 1, 12);
}

// The context of a level, from the sum over the levels around it.
__device__ inline i32 magnitude_class(i32 sum) { return sum < 11 ? (sum + 1) / 2 : sum < 17 ? 6 : 7; }
__device__ inline i32 size_class(i32 log_cells) { return log_cells == 0 ? 0 : log_cells <= 2 ? 1 : 2; }
// A level that is not 0, to those on its left and above, which are coded later.
__device__ inline void add_to_field(u8* field, i32 at, i32 stride, u32 level) {
    const u8 m = (u8)(level < 3 ? level : 3);
    field[at - 1] += 2 * m, field[at - stride] += 2 * m, field[at - stride - 1] += 2 * m;
    field[at - 2] += m, field[at - 2 * stride] += m;
}

struct Decoder {
    const Frame* frame;
    const u8* shapes;
    const i8* aq_offsets;
    Scans scans;
    const u8* weights;  // (9, 1024) of the frame's matrix
    Symbols symbols;
    Busy around;
    u32* field;  // 34 x 34 bytes
};

// The levels of one block, as coefficients at its place in the plane; false if they are damaged.
__device__ inline bool decode_block(Decoder& d, i32 plane, i32 tier, i32 x, i32 y, i32 x0, i32 y0, i16* coefficients, u8* activity) {
    const Frame& f = *d.frame;
    const u8 shape = d.shapes[f.shapes_at[plane] + (i64)y * f.cells_w[plane] + x];
    const i32 size = SIZE(shape), log_w = size % 3, log_h = size / 3, log_cells = log_w + log_h;
    const i32 bx = x - x0, by = y - y0;
    const i32 left = mean_of(d.around.left + by, log_h), above = mean_of(d.around.above + bx, log_w);
    const i32 around = bx && by ? (left + above + 1) / 2 : bx ? left : by ? above : 0;
    const i32 model = plane ? 3 : size_class(log_cells);
    const i32 index = size + (chroma_halved(f, plane) ? 9 : 0);
    const i32 first = d.scans.first[index], count = d.scans.first[index + 1] - first;
    const u32 end = d.symbols.value(216 + 7 * model + (around + 1) / 2);
    if (end > (u32)count) return false;
    const i32 width = CELL << log_w, height = CELL << log_h, stride = width + 2;
    const i32 base = base_of(f, plane, tier, x, y, d.aq_offsets);
    const u8* weights = d.weights + 1024 * size;
    const i64 plane_width = (i64)f.cells_w[plane] * CELL;
    i16* const out = coefficients + f.samples_at[plane] + (i64)y * CELL * plane_width + x * CELL;
    u32 nonzero = 0;
    u8* const field = (u8*)d.field;
    if (end)
        for (i32 i = 0; 4 * i < stride * (height + 2); ++i) d.field[i] = 0;
    for (i32 i = (i32)end - 1; i >= 0; --i) {
        const i32 at = d.scans.place[first + i], band = least(d.scans.band[first + i], 5), c = magnitude_class(field[at]);
        const bool last = i + 1 == (i32)end;
        u32 level = d.symbols.value(54 * model + (last ? 48 + band : 8 * band + c)) + last;
        if (level > 32767) level = 32767;
        if (!level) continue;
        const bool negative = d.symbols.bits.get(1);
        add_to_field(field, at, stride, level);
        const i32 place = d.scans.coefficient[first + i], h = place & (width - 1), v = place >> (log_w + 3);
        out[v * plane_width + h] = (i16)dequantised(negative ? -(i32)level : (i32)level, step_of(base, log_cells, weights[place]));
        ++nonzero;
    }
    const u8 own = (u8)activity_of(log_cells, nonzero);
    for (i32 j = 0; j < 1 << log_h; ++j) {
        d.around.left[by + j] = own;
        for (i32 i = 0; i < 1 << log_w; ++i) activity[f.cells_at[plane] + (i64)(y + j) * f.cells_w[plane] + x + i] = own;
    }
    for (i32 i = 0; i < 1 << log_w; ++i) d.around.above[bx + i] = own;
    return true;
}

// Streams are (raw offset, raw length, coded offset, coded length) in `data`, by group; activity is NOT_CODED before. Sets damaged[i]
// where the stream of groups[i] is damaged; cells of such a group are NOT_CODED again.
extern "C" __global__ void decode_groups(const i32* frame, i32 tier, const i32* groups, i32 count, const i64* streams, const u8* data,
                                         const u8* slots, const u16* intervals, const u8* table_of, const u8* shapes,
                                         const i8* aq_offsets, const i32* scan_first, const u16* scan_coefficient,
                                         const u16* scan_place, const u8* scan_band, const u8* weights, i16* coefficients, u8* activity,
                                         u8* damaged) {
    __shared__ u32 field[34 * 34 / 4];
    EACH_BLOCK(i, count) {
        if (threadIdx.x) continue;
        const Frame& f = *(const Frame*)frame;
        const i32 group = groups[i], column = group % f.group_columns, row = group / f.group_columns;
        const i64* s = streams + 4 * i;
        Decoder d = {&f, shapes, aq_offsets, {scan_first, scan_coefficient, scan_place, scan_band}, weights, {}, {}, field};
        d.symbols.slots = slots, d.symbols.intervals = intervals, d.symbols.table_of = table_of;
        d.symbols.next = data + s[2], d.symbols.end = data + s[2] + s[3];
        d.symbols.bits.data = data + s[0], d.symbols.bits.size = 8 * (u64)s[1], d.symbols.bits.at = 0;
        bool sound = d.symbols.start();
        for (i32 p = 0; p < f.planes && sound; ++p) {
            const i32 n = chroma_halved(f, p) ? GROUP / 16 : GROUP / 8, x0 = column * n, y0 = row * n;
            const i32 x1 = least(x0 + n, f.cells_w[p]), y1 = least(y0 + n, f.cells_h[p]);
            for (i32 k = 0; k < 36; ++k) d.around.left[k] = d.around.above[k] = 0;
            // Superblocks row by row, and their blocks in the order of a Z curve through their first cells.
            for (i32 sy = y0; sy < y1 && sound; sy += 4)
                for (i32 sx = x0; sx < x1 && sound; sx += 4)
                    for (i32 z = 0; z < 16 && sound; ++z) {
                        const i32 x = sx + ((z & 1) | (z >> 1 & 2)), y = sy + ((z >> 1 & 1) | (z >> 2 & 2));
                        if (x >= x1 || y >= y1) continue;
                        const u8 shape = shapes[f.shapes_at[p] + (i64)y * f.cells_w[p] + x];
                        if (!(shape & LEFT_EDGE) || !(shape & UPPER_EDGE)) continue;
                        if (CLASS(shape) == tier) {
                            sound = decode_block(d, p, tier, x, y, x0, y0, coefficients, activity);
                            continue;
                        }
                        const i32 size = SIZE(shape);
                        for (i32 k = 0; k < 1 << size / 3; ++k) d.around.left[y - y0 + k] = 0;
                        for (i32 k = 0; k < 1 << size % 3; ++k) d.around.above[x - x0 + k] = 0;
                    }
        }
        if (sound && d.symbols.finished()) continue;
        damaged[i] = 1;
        for (i32 p = 0; p < f.planes; ++p) {
            const i32 n = chroma_halved(f, p) ? GROUP / 16 : GROUP / 8;
            for (i32 y = row * n; y < least((row + 1) * n, f.cells_h[p]); ++y)
                for (i32 x = column * n; x < least((column + 1) * n, f.cells_w[p]); ++x)
                    if (CLASS(shapes[f.shapes_at[p] + (i64)y * f.cells_w[p] + x]) == tier) activity[f.cells_at[p] + (i64)y * f.cells_w[p] + x] = NOT_CODED;
        }
    }
}

// Coefficients that the host has decoded: of group i the events from first[4 i] on, of each plane in turn up to first[4 i + 1..3].
// A position is 256 v + h, in samples from the group's corner in the plane.
extern "C" __global__ void place_coefficients(const i32* frame, const i32* groups, i32 count, const i64* first, const u16* positions,
                                              const i16* values, i16* coefficients) {
    EACH_BLOCK(i, count) {
        const Frame& f = *(const Frame*)frame;
        const i32 column = groups[i] % f.group_columns, row = groups[i] / f.group_columns;
        for (i32 p = 0; p < f.planes; ++p) {
            const i32 side = chroma_halved(f, p) ? GROUP / 2 : GROUP;
            const i64 stride = (i64)f.cells_w[p] * CELL, at = first[4 * i + p];
            i16* const out = coefficients + f.samples_at[p] + (i64)row * side * stride + (i64)column * side;
            TOGETHER(k, (i32)(first[4 * i + p + 1] - at)) out[(positions[at + k] >> 8) * stride + (positions[at + k] & 255)] = values[at + k];
        }
    }
}
