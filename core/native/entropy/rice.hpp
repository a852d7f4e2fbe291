// Golomb-Rice coding of symbols with one parameter per context (Rice and Plaunt 1971; format.md, 6.4).
#pragma once
#include "entropy/frequencies.hpp"

#include <array>

namespace aig {

inline constexpr unsigned kRiceLimit = 16;  // longest unary part; then 6 plain bits follow

// Bits that `symbol` takes with parameter k.
inline unsigned rice_length(unsigned symbol, unsigned k) {
    const unsigned q = symbol >> k;
    return q < kRiceLimit ? q + 1 + k : kRiceLimit + 6;
}

// One parameter for each context, 3 bits each.
class RiceTables {
  public:
    // Throws Corrupt.
    RiceTables(std::span<const std::uint8_t> coded, unsigned n_contexts) {
        BitReader in(coded);
        read(in, n_contexts);
        if (!in.padding_is_zero()) throw Corrupt("Rice parameters are damaged or cut");
        size_ = static_cast<std::size_t>(in.position() - coded.data());
    }
    // Of a stream behind them, whose bits follow at once.
    RiceTables(BitReader& in, unsigned n_contexts) { read(in, n_contexts); }

    unsigned of(unsigned context) const { return parameters_[context]; }
    // How many bytes they took.
    std::size_t size() const { return size_; }

  private:
    void read(BitReader& in, unsigned n_contexts) {
        for (unsigned c = 0; c < n_contexts; ++c) {
            parameters_[c] = static_cast<std::uint8_t>(in.get(3));
            if (parameters_[c] > 5) throw Corrupt("Rice parameter above 5");
        }
    }

    std::array<std::uint8_t, kMaxContexts> parameters_{};
    std::size_t size_ = 0;
};

class RiceReader {
  public:
    static constexpr bool kDecodes = true;
    using Context = unsigned;

    RiceReader(const RiceTables& tables, const CodedStream& stream)
        : coded_(stream.coded), raw_(stream.raw), tables_(tables) {}
    RiceReader(const CodedStream& stream, unsigned n_contexts)
        : coded_(stream.coded), raw_(stream.raw), tables_(coded_, n_contexts) {}

    unsigned symbol(unsigned context, unsigned = 0) {
        const unsigned k = tables_.of(context), q = coded_.unary(kRiceLimit);
        const unsigned found = q < kRiceLimit ? q << k | coded_.get(k) : coded_.get(6);
        if (found < kAlphabet) return found;
        sound_ = false;
        return 0;
    }
    std::uint32_t bits(std::uint32_t, unsigned count) { return raw_.get(count); }
    bool finished() const { return sound_ && coded_.finished() && raw_.finished(); }

  private:
    BitReader coded_, raw_;
    RiceTables tables_;
    bool sound_ = true;
};

struct RiceCoder {
    using Tables = RiceTables;
    using Writer = SymbolWriter;
    using Reader = RiceReader;

    static Bytes tables(const std::vector<Counts>& counts) {
        BitWriter out;
        put_tables(out, counts);
        return out.finish();
    }
    static Bytes code(const Tables& tables, const WrittenStream& stream) {
        BitWriter out;
        put(out, tables, stream);
        return out.finish();
    }
    // Without a byte's padding behind the tables.
    static Bytes code_alone(const WrittenStream& stream, unsigned n_contexts) {
        std::vector<Counts> counts(n_contexts, Counts{});
        count_symbols(stream, counts);
        BitWriter out;
        put_tables(out, counts);
        put(out, Tables(tables(counts), n_contexts), stream);
        return out.finish();
    }

  private:
    static void put_tables(BitWriter& out, const std::vector<Counts>& counts) {
        for (const Counts& count : counts) {
            std::uint64_t least = ~std::uint64_t{0};
            unsigned best = 0;
            for (unsigned k = 0; k < 6; ++k) {
                std::uint64_t cost = 0;
                for (unsigned s = 0; s < kAlphabet; ++s) cost += std::uint64_t{count[s]} * rice_length(s, k);
                if (cost < least) least = cost, best = k;
            }
            out.put(best, 3);
        }
    }
    static void put(BitWriter& out, const Tables& tables, const WrittenStream& stream) {
        const std::span<const std::uint8_t> symbols = stream.symbols, contexts = stream.contexts;
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            const unsigned symbol = symbols[i], k = tables.of(contexts[i]), q = symbol >> k;
            if (q < kRiceLimit) {
                out.put((1u << q) - 1, q + 1);
                out.put(symbol & ((1u << k) - 1), k);
            } else {
                out.put((1u << kRiceLimit) - 1, kRiceLimit);
                out.put(symbol, 6);
            }
        }
    }
};

}  // namespace aig
