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

class RansReader {
  public:
    static constexpr bool kDecodes = true;
    using Context = unsigned;

    // Of a stream behind its own tables.
    RansReader(const CodedStream& stream, unsigned n_contexts);
    // Of a stream whose tables are elsewhere, and outlive the reader.
    RansReader(const RansTables& tables, const CodedStream& stream);

    AIG_INLINE unsigned symbol(unsigned context, unsigned = 0) {
        const RansTables::Table& table = *tables_->of(context);
        std::uint32_t& state = state_[turn_];
        turn_ ^= 1;
        const std::uint32_t low = state & (kScale - 1);
        const unsigned found = table.symbols[low];
        std::uint32_t x = table.frequencies[found] * (state >> kScaleBits) + low - table.starts[found];
        if (x < kRansLow) {
            // Behind the last word stand zeros, to be read over and over; finished() notices.
            const bool left = end_ - next_ >= 2;
            x = x << 16 | (left ? static_cast<std::uint32_t>(next_[0] | next_[1] << 8) : 0u);
            next_ += left ? 2 : 0;
            missing_ |= !left;
        }
        state = x;
        return found;
    }
    std::uint32_t bits(std::uint32_t, unsigned count) { return raw_.get(count); }
    // After the last symbol: every state is back where the encoder started, every word is used.
    bool finished() const {
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

struct RansCoder {
    using Tables = RansTables;
    using Writer = SymbolWriter;
    using Reader = RansReader;
    static Bytes tables(const std::vector<Counts>& counts);
    // States and words.
    static Bytes code(const Tables& tables, const WrittenStream& stream);
    static Bytes code_alone(const WrittenStream& stream, unsigned n_contexts);
};

}  // namespace aig
