// Syntax elements of the lossy tiers as symbols in numbered contexts, and raw bits (format.md, 7.3.5 and 7.3.6).
#pragma once
#include "dct/binary_syntax.hpp"

namespace aig {

// BinaryCosts' counterpart for a coder that learns.
template <LearningCoder Coder> class SymbolCosts {
  public:
    SymbolCosts(const Coder& coder, int plane, int size) : coder_(coder), plane_(plane), size_(size) {}

    float level(const LevelContext& c, unsigned level) const {
        return value_cost(coder_, SymbolContexts::level(c, false), level) + static_cast<float>(level > 0);
    }
    float spared_by_last(const LevelContext& c, unsigned level) const {
        return value_cost(coder_, SymbolContexts::level(c, false), level) -
               value_cost(coder_, SymbolContexts::level(c, true), level - 1);
    }
    float end(int context, unsigned end) const {
        return value_cost(coder_, SymbolContexts::end(plane_, size_, context), end);
    }

  private:
    const Coder& coder_;
    int plane_, size_;
};

// Contexts is HighModel or LowModel, and says which elements the stream has.
template <MultiSymbolCoder Coder, class Contexts> class SymbolSyntax {
  public:
    static constexpr bool kDecodes = Coder::kDecodes;

    SymbolSyntax(Coder& coder, const Contexts&) : coder_(coder) {}

    // High frequencies

    unsigned end(int plane, int size, int context, unsigned end) {
        return code_value(coder_, SymbolContexts::end(plane, size, context), end);
    }
    // Levels cannot wait for the tables that they lead to: those of static coders go by what training expects.
    auto costs(int plane, int size) const {
        if constexpr (LearningCoder<Coder>)
            return SymbolCosts<Coder>(coder_, plane, size);
        else
            return BinaryCosts(trained_high().of[plane][size]);
    }
    class Levels {
      public:
        Levels(SymbolSyntax& syntax, int, int) : coder_(syntax.coder_) {}
        void close() {}
        AIG_INLINE unsigned level(const LevelContext& c, bool last, unsigned level) {
            return std::min<unsigned>(code_value(coder_, SymbolContexts::level(c, last), level - last) + last,
                                      kLargestLevel);
        }
        AIG_INLINE bool negative(bool is) { return coder_.bits(is, 1) != 0; }

      private:
        Coder& coder_;
    };
    bool negative(bool is) { return coder_.bits(is, 1) != 0; }

    // The LF image

    Cut partition(int plane, int log, int, Cut cut) {
        const unsigned symbol = coder_.symbol(SymbolContexts::partition(plane, log), static_cast<unsigned>(cut));
        if (symbol > 3) throw Corrupt("a square has a partition that there is not");
        return static_cast<Cut>(symbol);
    }
    unsigned quantiser_change(unsigned magnitude) {
        return std::min(code_value(coder_, SymbolContexts::quantiser_change(), magnitude), kLargestTail);
    }
    unsigned dc(int plane, Shape, int gradient, unsigned magnitude) {
        return std::min(code_value(coder_, SymbolContexts::dc(plane, gradient), magnitude), kLargestTail);
    }
    class LowLevels {
      public:
        LowLevels(SymbolSyntax& syntax, int plane, Shape shape)
            : coder_(syntax.coder_), plane_(plane), most_(static_cast<unsigned>(shape.low_w() + shape.low_h() - 2)) {}
        void close() {}
        int end(int, int end) {
            const unsigned found = coder_.symbol(SymbolContexts::low_end(plane_), static_cast<unsigned>(end));
            if (found > most_) throw Corrupt("the lowest coefficients of a block end behind their last one");
            return static_cast<int>(found);
        }
        AIG_INLINE unsigned level(int sum, int around, unsigned level) {
            return std::min(code_value(coder_, SymbolContexts::low(plane_, sum, around), level), kLargestTail);
        }
        AIG_INLINE bool negative(bool is) { return coder_.bits(is, 1) != 0; }

      private:
        Coder& coder_;
        int plane_;
        unsigned most_;
    };

  private:
    Coder& coder_;
};

}  // namespace aig
