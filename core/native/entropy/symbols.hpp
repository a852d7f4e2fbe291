// Symbols in contexts plus raw bits: what every coder turns its data into (format.md, 6).
//
// A coder writes tokens below kAlphabet into a SymbolSink; an entropy coder packs them. On the way
// back the coder pulls tokens out of a Source (see entropy/readers.hpp): get(context), bits(count), and at the
// end ok(): all there, nothing left. Where a context costs a lookup to find, the hot loops look up
// handle(context) instead, once and for all, and call symbol(handle).
#pragma once
#include "base/bits.hpp"

#include <bit>

namespace aig {

inline constexpr unsigned kAlphabet = 64;
inline constexpr unsigned kMaxContexts = 256;

// Values below kDirect are their own token; above, the token carries the bit length and the second
// highest bit, and the remaining low bits are raw.
inline constexpr unsigned kDirect = 16;
inline constexpr unsigned kDirectBits = 4;

struct SymbolSink {
    Bytes symbols, contexts;
    BitWriter bits;

    void put(unsigned context, unsigned symbol) {
        symbols.push_back(static_cast<std::uint8_t>(symbol));
        contexts.push_back(static_cast<std::uint8_t>(context));
    }
    // Any value below 2^24.
    void put_value(unsigned context, std::uint32_t value) {
        if (value < kDirect) return put(context, value);
        const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
        put(context, kDirect + (top - kDirectBits) * 2 + (value >> (top - 1) & 1));
        bits.put(value & ((1u << (top - 1)) - 1), top - 1);
    }
};

template <class Source> AIG_INLINE std::uint32_t get_value_at(Source& source, typename Source::Handle handle) {
    const unsigned token = source.symbol(handle);
    if (token < kDirect) return token;
    // token < kAlphabet, so top <= 27 and the value fits into 28 bits whatever the stream holds.
    const unsigned top = kDirectBits + ((token - kDirect) >> 1);
    const std::uint32_t head = 2 | ((token - kDirect) & 1);
    return head << (top - 1) | source.bits(top - 1);
}

template <class Source> AIG_INLINE std::uint32_t get_value(Source& source, unsigned context) {
    return get_value_at(source, source.handle(context));
}

}  // namespace aig
