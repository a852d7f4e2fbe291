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

// One parameter per context, 3 bits each, for streams with these counts of symbols.
using RiceParameters = std::array<std::uint8_t, kMaxContexts>;

inline Bytes rice_tables(const std::vector<Counts>& counts) {
    BitWriter out;
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
    return out.finish();
}

// Throws Corrupt.
inline RiceParameters read_rice_parameters(BitReader& in, unsigned n_contexts) {
    RiceParameters out{};
    for (unsigned c = 0; c < n_contexts; ++c) {
        out[c] = static_cast<std::uint8_t>(in.get(3));
        if (out[c] > 5) throw Corrupt("Rice parameter above 5");
    }
    return out;
}

inline void rice_encode(BitWriter& out, const RiceParameters& parameters, std::span<const std::uint8_t> symbols,
                        std::span<const std::uint8_t> contexts) {
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const unsigned k = parameters[contexts[i]], q = symbols[i] >> k;
        if (q < kRiceLimit) {
            out.put((1u << q) - 1, q + 1);
            out.put(symbols[i] & ((1u << k) - 1), k);
        } else {
            out.put((1u << kRiceLimit) - 1, kRiceLimit);
            out.put(symbols[i], 6);
        }
    }
}

// A stream behind its own parameters, without a byte's padding between them.
inline Bytes rice_encode(std::span<const std::uint8_t> symbols, std::span<const std::uint8_t> contexts,
                         unsigned n_contexts) {
    std::vector<Counts> counts(n_contexts, Counts{});
    for (std::size_t i = 0; i < symbols.size(); ++i) ++counts[contexts[i]][symbols[i]];
    const Bytes tables = rice_tables(counts);
    BitReader reader(tables);
    const RiceParameters parameters = read_rice_parameters(reader, n_contexts);
    BitWriter out;
    for (unsigned c = 0; c < n_contexts; ++c) out.put(parameters[c], 3);
    rice_encode(out, parameters, symbols, contexts);
    return out.finish();
}

class RiceSource {
  public:
    RiceSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned n_contexts)
        : coded_(coded), raw_(raw), parameter_(read_rice_parameters(coded_, n_contexts)) {}
    RiceSource(const RiceParameters& parameters, std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw)
        : coded_(coded), raw_(raw), parameter_(parameters) {}
    using Handle = unsigned;  // the context's parameter

    Handle handle(unsigned context) const { return parameter_[context]; }
    unsigned get(unsigned context) { return symbol(handle(context)); }
    unsigned symbol(Handle k) {
        const unsigned q = coded_.unary(kRiceLimit);
        const unsigned found = q < kRiceLimit ? q << k | coded_.get(k) : coded_.get(6);
        if (found < kAlphabet) return found;
        sound_ = false;
        return 0;
    }
    std::uint32_t bits(unsigned count) { return raw_.get(count); }
    bool ok() const { return sound_ && coded_.finished() && raw_.finished(); }

  private:
    BitReader coded_, raw_;
    RiceParameters parameter_;
    bool sound_ = true;
};

}  // namespace aig
