// Static range asymmetric numeral systems (Duda 2013, arXiv:1311.2540), two interleaved states,
// contexts clustered onto a few frequency tables (format.md, 6.5).
#pragma once
#include "frequencies.hpp"

#include <array>

namespace aig {

inline constexpr std::uint32_t kRansLow = 1u << 16;  // states stay in [2^16, 2^32)
inline constexpr unsigned kRansStates = 2;
inline constexpr unsigned kMaxClusters = 64;

Bytes rans_encode(std::span<const std::uint8_t> symbols, std::span<const std::uint8_t> contexts,
                  unsigned n_contexts);

class RansSource {
  public:
    RansSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned n_contexts);
    RansSource(const RansSource&) = delete;  // table_of_ points into tables_
    RansSource& operator=(const RansSource&) = delete;

    // The symbol of every slot in a byte, and its interval apart: tables this small stay in the cache.
    struct Table {
        std::array<std::uint8_t, kScale> symbols;
        std::array<std::uint16_t, kAlphabet> frequencies, starts;
    };
    using Handle = const Table*;

    Handle handle(unsigned context) const { return table_of_[context]; }
    unsigned get(unsigned context) { return symbol(handle(context)); }
    AIG_INLINE unsigned symbol(Handle handle) {
        const Table& table = *handle;
        std::uint32_t& state = state_[turn_];
        turn_ ^= 1;
        const std::uint32_t low = state & (kScale - 1);
        const unsigned found = table.symbols[low];
        std::uint32_t x = table.frequencies[found] * (state >> kScaleBits) + low - table.starts[found];
        if (x < kRansLow) {
            // Behind the last word stands a zero, to be read over and over; ok() notices.
            x = x << 16 | words_[position_ < n_words_ ? position_ : n_words_];
            ++position_;
        }
        state = x;
        return found;
    }
    std::uint32_t bits(unsigned count) { return raw_.get(count); }
    // After the last symbol: every state is back where the encoder started, every word is used.
    bool ok() const {
        return whole_ && position_ == n_words_ && state_[0] == kRansLow && state_[1] == kRansLow && raw_.finished();
    }

  private:
    std::array<std::uint32_t, kRansStates> state_{};
    unsigned turn_ = 0;  // the state of the next symbol
    std::size_t position_ = 0, n_words_ = 0;
    std::vector<std::uint16_t> words_;
    std::vector<Table> tables_;
    std::array<Handle, kMaxContexts> table_of_{};
    BitReader raw_;
    bool whole_ = true;
};

}  // namespace aig
