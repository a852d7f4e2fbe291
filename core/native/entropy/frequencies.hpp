// Frequencies of symbols that sum to a scale, as the rANS coders use and store them (format.md, 6.5, item 3).
#pragma once
#include "entropy/symbols.hpp"

#include <array>

namespace aig {

inline constexpr unsigned kScaleBits = 12;
inline constexpr std::uint32_t kScale = 1u << kScaleBits;

using Counts = std::array<std::uint32_t, kAlphabet>;
using Frequencies = std::array<std::uint16_t, kAlphabet>;

// Adds how often each symbol of a stream occurs in each context.
inline void count_symbols(const WrittenStream& stream, std::vector<Counts>& by_context) {
    for (std::size_t i = 0; i < stream.symbols.size(); ++i) ++by_context[stream.contexts[i]][stream.symbols[i]];
}

// Scale counts to frequencies that sum to kScale, every present symbol at least 1.
Frequencies normalise(const Counts& counts);

void write_frequencies(BitWriter& out, const Frequencies& frequencies);
Frequencies read_frequencies(BitReader& in);

}  // namespace aig
