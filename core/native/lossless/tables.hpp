// Tables of symbol frequencies for many contexts: trained ones by number, others in full (format.md, 6.6).
#pragma once
#include "entropy/alias.hpp"

namespace aig {

inline constexpr unsigned kMaxSymbol = 43;  // of values below 2^18
inline constexpr unsigned kTrainedTableCount = 64;

struct TableSet {
    std::vector<Frequencies> tables;
    std::vector<std::uint8_t> table_of;  // per context
};

// The cheapest tables for these counts, written to `out`. `first_context` selects which trained tables are the
// contexts' own.
TableSet choose_tables(const std::vector<Counts>& counts, unsigned first_context, BitWriter& out);
TableSet read_tables(BitReader& in, unsigned contexts, unsigned first_context);

}  // namespace aig
