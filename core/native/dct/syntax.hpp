// What the lossy tiers say, in words: ends of blocks, levels, cuts. Each word is said in adaptive binary decisions or
// in symbols for the static entropy coders (format.md, 7.3); the coders above speak words and know neither.
//
// A word takes the value to encode and returns the value; a decoder ignores what it is given.
#pragma once
#include "dct/blocks.hpp"
#include "entropy/adaptive.hpp"
#include "entropy/symbols.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

namespace aig {

inline constexpr int kPlaneClasses = 2;      // luma, chroma
inline constexpr int kSizeClasses = 3;       // 1 cell; 2 or 4; 8 or 16
inline constexpr int kMagnitudeClasses = 8;  // of the neighbours of a level
inline constexpr int kBusyClasses = 3;       // of the blocks around, for levels
inline constexpr int kEndContexts = 7;       // of the blocks around, for ends
inline constexpr int kEndClasses = 11;       // an end of n bits is of class n: at most 1008
inline constexpr int kTailClasses = 14;      // of what a value exceeds its flags by
inline constexpr int kGradientClasses = 8;
inline constexpr int kLowSums = 7;         // h + v of a coefficient of the 1/8 image, 1..6 and above
inline constexpr int kMostLowSum = 14;     // of 8x8 of them
inline constexpr int kLowEndContexts = 4;  // half the class of the gradient
inline constexpr int kLowMagnitudes = 9;   // classes of the neighbours of a coefficient of the 1/8 image
inline constexpr int kCutContexts = 9;

// Of a sum of magnitudes: 0 to 3 themselves, then 4 to 5, 6 to 8, 9 to 12, 13 to 18 and above.
inline constexpr int low_magnitude_class(int sum) {
    return sum < 4 ? sum : sum < 6 ? 4 : sum < 9 ? 5 : sum < 13 ? 6 : sum < 19 ? 7 : 8;
}

inline constexpr int size_class(Shape s) { return s.log_cells() == 0 ? 0 : s.log_cells() <= 2 ? 1 : 2; }

// Where a level stands: everything that its probability depends on.
struct LevelContext {
    int plane, size, band, magnitude, busy;
    int around;  // the weighted sum that `magnitude` is the class of
};

// `around` is twice the sum of three neighbours plus the two behind them, each up to 3: at most 24.
inline constexpr std::array<std::uint8_t, 25> kMagnitudeClass = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6,
                                                                 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7};

// The probabilities that one stream of high frequencies learns.
struct HighModel {
    struct Levels {
        AdaptiveBit significant[kBands][kMagnitudeClasses][kBusyClasses];
        AdaptiveBit above_one[kBands][kMagnitudeClasses], above_two[kBands][kMagnitudeClasses];
        AdaptiveBit tail[8][kTailClasses];
        AdaptiveBit end_class[kEndContexts][kEndClasses - 1];
        AdaptiveBit end_high[kEndClasses], end_second[kEndClasses][2];
    };
    Levels of[kPlaneClasses][kSizeClasses];
};

// The probabilities that one stream of the 1/8 image learns.
struct LowModel {
    struct Plane {
        AdaptiveBit kept[2][kCutContexts];  // the square is not cut into quarters; for 32 and 16 samples
        AdaptiveBit halved[2];
        AdaptiveBit tall[2][kCutContexts];
        AdaptiveBit dc[5][kGradientClasses][kTailClasses];
        AdaptiveBit low_end[5][kLowEndContexts][kMostLowSum];
        AdaptiveBit low[5][kLowSums][kLowMagnitudes][3];
        AdaptiveBit tail[kLowMagnitudes][kTailClasses];
    };
    Plane of[3];  // Y, Cb, Cr
    AdaptiveBit adaptation[kTailClasses];
};

const HighModel& trained_high();
const LowModel& trained_low();

// value + 1 in binary: the number of digits in unary, then the digits below the highest.
template <class Bits> AIG_INLINE unsigned exp_golomb(Bits& bits, AdaptiveBit* more, unsigned value) {
    unsigned k = 0;
    if constexpr (Bits::kDecodes) {
        while (k < kTailClasses && bits.bit(more[k])) ++k;
    } else {
        k = static_cast<unsigned>(std::bit_width(value + 1)) - 1;
        for (unsigned j = 0; j < k; ++j) bits.bit(more[j], true);
        if (k < kTailClasses) bits.bit(more[k], false);
    }
    const unsigned first = (1u << k) - 1;
    return k ? first + bits.raw(value - first, k) : first;
}

// Values of 3 and more in exp_golomb, the largest that it has classes for.
inline constexpr unsigned kLargestTail = (2u << kTailClasses) - 2;
inline constexpr int kLargestLevel = 32767;

// Words as binary decisions. Bits is AdaptiveEncoder or AdaptiveDecoder.
template <class Bits, class Model> class AdaptiveWords {
  public:
    static constexpr bool kDecodes = Bits::kDecodes;

    AdaptiveWords(Bits& bits, const Model& model) : bits_(bits), model_(model) {}
    const Model& model() const { return model_; }

    // High frequencies

    // How many entries of the scan reach up to the last level that is not 0.
    unsigned end(int plane, int size, int context, unsigned end) {
        auto& m = model_.of[plane][size];
        auto n = static_cast<unsigned>(std::bit_width(end));
        if constexpr (kDecodes) {
            for (n = 0; n + 1 < kEndClasses && bits_.bit(m.end_class[context][n]);) ++n;
        } else {
            for (unsigned j = 0; j + 1 < kEndClasses && (bits_.bit(m.end_class[context][j], n > j)); ++j) {}
        }
        if (n < 2) return n;
        unsigned value = 1, left = n - 1;
        const auto digit = [&] { return (end >> (left - 1) & 1) != 0; };
        value = 2 * value + bits_.bit(m.end_high[n], digit());
        if (--left) {
            value = 2 * value + bits_.bit(m.end_second[n][value & 1], digit());
            --left;
        }
        return left ? value << left | bits_.raw(end & ((1u << left) - 1), left) : value;
    }
    // Says or hears the levels of one block. It works on a copy of the coder, which the compiler can keep in registers:
    // close() puts it back.
    class Levels {
      public:
        Levels(AdaptiveWords& words, int plane, int size)
            : words_(words), bits_(words.bits_), model_(words.model_.of[plane][size]) {}
        void close() {
            if constexpr (std::is_trivially_copyable_v<Bits>) words_.bits_ = bits_;
        }

        // A magnitude; the last one of the scan, which comes first, is not 0.
        AIG_INLINE unsigned level(const LevelContext& c, bool last, unsigned level) {
            if (!last && !bits_.bit(model_.significant[c.band][c.magnitude][c.busy], level > 0)) return 0;
            if (!bits_.bit(model_.above_one[c.band][c.magnitude], level > 1)) return 1;
            if (!bits_.bit(model_.above_two[c.band][c.magnitude], level > 2)) return 2;
            return std::min<unsigned>(3 + exp_golomb(bits_, model_.tail[std::min(7, (c.around + 1) / 4)], level - 3),
                                      kLargestLevel);
        }
        AIG_INLINE bool negative(bool is) { return bits_.raw(is, 1) != 0; }

      private:
        AdaptiveWords& words_;
        std::conditional_t<std::is_trivially_copyable_v<Bits>, Bits, Bits&> bits_;
        typename Model::Levels& model_;
    };
    bool negative(bool is) { return bits_.raw(is, 1) != 0; }

    // The 1/8 image

    Cut cut(int plane, int log, int context, Cut cut) {
        auto& m = model_.of[plane];
        if (!bits_.bit(m.kept[2 - log][context], cut != Cut::quarters)) return Cut::quarters;
        if (!bits_.bit(m.halved[2 - log], cut != Cut::whole)) return Cut::whole;
        return bits_.bit(m.tall[2 - log][context], cut == Cut::tall) ? Cut::tall : Cut::wide;
    }
    unsigned adaptation(unsigned magnitude) { return exp_golomb(bits_, model_.adaptation, magnitude); }
    unsigned dc(int plane, Shape shape, int gradient, unsigned magnitude) {
        return exp_golomb(bits_, model_.of[plane].dc[shape.log_cells()][gradient], magnitude);
    }
    // Says or hears the other coefficients of a block of the 1/8 image, like Levels.
    class Lowest {
      public:
        Lowest(AdaptiveWords& words, int plane, Shape shape)
            : words_(words), bits_(words.bits_), model_(words.model_.of[plane]), size_(shape.log_cells()),
              most_(shape.low_w() + shape.low_h() - 2) {}
        void close() {
            if constexpr (std::is_trivially_copyable_v<Bits>) words_.bits_ = bits_;
        }

        // Up to which h + v there are any.
        int end(int context, int end) {
            int n = 0;
            while (n < most_ && bits_.bit(model_.low_end[size_][context][n], end > n)) ++n;
            return n;
        }
        AIG_INLINE unsigned magnitude(int sum, int around, unsigned magnitude) {
            auto& m = model_.low[size_][std::min(sum, kLowSums - 1)][around];
            if (!bits_.bit(m[0], magnitude > 0)) return 0;
            if (!bits_.bit(m[1], magnitude > 1)) return 1;
            if (!bits_.bit(m[2], magnitude > 2)) return 2;
            return 3 + exp_golomb(bits_, model_.tail[around], magnitude - 3);
        }
        AIG_INLINE bool negative(bool is) { return bits_.raw(is, 1) != 0; }

      private:
        AdaptiveWords& words_;
        std::conditional_t<std::is_trivially_copyable_v<Bits>, Bits, Bits&> bits_;
        typename Model::Plane& model_;
        int size_, most_;
    };

  private:
    Bits& bits_;
    Model model_;
};

// Words as symbols in contexts: fewer of those, since every one that is used costs a table.
class SymbolContexts {
  public:
    static constexpr unsigned kHigh = 244, kLow = 95;

    static unsigned level(const LevelContext& c, bool last) {
        const int band = std::min(c.band, 5);
        return static_cast<unsigned>((c.plane ? 3 : c.size) * 54 + (last ? 48 + band : 8 * band + c.magnitude));
    }
    static unsigned end(int plane, int size, int context) {
        return static_cast<unsigned>(216 + (plane ? 3 : size) * 7 + context);
    }
    static unsigned dc(int plane, int gradient) {
        return static_cast<unsigned>((plane > 0) * kGradientClasses + gradient);
    }
    static unsigned low(int plane, int sum, int around) {
        return static_cast<unsigned>(16 + ((plane > 0) * 6 + std::min(sum, kLowSums - 1) - 1) * 6 +
                                     std::min(around, 5));
    }
    static unsigned cut(int plane, int log) { return static_cast<unsigned>(88 + 2 * plane + 2 - log); }
    static unsigned adaptation() { return 92; }
    static unsigned low_end(int plane) { return static_cast<unsigned>(93 + (plane > 0)); }
};

class SymbolWriter {
  public:
    static constexpr bool kDecodes = false;

    class Levels {
      public:
        Levels(SymbolWriter& words, int, int) : words_(words) {}
        unsigned level(const LevelContext& c, bool last, unsigned level) { return words_.level(c, last, level); }
        bool negative(bool is) { return words_.negative(is); }
        void close() {}

      private:
        SymbolWriter& words_;
    };

    unsigned end(int plane, int size, int context, unsigned end) {
        return put(SymbolContexts::end(plane, size, context), end);
    }
    unsigned level(const LevelContext& c, bool last, unsigned level) {
        put(SymbolContexts::level(c, last), last ? level - 1 : level);
        return level;
    }
    bool negative(bool is) {
        sink_.bits.put(is, 1);
        return is;
    }
    Cut cut(int plane, int log, int, Cut cut) {
        put(SymbolContexts::cut(plane, log), static_cast<unsigned>(cut));
        return cut;
    }
    unsigned adaptation(unsigned magnitude) { return put(SymbolContexts::adaptation(), magnitude); }
    unsigned dc(int plane, Shape, int gradient, unsigned magnitude) {
        return put(SymbolContexts::dc(plane, gradient), magnitude);
    }
    class Lowest {
      public:
        Lowest(SymbolWriter& words, int plane, Shape) : words_(words), plane_(plane) {}
        int end(int, int end) {
            words_.put(SymbolContexts::low_end(plane_), static_cast<unsigned>(end));
            return end;
        }
        unsigned magnitude(int sum, int around, unsigned magnitude) {
            return words_.put(SymbolContexts::low(plane_, sum, around), magnitude);
        }
        bool negative(bool is) { return words_.negative(is); }
        void close() {}

      private:
        SymbolWriter& words_;
        int plane_;
    };
    SymbolSink& sink() { return sink_; }
    // Choices cannot wait for the tables that they lead to, so they go by what training expects.
    const HighModel& model() const { return trained_high(); }

  private:
    unsigned put(unsigned context, unsigned value) {
        sink_.put_value(context, value);
        return value;
    }
    SymbolSink sink_;
};

template <class Source> class SymbolReader {
  public:
    static constexpr bool kDecodes = true;

    class Levels {
      public:
        Levels(SymbolReader& words, int, int) : words_(words) {}
        AIG_INLINE unsigned level(const LevelContext& c, bool last, unsigned level) {
            return words_.level(c, last, level);
        }
        AIG_INLINE bool negative(bool is) { return words_.negative(is); }
        void close() {}

      private:
        SymbolReader& words_;
    };
    explicit SymbolReader(Source& source) : source_(source) {}
    unsigned end(int plane, int size, int context, unsigned) {
        return get_value(source_, SymbolContexts::end(plane, size, context));
    }
    unsigned level(const LevelContext& c, bool last, unsigned) {
        return std::min<unsigned>(get_value(source_, SymbolContexts::level(c, last)) + last, kLargestLevel);
    }
    bool negative(bool) { return source_.bits(1) != 0; }
    Cut cut(int plane, int log, int, Cut) {
        const unsigned symbol = source_.get(SymbolContexts::cut(plane, log));
        if (symbol > 3) throw Corrupt("a square is cut in a way that there is not");
        return static_cast<Cut>(symbol);
    }
    unsigned adaptation(unsigned) { return std::min(get_value(source_, SymbolContexts::adaptation()), kLargestTail); }
    unsigned dc(int plane, Shape, int gradient, unsigned) {
        return std::min(get_value(source_, SymbolContexts::dc(plane, gradient)), kLargestTail);
    }
    class Lowest {
      public:
        Lowest(SymbolReader& words, int plane, Shape shape)
            : words_(words), plane_(plane), most_(static_cast<unsigned>(shape.low_w() + shape.low_h() - 2)) {}
        int end(int, int) {
            const unsigned end = words_.source_.get(SymbolContexts::low_end(plane_));
            if (end > most_) throw Corrupt("the lowest coefficients of a block end behind their last one");
            return static_cast<int>(end);
        }
        unsigned magnitude(int sum, int around, unsigned) {
            return std::min(get_value(words_.source_, SymbolContexts::low(plane_, sum, around)), kLargestTail);
        }
        bool negative(bool is) { return words_.negative(is); }
        void close() {}

      private:
        SymbolReader& words_;
        int plane_;
        unsigned most_;
    };

  private:
    Source& source_;
};

}  // namespace aig
