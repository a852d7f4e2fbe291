// The interface of all entropy coders (format.md, 6): symbols, each in a context, and raw bits.
//
// What codes data (the DCT coder, palettes, residuals) is a template over a Writer or a Reader. It is written once for
// both directions: symbol() and bits() take the value to encode and return the value; a Reader ignores what it is
// given.
//
// Contexts are of one of two types, which a coder of data can tell apart by BinaryCoder and MultiSymbolCoder:
// - AdaptiveBit&, the probability of a 1, which lies in a set of contexts that the coder of data owns: symbols are
// bits;
// - a number below the count of contexts that the Writer or Reader was made for: symbols are below kAlphabet, and what
//   is known of their frequencies belongs to the entropy coder.
//
// entropy/coders.hpp lists the entropy coders and chooses among them by number.
#pragma once
#include "base/bits.hpp"

#include <concepts>
#include <span>

namespace aig {

inline constexpr unsigned kAlphabet = 64;
inline constexpr unsigned kMaxContexts = 256;

// The probability of a 1 in 1/65536.
using AdaptiveBit = std::uint16_t;

// A stream in memory: raw bits and coded symbols.
struct StreamBytes {
    Bytes raw, coded;
};
// The same as read from a file.
struct CodedStream {
    std::span<const std::uint8_t> raw, coded;
};
// What a Writer leaves: a stream, or, if all symbols have to be known before any can be coded, these and their contexts
// in place of `coded`. See pack_streams() and pack_payload().
struct WrittenStream : StreamBytes {
    Bytes symbols, contexts;
};

template <class C>
concept EntropyCoding = requires(C& coder, typename C::Context context, std::uint32_t value, unsigned count) {
    requires std::same_as<const bool, decltype(C::kDecodes)>;
    { coder.symbol(context, value) } -> std::convertible_to<unsigned>;
    { coder.bits(value, count) } -> std::same_as<std::uint32_t>;  // the lowest `count` bits, at most 32
};
template <class C>
concept BinaryCoder = EntropyCoding<C> && std::same_as<typename C::Context, AdaptiveBit&>;
template <class C>
concept MultiSymbolCoder = EntropyCoding<C> && std::same_as<typename C::Context, unsigned>;

// Moves what it holds back into the WrittenStream when it is finished.
template <class C>
concept Writer = EntropyCoding<C> && !C::kDecodes && requires(C & writer) {
    writer.finish();
};
// Knows whether exactly the Writer's bits were read.
template <class C>
concept Reader = EntropyCoding<C> && C::kDecodes && requires(const C& reader) {
    { reader.finished() } -> std::same_as<bool>;
};

// A coder whose contexts learn while symbols are coded, and that can say what one would take now, in bits:
// rate-distortion optimised quantisation then goes by that. (For a BinaryCoder it looks into the contexts; static
// coders cannot say, as their tables come last.)
template <class C>
concept LearningCoder = MultiSymbolCoder<C> && requires(const C& coder, typename C::Context context, unsigned symbol) {
    { coder.cost(context, symbol) } -> std::same_as<float>;
};

// Values below kDirect are their own symbol; above, the symbol carries the bit length and the second highest bit, and
// the remaining low bits are raw.
inline constexpr unsigned kDirect = 16;
inline constexpr unsigned kDirectBits = 4;

// Any value below 2^24, as a symbol and raw bits.
template <MultiSymbolCoder Coder>
AIG_INLINE std::uint32_t code_value(Coder& coder, unsigned context, std::uint32_t value = 0) {
    if constexpr (Coder::kDecodes) {
        const unsigned symbol = coder.symbol(context, 0);
        if (symbol < kDirect) return symbol;
        // symbol < kAlphabet, so top <= 27 and the value fits into 28 bits whatever the stream holds.
        const unsigned top = kDirectBits + ((symbol - kDirect) >> 1);
        const std::uint32_t head = 2 | ((symbol - kDirect) & 1);
        return head << (top - 1) | coder.bits(0, top - 1);
    } else {
        if (value < kDirect) return coder.symbol(context, value);
        const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
        coder.symbol(context, kDirect + (top - kDirectBits) * 2 + (value >> (top - 1) & 1));
        coder.bits(value & ((1u << (top - 1)) - 1), top - 1);
        return value;
    }
}

// What code_value() would take, in bits.
template <LearningCoder Coder> float value_cost(const Coder& coder, unsigned context, std::uint32_t value) {
    if (value < kDirect) return coder.cost(context, value);
    const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
    return coder.cost(context, kDirect + (top - kDirectBits) * 2 + (value >> (top - 1) & 1)) +
           static_cast<float>(top - 1);
}

// What streams have in common in a segment, for coders that need nothing of the kind.
class NoTables {
  public:
    NoTables(std::span<const std::uint8_t>, unsigned n_contexts) : contexts_(n_contexts) {}
    unsigned contexts() const { return contexts_; }
    std::size_t size() const { return 0; }

  private:
    unsigned contexts_;
};

}  // namespace aig
