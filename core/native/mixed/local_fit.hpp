// Least squares over the neighbourhood of a pixel, in integers: which weights of the features would have predicted the
// samples above and to the left best. After "TMW" (Meyer, Tischer 1997) and "MRP" the idea of fitting where one is
// goes back to Wu, Barthel 2000; here the sums of products are kept by columns of blocks and decay with distance, so
// that a fit costs the same however far it looks (format.md, 7.1.12).
#pragma once
#include "base/scratch.hpp"
#include "mixed/octet.hpp"
#include "mixed/tables.hpp"

#include <bit>
#include <cstring>

namespace aig::mixed {
namespace {

inline constexpr int kBlock = 8;          // pixels that share a fit
inline constexpr int kMostFeatures = 31;  // without the target

// Weights have 12 fractional bits, and lie within -8..8.
struct alignas(64) Weights {
    std::int16_t w[kWide] = {};
};

class LocalFit {
  public:
    // Samples of a row of so many columns. features: without the target, the last of them a constant 2.
    LocalFit(int features, int width)
        : n_(features), octets_((features + 8) / 8), blocks_((width + kBlock - 1) / kBlock), size_(0) {
        for (int j = 0; j <= n_; ++j) {
            row_[j] = 8 * size_ - (j & ~7);  // so that column i of row j is at row_[j] + i
            size_ += octets_ - j / 8;
        }
        size_ *= 8;
        const std::size_t all = static_cast<std::size_t>(size_) * static_cast<std::size_t>(blocks_);
        above_ = Scratch<std::int32_t>(all + 16);
        own_ = Scratch<std::int32_t>(all + 16);
        std::memset(aligned(above_), 0, all * sizeof(std::int32_t));
        std::memset(aligned(own_), 0, all * sizeof(std::int32_t));
        touched_.assign(static_cast<std::size_t>(blocks_), 0);
    }

    const std::int16_t* weights() const { return weights_.w; }
    // Standard deviation that the fit left, in 1/16, up to 2048.
    int residual() const { return residual_; }

    void start_row() { std::memset(left_, 0, sizeof left_); }

    // Call before the first pixel of a block; needs all earlier blocks of the row to be closed.
    void solve(int block);

    // The features of a pixel of the open block, with its target in place [features]. weight: times |f| below 2^18,
    // times f^2 below 2^24.
    AIG_INLINE void add(const std::int16_t* f, std::int32_t weight) {
        const int at = count_++;
        std::memcpy(features_[at], f, sizeof features_[at]);
        const Octet by = all(weight);
        for (int k = 0; k < octets_; ++k) narrow(weighted_[at] + 8 * k, right<3>(widen(f + 8 * k) * by + all(4)));
    }

    // Takes the pixels that were added into the sums; a block without any leaves no trace.
    void close(int block);

    // What lies to the right of a block counts for the row below.
    void end_row();

  private:
    static std::int32_t* aligned(const Scratch<std::int32_t>& s) {
        return reinterpret_cast<std::int32_t*>((reinterpret_cast<std::uintptr_t>(s.get()) + 31) & ~std::uintptr_t{31});
    }
    std::int32_t* of(const Scratch<std::int32_t>& s, int block) const {
        return aligned(s) + static_cast<std::ptrdiff_t>(block) * size_;
    }
    void scale(int block);
    template <int kOctets> void eliminate();
    void substitute();

    int n_, octets_, blocks_, size_;
    int row_[kMostFeatures + 1];
    // Sums for every column of blocks: of the rows above with all that counts there, and of this row's block alone.
    Scratch<std::int32_t> above_{0}, own_{0};
    std::vector<std::uint8_t> touched_;
    static constexpr int kMostSums = 8 * (8 * (1 + 2 + 3 + 4));
    alignas(64) std::int32_t left_[kMostSums], right_[kMostSums];
    alignas(64) std::int32_t a_[kMostSums];  // the matrix, and then its factor
    alignas(64) std::int32_t shift_[kWide];
    std::uint32_t inverse_[kMostFeatures];  // of the pivots' roots, and the shifts that go with them; or 0
    int exponent_[kMostFeatures];
    alignas(64) std::int16_t features_[kBlock][kWide], weighted_[kBlock][kWide];
    int count_ = 0;
    Weights weights_;
    int residual_ = 0;
    std::int32_t total_ = 0;  // what the constant adds up to
};

// Bounds. By what add() asks for, a product is below 2^21 + 2^10, a block's sum below 2^24 + 2^13 =: c. left_ and
// right_ are at most 4/3 c; above_ goes to 3 (c + 4/3 c + 4/3 c) = 11 c < 2^27.5, and left_ + above_ stays below 2^28.
// Diagonal sums are never negative, since f and its rounded multiple have the same sign.
inline void LocalFit::close(int block) {
    if (!count_) return;
    touched_[static_cast<std::size_t>(block)] = 1;
    if (count_ & 1) {
        std::memset(features_[count_], 0, sizeof features_[count_]);
        std::memset(weighted_[count_], 0, sizeof weighted_[count_]);
        ++count_;
    }
    const int pairs = count_ / 2;
    count_ = 0;
    alignas(64) std::int16_t f[kBlock / 2][2 * kWide], w[kBlock / 2][2 * kWide];
    for (int t = 0; t < pairs; ++t)
        for (int i = 0; i < 8 * octets_; i += 8) {
            interleave(f[t] + 2 * i, features_[2 * t] + i, features_[2 * t + 1] + i);
            interleave(w[t] + 2 * i, weighted_[2 * t] + i, weighted_[2 * t + 1] + i);
        }
    std::int32_t *own = of(own_, block), *above = of(above_, block);
    for (int j = 0; j <= n_; ++j)
        for (int i = j & ~7; i < 8 * octets_; i += 8) {
            Octet c = all(0);
            for (int t = 0; t < pairs; ++t) c = c + pair_products(f[t] + 2 * i, w[t] + 2 * j);
            const int at = row_[j] + i;
            store(own + at, c);
            const Octet left = load(left_ + at), v = load(above + at) + c + left;
            store(above + at, v - right<2>(v));
            store(left_ + at, right<2>(left) + c);
        }
}

inline void LocalFit::end_row() {
    std::memset(right_, 0, sizeof right_);
    for (int b = blocks_ - 1; b >= 0; --b) {
        if (!touched_[static_cast<std::size_t>(b)]) continue;
        touched_[static_cast<std::size_t>(b)] = 0;
        const std::int32_t* own = of(own_, b);
        std::int32_t* above = of(above_, b);
        for (int at = 0; at < size_; at += 8) {
            const Octet r = load(right_ + at);
            store(above + at, load(above + at) + r - right<2>(r));
            store(right_ + at, right<2>(r) + load(own + at));
        }
    }
}

inline void LocalFit::solve(int block) {
    scale(block);
    switch (octets_) {
    case 2: eliminate<2>(); break;
    case 3: eliminate<3>(); break;
    default: eliminate<4>();
    }
    substitute();
}

// Row and column i times 2^shift_[i], so that the diagonal lies within 2^26..2^28: then 28 bits are enough for all.
inline void LocalFit::scale(int block) {
    const std::int32_t* above = of(above_, block);
    for (int i = n_ + 1; i < 8 * octets_; ++i) shift_[i] = 0;
    for (int i = 0; i <= n_; ++i) {
        const int at = row_[i] + i;
        std::int32_t d = left_[at] + above[at];
        if (i == n_ - 1) total_ = d;
        if (i < n_) d += (d >> 11) + 64;
        shift_[i] = (28 - std::min(28, static_cast<int>(std::bit_width(static_cast<std::uint32_t>(d))))) >> 1;
    }
    const Octet most = all((1 << 28) - 1);
    for (int j = 0; j <= n_; ++j)
        for (int i = j & ~7; i < 8 * octets_; i += 8) {
            const int at = row_[j] + i;
            const Octet by = load(shift_ + i) + all(shift_[j]), limit = right(most, by);
            store(a_ + at, left(clamp(load(left_ + at) + load(above + at), all(0) - limit, limit), by));
        }
    for (int i = 0; i < n_; ++i) {
        const int at = row_[i] + i;
        const std::int32_t d = left_[at] + above[at];
        a_[at] = std::min((d + (d >> 11) + 64) << 2 * shift_[i], (1 << 28) - 1);
    }
}

// Cholesky's factor row by row; u = a / sqrt(p) has 15 fractional bits. Everything is cut to 28 bits, as it would stay
// in exact arithmetic: so |u| < 2^30, u / 2 < 2^29, and what is subtracted is below 2^29.
template <int kOctets> void LocalFit::eliminate() {
    const Octet most = all((1 << 28) - 1), least = all(-(1 << 28) + 1), half = all((1 << 29) - 1);
    alignas(64) std::int32_t factor[8 * kOctets];
    for (int k = 0; k < n_; ++k) {
        std::int32_t* row = a_ + row_[k];
        const std::int32_t p = row[k];
        if (p < 1 << 13) {
            inverse_[k] = 0;
            for (int i = k & ~7; i < 8 * kOctets; i += 8) store(row + i, all(0));
            continue;
        }
        const int e = (28 - static_cast<int>(std::bit_width(static_cast<std::uint32_t>(p)))) >> 1;
        const std::uint32_t m = static_cast<std::uint32_t>(p) << 2 * e, i0 = m >> 20, part = m & 0xFFFFF;
        const std::uint32_t here = kInverseRoot[i0 - 64], step = here - kInverseRoot[i0 - 63];
        const std::uint32_t root = (here - static_cast<std::uint32_t>(std::uint64_t{step} * part >> 20)) << 4;
        inverse_[k] = std::min(root, 0x7FFFFFFFu);
        exponent_[k] = e;
        const Octet g = all(static_cast<std::int32_t>(inverse_[k])), limit = all(((1 << 28) - 1) >> e);
        Octet u[kOctets], odd[kOctets];
        AIG_UNROLL
        for (int v = 0; v < kOctets; ++v) {
            u[v] = odd[v] = all(0);
            if (v < k / 8) continue;
            u[v] = high_product(left(clamp(load(row + 8 * v), all(0) - limit, limit), e + 3), g);
            odd[v] = odd_lanes(u[v]);
            store(row + 8 * v, u[v]);
            store(factor + 8 * v, left(clamp(u[v], all(0) - half, half), 2));
        }
        AIG_UNROLL
        for (int group = 0; group < kOctets; ++group)
            for (int j = std::max(k + 1, 8 * group); j < std::min(8 * group + 8, n_ + 1); ++j) {
                std::int32_t* target = a_ + row_[j];
                AIG_UNROLL
                for (int v = group; v < kOctets; ++v)
                    store(target + 8 * v,
                          clamp(load(target + 8 * v) - high_product(factor[j], u[v], odd[v]), least, most));
            }
    }
}

inline void LocalFit::substitute() {
    alignas(64) std::int32_t w[kWide] = {};  // 22 fractional bits, in the scaled coordinates
    for (int k = n_ - 1; k >= 0; --k) {
        if (!inverse_[k]) continue;
        const std::int32_t* row = a_ + row_[k];
        Octet known = all(0);
        for (int i = (k + 1) & ~7; i < 8 * octets_; i += 8) known = known + high_product(load(row + i), load(w + i));
        const std::int64_t rest = (row[n_] >> 10) - std::int64_t{sum(known)};
        const std::int64_t v = rest * inverse_[k] >> (27 - exponent_[k]);
        w[k] = static_cast<std::int32_t>(std::clamp<std::int64_t>(v, -(1 << 28) + 1, (1 << 28) - 1));
    }
    for (int k = 0; k < n_; ++k) {
        const std::int64_t v = (std::int64_t{w[k]} << 2) >> (12 - shift_[k] + shift_[n_]);
        weights_.w[k] = static_cast<std::int16_t>(std::clamp<std::int64_t>(v, -32767, 32767));
    }
    // The last pivot is what is left of the target's square.
    const std::int64_t left = std::max(0, a_[row_[n_] + n_]) >> 2 * shift_[n_];
    const auto square = static_cast<std::uint32_t>(std::min<std::int64_t>(left * 256 / ((total_ >> 2) + 1), 1 << 22));
    std::uint32_t root = 0;
    for (std::uint32_t bit = 1u << 11; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= square) root += bit;
    residual_ = static_cast<int>(root);
}

}  // namespace
}  // namespace aig::mixed
