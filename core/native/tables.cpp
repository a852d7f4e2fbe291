#include "tables.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

#include "trained_tables.inl"
static_assert(std::size(kTrainedTables) == kTrainedTableCount);

constexpr unsigned kTableBits = 7, kMaxTables = 1u << kTableBits;

const std::vector<Frequencies>& trained_tables() {
    static const std::vector<Frequencies> tables = [] {
        std::vector<Frequencies> t(kTrainedTableCount, Frequencies{});
        for (unsigned k = 0; k < kTrainedTableCount; ++k) std::copy(std::begin(kTrainedTables[k]), std::end(kTrainedTables[k]), t[k].begin());
        return t;
    }();
    return tables;
}

using Costs = std::array<float, kAlphabet>;

// Bits of every symbol; those that a table lacks cost more than any other way of coding them.
Costs costs_of(const Frequencies& frequencies) {
    Costs costs;
    for (unsigned s = 0; s < kAlphabet; ++s)
        costs[s] = frequencies[s] ? static_cast<float>(kScaleBits) - std::log2(static_cast<float>(frequencies[s])) : 1e4f;
    return costs;
}

float bits_of(const Counts& counts, const Costs& costs) {
    float bits = 0;
    for (unsigned s = 0; s <= kMaxSymbol; ++s) bits += static_cast<float>(counts[s]) * costs[s];
    return bits;
}

// Scale counts to frequencies that sum to kScale, every present symbol at least 1.
Frequencies normalise(const Counts& counts) {
    std::uint64_t total = 0;
    for (auto n : counts) total += n;
    Frequencies f{};
    int left = static_cast<int>(kScale);
    for (unsigned s = 0; s < kAlphabet; ++s) {
        if (!counts[s]) continue;
        const auto scaled = static_cast<int>((std::uint64_t{counts[s]} * kScale + total / 2) / total);
        f[s] = static_cast<std::uint16_t>(std::max(1, scaled));
        left -= f[s];
    }
    // Rounding leaves a few units; the most frequent symbols carry them at the least cost.
    while (left != 0) {
        const auto top = std::max_element(f.begin(), f.end());
        const int step = left > 0 ? left : std::max(left, -(*top / 2));
        *top = static_cast<std::uint16_t>(*top + step);
        left -= step;
    }
    return f;
}

void write_frequencies(BitWriter& out, const Frequencies& f) {
    unsigned last = kAlphabet - 1;
    while (f[last] == 0) --last;
    out.put(last, 6);
    // The last frequency is what is left of the scale.
    for (unsigned s = 0; s < last; ++s) {
        const auto width = static_cast<unsigned>(std::bit_width(f[s]));
        out.put(width, 4);
        if (width > 1) out.put(f[s] & ((1u << (width - 1)) - 1), width - 1);
    }
}

float table_bits(const Frequencies& f) {
    unsigned last = kAlphabet - 1, bits = 6;
    while (f[last] == 0) --last;
    for (unsigned s = 0; s < last; ++s) bits += 4 + std::max(1u, static_cast<unsigned>(std::bit_width(f[s]))) - 1;
    return static_cast<float>(bits);
}

Frequencies read_frequencies(BitReader& in) {
    Frequencies f{};
    const unsigned last = in.get(6);
    if (last > kMaxSymbol) throw Corrupt("symbol out of range in a table");
    std::uint32_t left = kScale;
    for (unsigned s = 0; s < last; ++s) {
        const unsigned width = in.get(4);
        const std::uint32_t value = width == 0 ? 0 : 1u << (width - 1) | in.get(width - 1);
        if (value >= left) throw Corrupt("frequencies exceed their scale");
        f[s] = static_cast<std::uint16_t>(value);
        left -= value;
    }
    f[last] = static_cast<std::uint16_t>(left);
    return f;
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
        float least = bits_of(counts[c], costs[usual]);
        if (least > 0) {
            for (unsigned k = 0; k < set.tables.size(); ++k)
                if (const float bits = bits_of(counts[c], costs[k]) + kTableBits; bits < least) least = bits, best = k;
            const Frequencies own = normalise(counts[c]);
            const Costs own_costs = costs_of(own);
            if (set.tables.size() < kMaxTables && bits_of(counts[c], own_costs) + kTableBits + table_bits(own) < least) {
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
            if (table == set.tables.size()) set.tables.push_back(read_frequencies(in));
        }
        set.table_of.push_back(static_cast<std::uint8_t>(table));
    }
    return set;
}

}  // namespace aig
