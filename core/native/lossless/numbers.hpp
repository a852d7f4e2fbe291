// Small numbers by binary coding, for the tables of bands (format.md, 7.1.8).
#pragma once
#include "entropy/binary_coder.hpp"

#include <array>
#include <bit>

namespace aig {

// Numbers in contexts, written once for both directions: `Coder` is a BinaryWriter or a BinaryReader.
template <class Coder, std::size_t Contexts> class Numbers {
  public:
    // The largest number is below 2^(kDigits + 1) - 1.
    static constexpr unsigned kDigits = 16;

    explicit Numbers(Coder& coder) : coder_(coder) {}

    // The number that both sides then know; the reader ignores its argument.
    std::uint32_t code(std::size_t context, std::uint32_t number) {
        Context& own = contexts_[context];
        const auto wanted = static_cast<unsigned>(std::bit_width(number + 1)) - 1;
        unsigned digits = 0;
        while (digits < kDigits && bit(own.more[digits], digits < wanted)) ++digits;
        std::uint32_t value = 1;
        for (unsigned i = digits; i-- > 0;)
            value = value << 1 | static_cast<std::uint32_t>(bit(own.digit[digits][i], (number + 1) >> i & 1));
        return value - 1;
    }

  private:
    struct Context {
        std::array<Probability, kDigits> more;
        std::array<std::array<Probability, kDigits>, kDigits + 1> digit;
    };

    bool bit(Probability& p, bool one) {
        one = coder_.bit(p.value(), one);
        p.learn(one);
        return one;
    }

    Coder& coder_;
    std::array<Context, Contexts> contexts_{};
};

}  // namespace aig
