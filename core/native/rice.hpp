// Golomb-Rice coding of symbols with one parameter per context (Rice and Plaunt 1971; format.md, 6.4).
#pragma once
#include "symbols.hpp"

#include <array>

namespace aig {

inline constexpr unsigned kRiceLimit = 16;  // longest unary part; then 6 plain bits follow

// Bits that `symbol` takes with parameter k.
inline unsigned rice_length(unsigned symbol, unsigned k) {
    const unsigned q = symbol >> k;
    return q < kRiceLimit ? q + 1 + k : kRiceLimit + 6;
}

inline Bytes rice_encode(std::span<const std::uint8_t> symbols, std::span<const std::uint8_t> contexts,
                         unsigned n_contexts) {
    std::vector<std::array<std::uint32_t, kAlphabet>> counts(n_contexts);
    for (std::size_t i = 0; i < symbols.size(); ++i) ++counts[contexts[i]][symbols[i]];
    std::vector<unsigned> parameter(n_contexts, 0);
    BitWriter out;
    for (unsigned c = 0; c < n_contexts; ++c) {
        std::uint64_t best = ~std::uint64_t{0};
        for (unsigned k = 0; k < 6; ++k) {
            std::uint64_t cost = 0;
            for (unsigned s = 0; s < kAlphabet; ++s) cost += std::uint64_t{counts[c][s]} * rice_length(s, k);
            if (cost < best) best = cost, parameter[c] = k;
        }
        out.put(parameter[c], 3);
    }
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const unsigned k = parameter[contexts[i]], q = symbols[i] >> k;
        if (q < kRiceLimit) {
            out.put((1u << q) - 1, q + 1);
            out.put(symbols[i] & ((1u << k) - 1), k);
        } else {
            out.put((1u << kRiceLimit) - 1, kRiceLimit);
            out.put(symbols[i], 6);
        }
    }
    return out.finish();
}

class RiceSource {
  public:
    RiceSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned n_contexts)
        : coded_(coded), raw_(raw) {
        for (unsigned c = 0; c < n_contexts; ++c) {
            parameter_[c] = static_cast<std::uint8_t>(coded_.get(3));
            if (parameter_[c] > 5) throw Corrupt("Rice parameter above 5");
        }
    }
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
    std::array<std::uint8_t, kMaxContexts> parameter_{};
    bool sound_ = true;
};

}  // namespace aig
