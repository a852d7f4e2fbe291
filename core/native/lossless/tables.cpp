#include "lossless/tables.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

#include "lossless/trained_tables.inl"
static_assert(std::size(kTrainedTables) == kTrainedTableCount);

constexpr unsigned kTableBits = 7, kMaxTables = 1u << kTableBits;

const std::vector<Frequencies>& trained_tables() {
    static const std::vector<Frequencies> tables = [] {
        std::vector<Frequencies> t(kTrainedTableCount, Frequencies{});
        for (unsigned k = 0; k < kTrainedTableCount; ++k)
            std::copy(std::begin(kTrainedTables[k]), std::end(kTrainedTables[k]), t[k].begin());
        return t;
    }();
    return tables;
}

using Costs = std::array<float, kAlphabet>;

// Bits of every symbol; those that a table lacks cost more than any other way of coding them.
Costs costs_of(const Frequencies& frequencies) {
    Costs costs;
    for (unsigned s = 0; s < kAlphabet; ++s)
        costs[s] =
            frequencies[s] ? static_cast<float>(kScaleBits) - std::log2(static_cast<float>(frequencies[s])) : 1e4f;
    return costs;
}

// Several sums side by side: one would wait for every addition.
float bits_of(const Costs& counts, const Costs& costs) {
    constexpr unsigned side = 16;
    static_assert(kAlphabet % side == 0);
    float sums[side] = {};
    for (unsigned s = 0; s <= kMaxSymbol; s += side)
        for (unsigned i = 0; i < side; ++i) sums[i] += counts[s + i] * costs[s + i];
    for (unsigned half = side / 2; half; half /= 2)
        for (unsigned i = 0; i < half; ++i) sums[i] += sums[i + half];
    return sums[0];
}

float table_bits(const Frequencies& f) {
    unsigned last = kAlphabet - 1, bits = 6;
    while (f[last] == 0) --last;
    for (unsigned s = 0; s < last; ++s) bits += 4 + std::max(1u, static_cast<unsigned>(std::bit_width(f[s]))) - 1;
    return static_cast<float>(bits);
}

// Contexts with another table than their trained one are few, and come together.
constexpr unsigned kGroup = 8;

void write_choices(const TableSet& set, unsigned first_context, BitWriter& out) {
    const auto differs = [&](std::size_t c) { return set.table_of[c] != kTrainedTableOf[first_context + c]; };
    std::size_t known = kTrainedTableCount;
    for (std::size_t c = 0; c < set.table_of.size(); ++c) {
        if (c % kGroup == 0) {
            bool any = false;
            for (std::size_t i = c; i < c + kGroup; ++i) any |= differs(i);
            out.put(any, 1);
            if (!any) {
                c += kGroup - 1;
                continue;
            }
        }
        out.put(differs(c), 1);
        if (!differs(c)) continue;
        out.put(set.table_of[c], kTableBits);
        if (set.table_of[c] == known) write_frequencies(out, set.tables[known++]);
    }
}

}  // namespace

TableSet choose_tables(const std::vector<Counts>& counts, unsigned first_context, BitWriter& out) {
    TableSet set{trained_tables(), {}};
    std::vector<Costs> costs;
    for (const Frequencies& f : set.tables) costs.push_back(costs_of(f));
    for (unsigned c = 0; c < counts.size(); ++c) {
        const unsigned usual = kTrainedTableOf[first_context + c];
        unsigned best = usual;
        Costs occurring;
        std::copy(counts[c].begin(), counts[c].end(), occurring.begin());
        float least = bits_of(occurring, costs[usual]);
        if (least > 0) {
            for (unsigned k = 0; k < set.tables.size(); ++k)
                if (const float bits = bits_of(occurring, costs[k]) + kTableBits; bits < least) least = bits, best = k;
            const Frequencies own = normalise(counts[c]);
            const Costs own_costs = costs_of(own);
            if (set.tables.size() < kMaxTables &&
                bits_of(occurring, own_costs) + kTableBits + table_bits(own) < least) {
                best = static_cast<unsigned>(set.tables.size());
                set.tables.push_back(own);
                costs.push_back(own_costs);
            }
        }
        set.table_of.push_back(static_cast<std::uint8_t>(best));
    }
    write_choices(set, first_context, out);
    return set;
}

TableSet read_tables(BitReader& in, unsigned contexts, unsigned first_context) {
    TableSet set{trained_tables(), {}};
    bool any = false;
    for (unsigned c = 0; c < contexts; ++c) {
        if (c % kGroup == 0) any = in.get(1);
        unsigned table = kTrainedTableOf[first_context + c];
        if (any && in.get(1)) {
            table = in.get(kTableBits);
            if (table > set.tables.size()) throw Corrupt("context names a missing table");
            if (table == set.tables.size()) {
                set.tables.push_back(read_frequencies(in));
                const auto& own = set.tables.back();
                if (std::any_of(own.begin() + kMaxSymbol + 1, own.end(), [](auto f) { return f != 0; }))
                    throw Corrupt("symbol out of range in a table");
            }
        }
        set.table_of.push_back(static_cast<std::uint8_t>(table));
    }
    return set;
}

}  // namespace aig
