#include "entropy/rans.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

// n * log2(n), exact enough for choosing between tables and quick for the small counts that dominate.
double n_log_n(std::uint32_t n) {
    static const std::vector<double> table = [] {
        std::vector<double> t(4096, 0.0);
        for (std::size_t i = 1; i < t.size(); ++i) t[i] = static_cast<double>(i) * std::log2(static_cast<double>(i));
        return t;
    }();
    return n < table.size() ? table[n] : n * std::log2(static_cast<double>(n));
}

// Estimated bits of coding `counts` with a table of its own, the table included.
double table_cost(const Counts& counts) {
    std::uint32_t total = 0;
    double bits = 0;
    int used = 0, last = -1;
    for (unsigned s = 0; s < kAlphabet; ++s) {
        if (!counts[s]) continue;
        total += counts[s];
        bits -= n_log_n(counts[s]);
        ++used;
        last = static_cast<int>(s);
    }
    return bits + n_log_n(total) + 6 + 4 * (last + 1) + 5 * std::max(0, used - 1);
}

Counts sum(const Counts& a, const Counts& b) {
    Counts out;
    for (unsigned s = 0; s < kAlphabet; ++s) out[s] = a[s] + b[s];
    return out;
}

// Join contexts greedily, each time the pair whose common table saves most, until none saves.
// Returns the cluster of every context; contexts that never occur belong to cluster 0.
std::vector<unsigned> cluster_contexts(const std::vector<Counts>& counts, std::vector<Counts>& clusters) {
    std::vector<std::vector<unsigned>> members;
    std::vector<double> cost;
    for (unsigned c = 0; c < counts.size(); ++c) {
        if (std::all_of(counts[c].begin(), counts[c].end(), [](auto n) { return n == 0; })) continue;
        clusters.push_back(counts[c]);
        members.push_back({c});
        cost.push_back(table_cost(counts[c]));
    }
    const std::size_t n = clusters.size();
    std::vector<double> saving(n * n, 0.0);
    std::vector<bool> alive(n, true);
    auto update = [&](std::size_t i, std::size_t j) {
        saving[i * n + j] = saving[j * n + i] = cost[i] + cost[j] - table_cost(sum(clusters[i], clusters[j]));
    };
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j) update(i, j);
    for (std::size_t left = n; left > 1; --left) {
        std::size_t a = 0, b = 0;
        double best = left > kMaxClusters ? -1e300 : 0.0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = i + 1; alive[i] && j < n; ++j)
                if (alive[j] && saving[i * n + j] > best) best = saving[i * n + j], a = i, b = j;
        if (a == b) break;
        clusters[a] = sum(clusters[a], clusters[b]);
        members[a].insert(members[a].end(), members[b].begin(), members[b].end());
        cost[a] = table_cost(clusters[a]);
        alive[b] = false;
        for (std::size_t i = 0; i < n; ++i)
            if (alive[i] && i != a) update(std::min(i, a), std::max(i, a));
    }
    std::vector<unsigned> map(counts.size(), 0);
    std::vector<Counts> kept;
    for (std::size_t i = 0; i < n; ++i) {
        if (!alive[i]) continue;
        for (unsigned c : members[i]) map[c] = static_cast<unsigned>(kept.size());
        kept.push_back(clusters[i]);
    }
    clusters = std::move(kept);
    return map;
}

}  // namespace

Bytes RansCoder::tables(const std::vector<Counts>& counts) {
    std::vector<Counts> clusters;
    const auto map = cluster_contexts(counts, clusters);
    if (clusters.empty()) clusters.push_back(Counts{1});
    BitWriter head;
    const auto n_clusters = static_cast<unsigned>(clusters.size());
    head.put(n_clusters - 1, 6);
    const auto map_bits = static_cast<unsigned>(std::bit_width(n_clusters - 1));
    for (unsigned c : map) head.put(c, map_bits);
    for (const Counts& c : clusters) write_frequencies(head, normalise(c));
    return head.finish();
}

RansTables::RansTables(std::span<const std::uint8_t> coded, unsigned n_contexts) {
    BitReader head(coded);
    const unsigned n_clusters = head.get(6) + 1;
    const auto map_bits = static_cast<unsigned>(std::bit_width(n_clusters - 1));
    tables_.resize(n_clusters);
    for (unsigned c = 0; c < n_contexts; ++c) {
        const unsigned k = head.get(map_bits);
        if (k >= n_clusters) throw Corrupt("rANS context map names a missing table");
        table_of_[c] = &tables_[k];
    }
    for (Table& table : tables_) {
        table.frequencies = read_frequencies(head);
        std::uint32_t slot = 0;
        for (unsigned s = 0; s < kAlphabet; ++s) {
            table.starts[s] = static_cast<std::uint16_t>(slot);
            std::fill_n(table.symbols.begin() + slot, table.frequencies[s], static_cast<std::uint8_t>(s));
            slot += table.frequencies[s];
        }
    }
    if (!head.padding_is_zero()) throw Corrupt("rANS tables are damaged or cut");
    size_ = static_cast<std::size_t>(head.position() - coded.data());
}

Bytes RansCoder::code(const RansTables& tables, const WrittenStream& stream) {
    const std::span<const std::uint8_t> symbols = stream.symbols, contexts = stream.contexts;
    // Symbols go in backwards, so the words come out last first.
    std::vector<std::uint16_t> words;
    std::array<std::uint32_t, kRansStates> state{kRansLow, kRansLow};
    for (std::size_t i = symbols.size(); i-- > 0;) {
        std::uint32_t& x = state[i % kRansStates];
        const RansTables::Table& table = *tables.of(contexts[i]);
        const std::uint32_t f = table.frequencies[symbols[i]];
        if (!f) throw std::invalid_argument("a symbol is not in the tables");
        if (x >= static_cast<std::uint64_t>(f) << (32 - kScaleBits)) {
            words.push_back(static_cast<std::uint16_t>(x));
            x >>= 16;
        }
        x = (x / f << kScaleBits) + x % f + table.starts[symbols[i]];
    }
    Bytes out;
    for (std::uint32_t x : state)
        for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(x >> shift));
    for (std::size_t i = words.size(); i-- > 0;) {
        out.push_back(static_cast<std::uint8_t>(words[i]));
        out.push_back(static_cast<std::uint8_t>(words[i] >> 8));
    }
    return out;
}

Bytes RansCoder::code_alone(const WrittenStream& stream, unsigned n_contexts) {
    std::vector<Counts> counts(n_contexts, Counts{});
    count_symbols(stream, counts);
    Bytes out = tables(counts);
    const Bytes coded = code(RansTables(out, n_contexts), stream);
    out.insert(out.end(), coded.begin(), coded.end());
    return out;
}

RansReader::RansReader(const CodedStream& stream, unsigned n_contexts)
    : own_(std::make_shared<RansTables>(stream.coded, n_contexts)), tables_(own_.get()), raw_(stream.raw) {
    start(stream.coded.subspan(own_->size()));
}

RansReader::RansReader(const RansTables& tables, const CodedStream& stream) : tables_(&tables), raw_(stream.raw) {
    start(stream.coded);
}

void RansReader::start(std::span<const std::uint8_t> coded) {
    if (coded.size() < 4 * kRansStates) throw Corrupt("rANS tables are damaged or cut");
    next_ = coded.data();
    end_ = next_ + coded.size();
    for (std::uint32_t& x : state_) {
        x = next_[0] | std::uint32_t{next_[1]} << 8 | std::uint32_t{next_[2]} << 16 | std::uint32_t{next_[3]} << 24;
        next_ += 4;
        if (x < kRansLow) throw Corrupt("rANS state below its interval");
    }
}

}  // namespace aig
