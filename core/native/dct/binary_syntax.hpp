// Syntax elements of the lossy tiers as binary decisions (format.md, 7.3.5 and 7.3.6).
#pragma once
#include "dct/contexts.hpp"
#include "entropy/adaptive.hpp"

#include <bit>
#include <type_traits>

namespace aig {

// value + 1 in binary: the number of digits in unary, then the digits below the highest.
template <BinaryCoder Coder> AIG_INLINE unsigned exp_golomb(Coder& coder, AdaptiveBit* more, unsigned value) {
    unsigned k = 0;
    if constexpr (Coder::kDecodes) {
        while (k < kTailClasses && coder.symbol(more[k], false)) ++k;
    } else {
        k = static_cast<unsigned>(std::bit_width(value + 1)) - 1;
        for (unsigned j = 0; j < k; ++j) coder.symbol(more[j], true);
        if (k < kTailClasses) coder.symbol(more[k], false);
    }
    const unsigned first = (1u << k) - 1;
    return k ? first + coder.bits(value - first, k) : first;
}

// What the levels of one block would cost in bits, by what its contexts have learned.
class BinaryCosts {
  public:
    explicit BinaryCosts(const HighModel::Levels& contexts) : contexts_(contexts) {}

    // Of a magnitude and its sign.
    float level(const LevelContext& c, unsigned level) const {
        const AdaptiveBit significant = contexts_.significant[c.band][c.magnitude][c.activity];
        if (!level) return bits_of(significant, false);
        float bits = bits_of(significant, true) + 1 + bits_of(contexts_.above_one[c.band][c.magnitude], level > 1);
        if (level < 2) return bits;
        bits += bits_of(contexts_.above_two[c.band][c.magnitude], level > 2);
        if (level < 3) return bits;
        const AdaptiveBit* tail = contexts_.tail[std::min(7, (c.around + 1) / 4)];
        const int k = static_cast<int>(std::bit_width(level - 2)) - 1;
        for (int j = 0; j < k; ++j) bits += bits_of(tail[j], true) + 1;
        return k < kTailClasses ? bits + bits_of(tail[k], false) : bits;
    }
    // By how much less a level costs where it is the last one of the scan, which is known not to be 0.
    float spared_by_last(const LevelContext& c, unsigned) const {
        return bits_of(contexts_.significant[c.band][c.magnitude][c.activity], true);
    }
    float end(int context, unsigned end) const {
        const int n = std::bit_width(end);
        float bits = 0;
        for (int j = 0; j < n; ++j) bits += bits_of(contexts_.end_class[context][j], true);
        if (n + 1 < kEndClasses) bits += bits_of(contexts_.end_class[context][n], false);
        if (n < 2) return bits;
        const bool high = end >> (n - 2) & 1;
        bits += bits_of(contexts_.end_high[n], high);
        if (n < 3) return bits;
        return bits + bits_of(contexts_.end_second[n][high], end >> (n - 3) & 1) + static_cast<float>(n - 3);
    }

  private:
    const HighModel::Levels& contexts_;
};

// Contexts is HighModel or LowModel, and what a stream begins with.
template <BinaryCoder Coder, class Contexts> class BinarySyntax {
  public:
    static constexpr bool kDecodes = Coder::kDecodes;

    BinarySyntax(Coder& coder, const Contexts& contexts) : coder_(coder), contexts_(contexts) {}
    const Contexts& contexts() const { return contexts_; }

    // High frequencies

    // How many entries of the scan reach up to the last coefficient that is not 0.
    unsigned end(int plane, int size, int context, unsigned end) {
        auto& m = contexts_.of[plane][size];
        auto n = static_cast<unsigned>(std::bit_width(end));
        if constexpr (kDecodes) {
            for (n = 0; n + 1 < kEndClasses && coder_.symbol(m.end_class[context][n], false);) ++n;
        } else {
            for (unsigned j = 0; j + 1 < kEndClasses && (coder_.symbol(m.end_class[context][j], n > j)); ++j) {}
        }
        if (n < 2) return n;
        unsigned value = 1, left = n - 1;
        const auto digit = [&] { return (end >> (left - 1) & 1) != 0; };
        value = 2 * value + coder_.symbol(m.end_high[n], digit());
        if (--left) {
            value = 2 * value + coder_.symbol(m.end_second[n][value & 1], digit());
            --left;
        }
        return left ? value << left | coder_.bits(end & ((1u << left) - 1), left) : value;
    }
    BinaryCosts costs(int plane, int size) const { return BinaryCosts(contexts_.of[plane][size]); }
    // The levels of one block. It works on a copy of the coder, which the compiler can keep in registers: close() puts
    // it back.
    class Levels {
      public:
        Levels(BinarySyntax& syntax, int plane, int size)
            : syntax_(syntax), coder_(syntax.coder_), contexts_(syntax.contexts_.of[plane][size]) {}
        void close() {
            if constexpr (std::is_trivially_copyable_v<Coder>) syntax_.coder_ = coder_;
        }

        // A magnitude; the last one of the scan, which comes first, is not 0.
        AIG_INLINE unsigned level(const LevelContext& c, bool last, unsigned level) {
            if (!last && !coder_.symbol(contexts_.significant[c.band][c.magnitude][c.activity], level > 0)) return 0;
            if (!coder_.symbol(contexts_.above_one[c.band][c.magnitude], level > 1)) return 1;
            if (!coder_.symbol(contexts_.above_two[c.band][c.magnitude], level > 2)) return 2;
            return std::min<unsigned>(
                3 + exp_golomb(coder_, contexts_.tail[std::min(7, (c.around + 1) / 4)], level - 3), kLargestLevel);
        }
        AIG_INLINE bool negative(bool is) { return coder_.bits(is, 1) != 0; }

      private:
        BinarySyntax& syntax_;
        std::conditional_t<std::is_trivially_copyable_v<Coder>, Coder, Coder&> coder_;
        typename Contexts::Levels& contexts_;
    };
    bool negative(bool is) { return coder_.bits(is, 1) != 0; }

    // The LF image

    Cut partition(int plane, int log, int context, Cut cut) {
        auto& m = contexts_.of[plane];
        if (!coder_.symbol(m.kept[2 - log][context], cut != Cut::quarters)) return Cut::quarters;
        if (!coder_.symbol(m.halved[2 - log], cut != Cut::whole)) return Cut::whole;
        return coder_.symbol(m.tall[2 - log][context], cut == Cut::tall) ? Cut::tall : Cut::wide;
    }
    unsigned quantiser_change(unsigned magnitude) { return exp_golomb(coder_, contexts_.adaptation, magnitude); }
    unsigned dc(int plane, Shape shape, int gradient, unsigned magnitude) {
        return exp_golomb(coder_, contexts_.of[plane].dc[shape.log_cells()][gradient], magnitude);
    }
    // The other coefficients that a block has in the LF image, like Levels.
    class LowLevels {
      public:
        LowLevels(BinarySyntax& syntax, int plane, Shape shape)
            : syntax_(syntax), coder_(syntax.coder_), contexts_(syntax.contexts_.of[plane]), size_(shape.log_cells()),
              most_(shape.low_w() + shape.low_h() - 2) {}
        void close() {
            if constexpr (std::is_trivially_copyable_v<Coder>) syntax_.coder_ = coder_;
        }

        // The largest h + v of a coefficient that is not 0.
        int end(int context, int end) {
            int n = 0;
            while (n < most_ && coder_.symbol(contexts_.low_end[size_][context][n], end > n)) ++n;
            return n;
        }
        AIG_INLINE unsigned level(int sum, int around, unsigned level) {
            auto& m = contexts_.low[size_][std::min(sum, kLowSums - 1)][around];
            if (!coder_.symbol(m[0], level > 0)) return 0;
            if (!coder_.symbol(m[1], level > 1)) return 1;
            if (!coder_.symbol(m[2], level > 2)) return 2;
            return 3 + exp_golomb(coder_, contexts_.tail[around], level - 3);
        }
        AIG_INLINE bool negative(bool is) { return coder_.bits(is, 1) != 0; }

      private:
        BinarySyntax& syntax_;
        std::conditional_t<std::is_trivially_copyable_v<Coder>, Coder, Coder&> coder_;
        typename Contexts::Plane& contexts_;
        int size_, most_;
    };

  private:
    Coder& coder_;
    Contexts contexts_;
};

}  // namespace aig
