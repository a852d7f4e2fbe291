// Static rANS with alias tables (Vose 1991; Giesen, "rANS with static probability distributions", 2014):
// a slot of a table leads to its symbol with one lookup in 64 entries instead of 4096.
#pragma once
#include "entropy/frequencies.hpp"

#include <span>
#include <vector>

namespace aig {

inline constexpr std::uint32_t kStateLow = 1u << 16;
inline constexpr unsigned kBucketBits = 6;  // slots of a bucket
inline constexpr std::uint32_t kBucket = 1u << kBucketBits;

// An entry: cutoff (7 bits), alias symbol (6), signed difference of the alias's offset (19); then the
// frequencies of the bucket's own symbol and of the alias (16 bits each).
using AliasTable = std::array<std::uint64_t, kAlphabet>;

// Frequencies that sum to kScale as decoding table.
AliasTable alias_table(const Frequencies& frequencies);

// The encoder's view of a table: symbol s with remainder r of its frequency has slot out[start of s + r], starts being
// cumulative in order of the symbols.
void fill_slots(const Frequencies& frequencies, std::uint16_t* out);

}  // namespace aig
