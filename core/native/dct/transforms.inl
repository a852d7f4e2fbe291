// The transforms of dct/transforms.hpp. Included by one unit per instruction set, which defines nothing else.
// Everything is in an anonymous namespace: each unit is compiled for another processor, and the linker must not merge
// their code.
#include "base/common.hpp"
#include "dct/transforms.hpp"

#include <cstring>

#if defined(__AVX2__)
#include "dct/transforms_registers.hpp"
#endif

// GCC would shuffle what was stored in an array rather than read it back, where broadcasts are free; this says that it
// may have changed. And it would vectorise the loop around a short one rather than that, if it is not told to let the
// short one be.
#if defined(__GNUC__)
#define AIG_READ_BACK(array) asm("" : "+m"(array))
#define AIG_ROLLED _Pragma("GCC unroll 1")
#else
#define AIG_READ_BACK(array)
#define AIG_ROLLED
#endif

namespace aig {
namespace {

using i16 = std::int16_t;
using i32 = std::int32_t;

constexpr int kMaxSide = 32;

// The integer DCT matrix of H.265 (ITU-T H.265, 8.6.4.2): row k is 64 * sqrt(32) times the orthonormal basis of
// frequency k.
struct Matrix {
    alignas(64) i16 at[kMaxSide][kMaxSide];
    constexpr Matrix() : at{} {
        // About 64 * sqrt(2) * cos(pi * m / 64), in part tuned by hand.
        constexpr i16 cosine[33] = {90, 90, 90, 90, 89, 88, 87, 85, 83, 82, 80, 78, 75, 73, 70, 67, 64,
                                    61, 57, 54, 50, 46, 43, 38, 36, 31, 25, 22, 18, 13, 9,  4,  0};
        for (int n = 0; n < kMaxSide; ++n) at[0][n] = 64;
        for (int k = 1; k < kMaxSide; ++k)
            for (int n = 0; n < kMaxSide; ++n) {
                int m = k * (2 * n + 1) % 128;
                if (m > 64) m = 128 - m;
                at[k][n] = static_cast<i16>(m > 32 ? -cosine[64 - m] : cosine[m]);
            }
    }
};
constexpr Matrix kMatrix;

// The matrix for N points consists of every (32 / N)th row, of which only the first N entries count. The second half of
// such a row mirrors the first, for odd frequencies with changed sign.
template <int N> AIG_INLINE constexpr const i16* matrix_row(int k) { return kMatrix.at[k * (kMaxSide / N)]; }

template <int N> constexpr int kLog2 = N == 8 ? 3 : N == 16 ? 4 : 5;
template <int N> constexpr int kForwardRowShift = kLog2<N> + 2;
template <int N> constexpr int kForwardColumnShift = kLog2<N> + 7;
constexpr int kInverseColumnShift = 7, kInverseRowShift = 8;

AIG_INLINE i32 round_shift(i32 x, int shift) { return (x + (1 << (shift - 1))) >> shift; }
AIG_INLINE i16 clip(i32 x, i32 low, i32 high) { return static_cast<i16>(x < low ? low : x > high ? high : x); }
AIG_INLINE i16 finish_column(i32 x) { return clip(round_shift(x, kInverseColumnShift), -32768, 32767); }
AIG_INLINE i16 finish_row(i32 x) { return clip(round_shift(x, kInverseRowShift), -2048, 2047); }

#if defined(__AVX2__)

// ---- Forward ----

// Along rows every lane is a frequency, and the numbers of a row are broadcast by twos.
template <int N> struct ForwardTable {
    alignas(64) i16 odd[N / 4][N / 2][2], even[N / 8][N / 2][2];  // numbers 2j and 2j + 1 of the first half or quarter
    constexpr ForwardTable() : odd{}, even{} {
        for (int j = 0; j < N / 4; ++j)
            for (int k = 0; k < N; ++k)
                for (int i = 0; i < 2; ++i)
                    if (k % 2)
                        odd[j][k / 2][i] = matrix_row<N>(k)[2 * j + i];
                    else if (j < N / 8)
                        even[j][k / 2][i] = matrix_row<N>(k)[2 * j + i];
    }
};
template <int N> constexpr ForwardTable<N> kForward;

// Sums and differences of numbers and their mirror images; of two rows, one in each half.
template <int Count> AIG_INLINE void fold(const V8* x, V8* sums, V8* differences) {
    const V8 reverse = V8::all(_mm_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1));
    for (int i = 0; i < (Count + 1) / 2; ++i) {
        const V8 mirrored = shuffle_bytes(x[Count - 1 - i], reverse);
        sums[i] = add16(x[i], mirrored);
        differences[i] = sub16(x[i], mirrored);
    }
}

// Fold rows: first what the even frequencies are made of, folded once more, sums and differences by turns in twos; then
// the differences that make the odd ones. Rows of 8 are folded but once.
template <int W, int H> AIG_INLINE void fold_rows(const i16* samples, std::ptrdiff_t stride, i16 (*out)[W]) {
    constexpr int vectors = W / 8;
    for (int y = 0; y < H; y += 2) {
        const i16* s = samples + y * stride;
        V8 x[vectors], sums[vectors], differences[vectors], even_sums[vectors], even_differences[vectors];
        for (int i = 0; i < vectors; ++i) x[i] = V8::load(s + 8 * i, s + stride + 8 * i);
        fold<vectors>(x, sums, differences);
        if constexpr (W == 8) {
            interleave_pairs_low(sums[0], differences[0]).store(out[y], out[y + 1]);
        } else {
            fold<vectors / 2>(sums, even_sums, even_differences);
            interleave_pairs_low(even_sums[0], even_differences[0]).store(out[y], out[y + 1]);
            if (W == 32) interleave_pairs_high(even_sums[0], even_differences[0]).store(out[y] + 8, out[y + 1] + 8);
            for (int i = 0; i < vectors / 2; ++i)
                differences[i].store(out[y] + W / 2 + 8 * i, out[y + 1] + W / 2 + 8 * i);
        }
    }
}

template <class V, int W, int H> AIG_INLINE void forward_rows(const i16 (*folded)[W], i16* t) {
    constexpr int shift = kForwardRowShift<W>;
    const V rounding = V::all(1 << (shift - 1));
    for (int k = 0; k < W / 2; k += V::kLanes)
        for (int y = 0; y < H; y += 2) {
            V even[2] = {rounding, rounding}, odd[2] = {rounding, rounding};
            for (int j = 0; j < W / 8; ++j)
                for (int i = 0; i < 2; ++i)
                    add_products(even[i], quad<V>(folded[y + i] + 4 * j), V::load(kForward<W>.even[j][k]));
            for (int j = 0; j < W / 4; ++j)
                for (int i = 0; i < 2; ++i)
                    add_products(odd[i], pair<V>(folded[y + i] + W / 2 + 2 * j), V::load(kForward<W>.odd[j][k]));
            for (int i = 0; i < 2; ++i)
                alternate16(right<shift>(even[i]), left<16 - shift>(odd[i])).store(t + (y + i) * W + 2 * k);
        }
}

// Rows of 8 are like the even frequencies of 16. For columns of 8 rows are left interleaved by twos, for longer ones in
// the low halves of each 128 bits.
template <int H> AIG_INLINE void forward_rows_of_8(const i16 (*folded)[8], i16* t) {
    constexpr int shift = kForwardRowShift<8>;
    for (int y = 0; y < H; y += 2) {
        V8 sums[2] = {V8::all(1 << (shift - 1)), V8::all(1 << (shift - 1))};
        for (int j = 0; j < 2; ++j)
            for (int i = 0; i < 2; ++i)
                add_products(sums[i], quad<V8>(folded[y + i] + 4 * j), V8::load(kForward<16>.even[j][0]));
        if constexpr (H == 8) {
            alternate16(right<shift>(sums[0]), left<16 - shift>(sums[1])).store(t + y * 8);
        } else {
            for (int i = 0; i < 2; ++i) narrow(right<shift>(sums[i]), V8::all(0)).store(t + (y + i) * 16);
        }
    }
}

// Frequencies First, First + Step, ... of columns from N rows, whose pair j is in R registers pairs(j, r).
template <class V, int R, int H, int N, int First, int Step, class Pairs>
AIG_INLINE void forward_some(Pairs pairs, i16* out, int w) {
    constexpr int shift = kForwardColumnShift<H>;
    V x[N / 2][R];
    for (int j = 0; j < N / 2; ++j)
        for (int r = 0; r < R; ++r) x[j][r] = pairs(j, r);
    for (int v = First; v < H; v += 2 * Step) {
        V sums[2][R];
        for (int i = 0; i < 2; ++i)
            for (int r = 0; r < R; ++r) sums[i][r] = V::all(0);
        for (int j = 0; j < N / 2; ++j)
            for (int i = 0; i < 2; ++i)
                for (int r = 0; r < R; ++r)
                    add_products(sums[i][r], x[j][r], pair<V>(matrix_row<H>(v + i * Step) + 2 * j));
        // Twice a coefficient still fits 16 bits: the largest are 16 * 2048 and, since 2048 itself is no sample, 16 *
        // 2047.5.
        const auto finish = [](V a, V b) AIG_INLINE_LAMBDA {
            return multiply_rounded16(narrow(right<shift - 1>(a), right<shift - 1>(b)),
                                      V::all(0x40004000));  // (x + 1) >> 1
        };
        if constexpr (R == 1) {
            split_halves(finish(sums[0][0], sums[1][0])).store(out + v * w, out + (v + Step) * w);
        } else {
            for (int i = 0; i < 2; ++i) finish(sums[i][0], sums[i][1]).store(out + (v + i * Step) * w);
        }
    }
}

template <class Row> AIG_INLINE auto pairs_of(Row row) {
    return [row](int j, int r) AIG_INLINE_LAMBDA {
        return r ? interleave_high(row(2 * j), row(2 * j + 1)) : interleave_low(row(2 * j), row(2 * j + 1));
    };
}

// Columns of 2 * V::kLanes numbers or, with R = 1, of half as many that are spread.
template <class V, int R, int H> void forward_columns(const i16* t, int stride, i16* out, int w) {
    const auto x = [=](int y) AIG_INLINE_LAMBDA { return V::load(t + y * stride); };
    if constexpr (H > 8) {
        V low = x(0), high = x(0);
        for (int y = 1; y < H; ++y) low = min16(low, x(y)), high = max16(high, x(y));
        const V width = sub16(high, low);
        // If no column's numbers differ much, sums and differences of four fit 16 bits once the middle is taken off.
        // That changes frequency 0 only, by half the middle: this one's factors are 64 and the shift is by log2(64 * H)
        // + 1.
        if (!any_above16(width, 16380)) {
            const V half = right16<1>(add16(low, right16<1>(width))), middle = add16(half, half),
                    both = add16(middle, middle);
            V sums[H / 2], odd[H / 2], even_sums[H / 4], even_differences[H / 4];
            for (int n = 0; n < H / 2; ++n) {
                sums[n] = sub16(add16(x(n), x(H - 1 - n)), both);
                odd[n] = sub16(x(n), x(H - 1 - n));
            }
            for (int n = 0; n < H / 4; ++n) {
                even_sums[n] = add16(sums[n], sums[H / 2 - 1 - n]);
                even_differences[n] = sub16(sums[n], sums[H / 2 - 1 - n]);
            }
            const auto from = [](const V* rows) AIG_INLINE_LAMBDA {
                return pairs_of([=](int n) AIG_INLINE_LAMBDA { return rows[n]; });
            };
            forward_some<V, R, H, H / 2, 1, 2>(from(odd), out, w);
            forward_some<V, R, H, H / 4, 2, 4>(from(even_differences), out, w);
            forward_some<V, R, H, H / 4, 0, 4>(from(even_sums), out, w);
            V more = half;
            if constexpr (R == 1) more = split_halves(half);  // and nothing for the row behind
            return add16(V::load(out), more).store(out);
        }
    }
    forward_some<V, R, H, H, 0, 1>(pairs_of(x), out, w);
}

template <int W, int H> void forward_block(const i16* samples, std::ptrdiff_t stride, i16* coefficients) {
    constexpr int kPadded = W < 16 ? 16 : W;  // NOLINT(bugprone-branch-clone): in one instance both are 16
    alignas(64) i16 folded[H][W], t[H * kPadded];
    fold_rows<W, H>(samples, stride, folded);
    AIG_READ_BACK(folded);
    if constexpr (W == 8) {
        forward_rows_of_8<H>(folded, t);
        if constexpr (H == 8)
            forward_some<V8, 1, 8, 8, 0, 1>([&](int j, int) AIG_INLINE_LAMBDA { return V8::load(t + 16 * j); },
                                            coefficients, W);
        else
            forward_columns<V8, 1, H>(t, 16, coefficients, W);
    } else if constexpr (W == 16) {
        forward_rows<V8, W, H>(folded, t);
        forward_columns<V8, 2, H>(t, W, coefficients, W);
    } else {
        forward_rows<Widest, W, H>(folded, t);
        for (int k = 0; k < W; k += 2 * Widest::kLanes) forward_columns<Widest, 2, H>(t + k, W, coefficients + k, W);
    }
}

// ---- Inverse ----

// Even frequencies add up to half the sum of a sample and its mirror image, odd ones to half the difference. Pairs are
// made of 4q and 4q + 2, and of 4q + 1 and 4q + 3.
template <int N> struct InverseTable {
    alignas(64) i16 at[N / 4][2][N / 2][2];        // by pair and sample
    alignas(64) i16 twice[N / 4][2][N / 2][2][2];  // the same for two rows
    alignas(64) i16 even[N / 8][2][N / 4][2];      // for pairs of 8q and 8q + 4, and of 8q + 2 and 8q + 6
    constexpr InverseTable() : at{}, twice{}, even{} {
        for (int q = 0; q < N / 4; ++q)
            for (int odd = 0; odd < 2; ++odd)
                for (int n = 0; n < N / 2; ++n)
                    for (int i = 0; i < 2; ++i) {
                        at[q][odd][n][i] = twice[q][odd][n][0][i] = twice[q][odd][n][1][i] =
                            matrix_row<N>(4 * q + odd + 2 * i)[n];
                        if (q < N / 8 && n < N / 4) even[q][odd][n][i] = matrix_row<N>(8 * q + 2 * odd + 4 * i)[n];
                    }
    }
};
template <int N> constexpr InverseTable<N> kInverse;

// Between columns and rows, row n and its mirror image lie from n * kRowPair on, in pairs as above: if columns were in
// R = 1 register, 4q and 4q + 2 of both rows, then 4q + 1 and 4q + 3 of both; otherwise one row after the other.
constexpr int kRowPair = 2 * kMaxSide;
template <int R> constexpr int kMirror = R == 1 ? 2 : kMaxSide;
template <int R> constexpr int kOddPair = R == 1 ? 4 : 2;
template <int R> constexpr int kNextPair = R == 1 ? 8 : 4;

// Numbers of two rows by turns, the middle two of every four columns swapped.
template <class V, int R> AIG_INLINE void pair_rows(const i16* x, const i16* y, V* pairs) {
    if constexpr (R == 1) {
        const V order = V::all(_mm_setr_epi8(0, 1, 8, 9, 4, 5, 12, 13, 2, 3, 10, 11, 6, 7, 14, 15));
        pairs[0] = shuffle_bytes(mix_halves(V::load(x, y)), order);
    } else {
        pairs[0] = swap_middle(interleave_low(V::load(x), V::load(y)));
        pairs[1] = swap_middle(interleave_high(V::load(x), V::load(y)));
    }
}

// R * V::kLanes columns, of which at most the first 4 * Q frequencies are not zero.
template <class V, int R, int H, int Q> AIG_INLINE void inverse_columns(const i16* c, int w, i16* t) {
    constexpr int evens = (Q + 1) / 2, shift = kInverseColumnShift;
    V odd[Q][R], even[evens][2][R];
    for (int q = 0; q < Q; ++q) pair_rows<V, R>(c + (4 * q + 1) * w, c + (4 * q + 3) * w, odd[q]);
    for (int q = 0; q < evens; ++q)
        for (int i = 0; i < 2; ++i) pair_rows<V, R>(c + (8 * q + 2 * i) * w, c + (8 * q + 2 * i + 4) * w, even[q][i]);
    for (int n = 0; n < H / 4; ++n) {
        const int rows[2] = {n, H / 2 - 1 - n};
        V out[2][2][R];  // either row and its mirror image
        for (int r = 0; r < R; ++r) {
            V sum = V::all(1 << (shift - 1)), difference = V::all(0);
            for (int q = 0; q < evens; ++q) {
                add_products(sum, even[q][0][r], pair<V>(kInverse<H>.even[q][0][n]));
                add_products(difference, even[q][1][r], pair<V>(kInverse<H>.even[q][1][n]));
            }
            const V from_even[2] = {sum + difference, sum - difference};
            for (int i = 0; i < 2; ++i) {
                V from_odd = V::all(0);
                for (int q = 0; q < Q; ++q) add_products(from_odd, odd[q][r], pair<V>(kInverse<H>.at[q][1][rows[i]]));
                out[i][0][r] = right<shift>(from_even[i] + from_odd);
                out[i][1][r] = right<shift>(from_even[i] - from_odd);
            }
        }
        for (int i = 0; i < 2; ++i) {
            i16* row = t + kRowPair * rows[i];
            if constexpr (R == 1) {
                swap_middle(narrow(out[i][0][0], out[i][1][0])).store(row);
            } else {
                for (int m = 0; m < 2; ++m) narrow(out[i][m][0], out[i][m][1]).store(row + m * kMirror<R>);
            }
        }
    }
}

// Samples of a first half and their mirror images. Shifted by less than due they saturate at 16 bits where 12 remain.
template <class V> AIG_INLINE V finish_samples(V even, V odd) {
    const V x = even + V::all(1 << (kInverseRowShift - 1));
    return right16<4>(narrow(right<kInverseRowShift - 4>(x + odd), right<kInverseRowShift - 4>(x - odd)));
}

// Rows, likewise; two at a time if a register takes that.
template <class V, int R, int W, int Q> void inverse_rows(const i16* t, int h, i16* samples, std::ptrdiff_t stride) {
    constexpr int lanes = V::kLanes;
    for (int n = 0; n < h / 2; ++n, t += kRowPair) {
        i16* const out[2] = {samples + n * stride, samples + (h - 1 - n) * stride};
        if constexpr (W == lanes) {
            static_assert(R == 1);
            V even = V::all(0), odd = V::all(0);
            for (int q = 0; q < Q; ++q) {
                add_products(even, quad<V>(t + kNextPair<R> * q), V::load(kInverse<W>.twice[q][0][0][0]));
                add_products(odd, quad<V>(t + kNextPair<R> * q + kOddPair<R>), V::load(kInverse<W>.twice[q][1][0][0]));
            }
            const V by_rows = V::all(_mm_setr_epi8(0, 1, 4, 5, 12, 13, 8, 9, 2, 3, 6, 7, 14, 15, 10, 11));
            unfold_rows(shuffle_bytes(finish_samples(even, odd), by_rows)).store(out[0], out[1]);
        } else {
            const V reverse_high = V::all(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 14, 15, 12, 13, 10, 11, 8, 9));
            for (int i = 0; i < 2; ++i)
                for (int k = 0; k < W / 2; k += lanes) {
                    V even = V::all(0), odd = V::all(0);
                    for (int q = 0; q < Q; ++q) {
                        const i16* p = t + kMirror<R> * i + kNextPair<R> * q;
                        add_products(even, pair<V>(p), V::load(kInverse<W>.at[q][0][k]));
                        add_products(odd, pair<V>(p + kOddPair<R>), V::load(kInverse<W>.at[q][1][k]));
                    }
                    unfold_row(shuffle_bytes(finish_samples(even, odd), reverse_high))
                        .store(out[i] + k, out[i] + W - lanes - k);
                }
        }
    }
}

// f<Q>() with the least of Q, .. 4 and Most that is not below `quads`.
template <int Q, int Most, class F> AIG_INLINE void with_quads(int quads, F f) {
    if constexpr (Q == Most)
        return f.template operator()<Most>();
    else if (quads <= Q)
        return f.template operator()<Q>();
    else
        return with_quads < Q < 4 ? Q + 1 : Most, Most > (quads, f);
}

template <int W, int H>
AIG_INLINE void inverse_block(const i16* coefficients, int columns, int rows, i16* samples, std::ptrdiff_t stride) {
    alignas(64) i16 t[kRowPair * H / 2];
    const auto transform = [&]<class V, int R, class RowV, int First, int Most>() {
        // For columns of 8 a choice takes longer than it saves.
        with_quads<H == 8 ? 2 : 1, H / 4>((rows + 3) / 4, [&]<int Q>() {
            if constexpr (R == 1)
                inverse_columns<V, R, H, Q>(coefficients, W, t);
            else
                for (int k = 0; k < columns; k += R * V::kLanes)
                    inverse_columns<V, R, H, Q>(coefficients + k, W, t + k);
        });
        AIG_READ_BACK(t);
        with_quads<First, Most>((columns + 3) / 4,
                                [&]<int Q>() { inverse_rows<RowV, R, W, Q>(t, H, samples, stride); });
    };
    if constexpr (W == 8)
        transform.template operator()<V8, 1, V8, 2, 2>();
    else if (columns <= 8)
        transform.template operator()<V8, 1, Widest, 1, 2>();
    else if constexpr (Widest::kLanes == 8)
        transform.template operator()<V8, 2, V8, 3, W / 4>();
    else if (columns <= 16)
        transform.template operator()<Widest, 1, Widest, 3, 4>();
    else if constexpr (W == 32)
        transform.template operator()<Widest, 2, Widest, 8, 8>();
}

#else  // plain C++, in sums of products of what lies side by side, which compilers vectorise

AIG_INLINE i32 dot(const i16* x, const i16* y, int eights) {
    i32 sum = 0;
    AIG_ROLLED
    for (int i = 0; i < 8 * eights; ++i) sum += x[i] * y[i];
    return sum;
}

template <int W, int H> void forward_block(const i16* samples, std::ptrdiff_t stride, i16* coefficients) {
    i16 t[W][H];
    for (int y = 0; y < H; ++y)
        for (int k = 0; k < W; ++k)
            t[k][y] =
                static_cast<i16>(round_shift(dot(matrix_row<W>(k), samples + y * stride, W / 8), kForwardRowShift<W>));
    for (int k = 0; k < W; ++k)
        for (int v = 0; v < H; ++v)
            coefficients[v * W + k] =
                static_cast<i16>(round_shift(dot(matrix_row<H>(v), t[k], H / 8), kForwardColumnShift<H>));
}

// The matrix by columns.
template <int N> struct InverseTable {
    i16 at[N][N];
    constexpr InverseTable() : at{} {
        for (int n = 0; n < N; ++n)
            for (int k = 0; k < N; ++k) at[n][k] = matrix_row<N>(k)[n];
    }
};
template <int N> constexpr InverseTable<N> kInverse;

template <int W, int H>
void inverse_block(const i16* coefficients, int columns, int rows, i16* samples, std::ptrdiff_t stride) {
    const int row_eights = H == 8 ? 1 : (rows + 7) / 8, column_eights = W == 8 ? 1 : (columns + 7) / 8;
    i16 t[H][W], column[H];
    for (int k = 0; k < 8 * column_eights; ++k) {
        for (int v = 0; v < 8 * row_eights; ++v) column[v] = coefficients[v * W + k];
        for (int y = 0; y < H; ++y) t[y][k] = finish_column(dot(kInverse<H>.at[y], column, row_eights));
    }
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x) samples[y * stride + x] = finish_row(dot(kInverse<W>.at[x], t[y], column_eights));
}

#endif

// ---- Both ----

template <int W, int H>
void inverse_shape(const i16* coefficients, int columns, int rows, i16* samples, std::ptrdiff_t stride) {
    if (columns > 1 || rows > 1) return inverse_block<W, H>(coefficients, columns, rows, samples, stride);
    const i16 s = finish_row(64 * finish_column(64 * coefficients[0]));
    for (int y = 0; y < H; ++y)
        for (int x = 0; x < W; ++x) samples[y * stride + x] = s;
}

// Functions by log2 of width and height, from 3 on.
// NOLINTBEGIN(bugprone-macro-parentheses): a template's name cannot be in any.
#define AIG_SHAPES(f)                                                                                                  \
    {                                                                                                                  \
        {f<8, 8>, f<8, 16>, f<8, 32>}, {f<16, 8>, f<16, 16>, f<16, 32>}, { f<32, 8>, f<32, 16>, f<32, 32> }            \
    }
// NOLINTEND(bugprone-macro-parentheses)

void forward(const i16* samples, std::ptrdiff_t stride, int log2w, int log2h, i16* coefficients) {
    static constexpr decltype(&forward_block<8, 8>) shapes[3][3] = AIG_SHAPES(forward_block);
    shapes[log2w - 3][log2h - 3](samples, stride, coefficients);
}

void inverse(const i16* coefficients, int log2w, int log2h, int columns, int rows, i16* samples,
             std::ptrdiff_t stride) {
    static constexpr decltype(&inverse_shape<8, 8>) shapes[3][3] = AIG_SHAPES(inverse_shape);
    shapes[log2w - 3][log2h - 3](coefficients, columns, rows, samples, stride);
}
#undef AIG_SHAPES

// The bits of a float are a logarithm that is linear between powers of two; 13 fractional ones are kept.
AIG_INLINE i32 cost_of(i16 coefficient, float inverse_step) {
    const float a = static_cast<float>(coefficient) * inverse_step;
    const float x = 1.0f + 6.25f * (a * a);
    i32 bits;
    std::memcpy(&bits, &x, sizeof bits);
    return (bits - 0x3f800000) >> 10;
}

std::int64_t cost(const i16* coefficients, const float* inverse_steps, int count) {
    std::int64_t total = -std::int64_t{cost_of(coefficients[0], inverse_steps[0])};
    for (int start = 0; start < count; start += 64) {
        i32 sum = 0;  // of 64 numbers up to 2^20
        for (int i = start; i < start + 64; ++i) sum += cost_of(coefficients[i], inverse_steps[i]);
        total += sum;
    }
    return total;
}

#if !defined(__AVX2__)
inline bool reaches(i16 coefficient, float inverse_step, float threshold) {
    const float magnitude = static_cast<float>(coefficient) * inverse_step;
    return (magnitude < 0 ? -magnitude : magnitude) >= threshold;
}
#endif

void candidates(const i16* coefficients, const float* inverse_steps, float threshold, int count, std::uint64_t* masks) {
    for (int start = 0; start < count; start += 64) {
        std::uint64_t mask = 0;
#if defined(__AVX512BW__)
        const __m512 limit = _mm512_set1_ps(threshold);
        for (int i = 0; i < 64; i += 16) {
            const __m512i c =
                _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(coefficients + start + i)));
            const __m512 m =
                _mm512_abs_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(c), _mm512_loadu_ps(inverse_steps + start + i)));
            mask |= static_cast<std::uint64_t>(_mm512_cmp_ps_mask(m, limit, _CMP_GE_OQ)) << i;
        }
#elif defined(__AVX2__)
        const __m256 limit = _mm256_set1_ps(threshold),
                     unsigned_bits = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
        for (int i = 0; i < 64; i += 8) {
            const __m256i c =
                _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(coefficients + start + i)));
            const __m256 m = _mm256_and_ps(
                _mm256_mul_ps(_mm256_cvtepi32_ps(c), _mm256_loadu_ps(inverse_steps + start + i)), unsigned_bits);
            mask |= static_cast<std::uint64_t>(
                        static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(m, limit, _CMP_GE_OQ))))
                    << i;
        }
#else
        for (int i = 0; i < 64; ++i)
            mask |= std::uint64_t{reaches(coefficients[start + i], inverse_steps[start + i], threshold)} << i;
#endif
        masks[start / 64] = mask;
    }
}

constexpr TransformKernels kTransforms{forward, inverse, cost, candidates};

}  // namespace
}  // namespace aig
