// Static range asymmetric numeral systems (Duda 2013, arXiv:1311.2540), two interleaved states,
// contexts clustered onto a few frequency tables (format.md, 6.5).
#pragma once
#include "entropy/frequencies.hpp"

#include <array>
#include <memory>

namespace aig {

inline constexpr std::uint32_t kRansLow = 1u << 16;  // states stay in [2^16, 2^32)
inline constexpr unsigned kRansStates = 2;
inline constexpr unsigned kMaxClusters = 64;

// Tables for streams with these counts of symbols, by context, as a file holds them.
Bytes rans_tables(const std::vector<Counts>& counts);

// Tables as they are used. Several streams may have them in common.
class RansTables {
  public:
    // Throws Corrupt.
    RansTables(std::span<const std::uint8_t> coded, unsigned n_contexts);
    RansTables(const RansTables&) = delete;  // table_of_ points into tables_
    RansTables& operator=(const RansTables&) = delete;

    // The symbol of every slot in a byte, and its interval apart: tables this small stay in the cache.
    struct Table {
        std::array<std::uint8_t, kScale> symbols;
        std::array<std::uint16_t, kAlphabet> frequencies, starts;
    };
    const Table* of(unsigned context) const { return table_of_[context]; }
    // How many bytes they took.
    std::size_t size() const { return size_; }

  private:
    std::vector<Table> tables_;
    std::array<const Table*, kMaxContexts> table_of_{};
    std::size_t size_ = 0;
};

// The states and words of a stream.
Bytes rans_encode(const RansTables& tables, std::span<const std::uint8_t> symbols,
                  std::span<const std::uint8_t> contexts);
// The same behind tables of its own.
Bytes rans_encode(std::span<const std::uint8_t> symbols, std::span<const std::uint8_t> contexts, unsigned n_contexts);

class RansSource {
  public:
    // Of a stream behind its own tables.
    RansSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned n_contexts);
    // Of a stream whose tables are elsewhere, and outlive it.
    RansSource(const RansTables& tables, std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw);

    using Handle = const RansTables::Table*;

    Handle handle(unsigned context) const { return tables_->of(context); }
    unsigned get(unsigned context) { return symbol(handle(context)); }
    AIG_INLINE unsigned symbol(Handle handle) {
        const RansTables::Table& table = *handle;
        std::uint32_t& state = state_[turn_];
        turn_ ^= 1;
        const std::uint32_t low = state & (kScale - 1);
        const unsigned found = table.symbols[low];
        std::uint32_t x = table.frequencies[found] * (state >> kScaleBits) + low - table.starts[found];
        if (x < kRansLow) {
            // Behind the last word stand zeros, to be read over and over; ok() notices.
            const bool left = end_ - next_ >= 2;
            x = x << 16 | (left ? static_cast<std::uint32_t>(next_[0] | next_[1] << 8) : 0u);
            next_ += left ? 2 : 0;
            missing_ |= !left;
        }
        state = x;
        return found;
    }
    std::uint32_t bits(unsigned count) { return raw_.get(count); }
    // After the last symbol: every state is back where the encoder started, every word is used.
    bool ok() const {
        return !missing_ && next_ == end_ && state_[0] == kRansLow && state_[1] == kRansLow && raw_.finished();
    }

  private:
    void start(std::span<const std::uint8_t> coded);

    std::array<std::uint32_t, kRansStates> state_{};
    unsigned turn_ = 0;  // the state of the next symbol
    const std::uint8_t* next_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    bool missing_ = false;
    std::shared_ptr<const RansTables> own_;
    const RansTables* tables_;
    BitReader raw_;
};

}  // namespace aig
