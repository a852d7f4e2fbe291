// Colour, composition, and batches (format.md, 7.3.10 and 8).
__device__ inline i32 scaled(i32 a, i32 k) { return ((a * k >> 14) + 1) >> 1; }
__device__ inline u8 byte_of(i32 v) { return (u8)clamp(v >> 4, 0, 255); }

// A sample of chroma of half the size, enlarged; w x h of them are filled.
__device__ inline i32 enlarged(const i16* plane, i64 stride, i32 w, i32 h, i32 x, i32 y) {
    const i16 *nearer = plane + (y / 2) * stride, *farther = plane + clamp(y & 1 ? y / 2 + 1 : y / 2 - 1, 0, h - 1) * stride;
    const i32 own = x / 2, other = clamp(x & 1 ? own + 1 : own - 1, 0, w - 1);
    return (3 * (3 * nearer[own] + farther[own]) + 3 * nearer[other] + farther[other] + 8) >> 4;
}

// Samples to the colours of width x height pixels of so many channels, whose last one stays if it is alpha.
extern "C" __global__ void colour(const i32* frame, const i16* samples, i32 width, i32 height, i32 channels, u8* pixels) {
    const Frame& f = *(const Frame*)frame;
    EACH_THREAD(i, (i64)width * height) {
        const i32 x = (i32)(i % width), y = (i32)(i / width);
        const i32 l = samples[f.samples_at[0] + y * stride_of(f, 0) + x] + 2056;
        u8* const out = pixels + i * channels;
        if (f.planes == 1) {
            out[0] = byte_of(l);
            continue;
        }
        i32 chroma[2];
        for (i32 c = 0; c < 2; ++c) {
            const i16* plane = samples + f.samples_at[c + 1];
            const i64 stride = stride_of(f, c + 1);
            // At a smaller scale, planes are of one size.
            const bool half = f.subsampled && f.log[0] == 0;
            chroma[c] = half ? enlarged(plane, stride, (width + 1) / 2, (height + 1) / 2, x, y) : plane[y * stride + x];
        }
        out[0] = byte_of(l + chroma[1] + scaled(chroma[1], 13173));
        out[1] = byte_of(l - scaled(chroma[0], 11277) - scaled(chroma[1], 23401));
        out[2] = byte_of(l + chroma[0] + scaled(chroma[0], 25297));
    }
}

// Runs of pixels over others: (y, x, length, index of the first one in `source`), `count` of them, so many channels first
// of the image's.
extern "C" __global__ void paste_runs(const i64* runs, i64 count, const u8* source, i32 own, i32 width, i32 channels, u8* pixels) {
    EACH_BLOCK(i, count) {
        const i64* r = runs + 4 * i;
        u8* const out = pixels + (r[0] * width + r[1]) * channels;
        const u8* const in = source + r[3] * own;
        TOGETHER(k, (i32)r[2] * own) out[(i64)(k / own) * channels + k % own] = in[k];
    }
}

// Residuals: what is added to the sample at a place.
extern "C" __global__ void add_residuals(const i64* places, const i16* residuals, i64 count, u8* pixels) {
    EACH_THREAD(i, count) pixels[places[i]] = (u8)clamp(pixels[places[i]] + residuals[i], 0, 255);
}

// Of boxes of scale x scale pixels that hold exact ones, the mean with these in place: (place, channel sums.., number) each.
extern "C" __global__ void blend_boxes(const i64* places, const u32* sums, const u32* counts, i64 count, i32 scale, i32 whole_width,
                                       i32 whole_height, i32 width, i32 channels, u8* pixels) {
    EACH_THREAD(i, count * channels) {
        const i64 at = places[i / channels], x = at % width, y = at / width;
        const u32 w = (u32)least(scale, (i32)(whole_width - x * scale)), h = (u32)least(scale, (i32)(whole_height - y * scale));
        const u32 n = w * h, m = counts[i / channels];
        u8& sample = pixels[at * channels + i % channels];
        sample = (u8)((sums[i] + (n - m) * sample + n / 2) / n);
    }
}

// An image resized with a triangular filter that covers all of it, as float32 0..1 or as bytes; `planar`: channels first.
extern "C" __global__ void resize(const u8* pixels, i32 width, i32 height, i32 channels, i32 out_w, i32 out_h, i32 planar, i32 bytes,
                                  float* floats, u8* rounded) {
    const float scale_x = (float)width / out_w, scale_y = (float)height / out_h;
    const float reach_x = scale_x > 1 ? scale_x : 1, reach_y = scale_y > 1 ? scale_y : 1;
    EACH_THREAD(i, (i64)out_w * out_h) {
        const i32 x = (i32)(i % out_w), y = (i32)(i / out_w);
        const float cx = (x + 0.5f) * scale_x, cy = (y + 0.5f) * scale_y;
        const i32 x0 = clamp((i32)(cx - reach_x + 0.5f), 0, width - 1), x1 = clamp((i32)(cx + reach_x + 0.5f), x0 + 1, width);
        const i32 y0 = clamp((i32)(cy - reach_y + 0.5f), 0, height - 1), y1 = clamp((i32)(cy + reach_y + 0.5f), y0 + 1, height);
        float sums[4] = {0, 0, 0, 0}, total = 0;
        for (i32 v = y0; v < y1; ++v) {
            const float dy = (v + 0.5f - cy) / reach_y, wy = 1 - (dy < 0 ? -dy : dy);
            if (wy <= 0) continue;
            for (i32 u = x0; u < x1; ++u) {
                const float dx = (u + 0.5f - cx) / reach_x, weight = wy * (1 - (dx < 0 ? -dx : dx));
                if (weight <= 0) continue;
                total += weight;
                for (i32 c = 0; c < channels; ++c) sums[c] += weight * pixels[((i64)v * width + u) * channels + c];
            }
        }
        for (i32 c = 0; c < channels; ++c) {
            const i64 at = planar ? ((i64)c * out_h + y) * out_w + x : i * channels + c;
            const float mean = sums[c] / total;
            if (bytes) rounded[at] = (u8)clamp((i32)(mean + 0.5f), 0, 255);
            else floats[at] = mean / 255;
        }
    }
}

// One value of every pixel into a channel; without `values`, `constant`.
extern "C" __global__ void set_channel(const u8* values, i32 constant, i64 count, i32 channel, i32 channels, u8* pixels) {
    EACH_THREAD(i, count) pixels[i * channels + channel] = values ? values[i] : (u8)constant;
}
