// Static range asymmetric numeral systems (Duda 2013, arXiv:1311.2540), two interleaved states,
// contexts clustered onto a few frequency tables (format.md, 6.5).
#pragma once
#include "symbols.hpp"

#include <array>

namespace aig {

inline constexpr unsigned kProbBits = 12;
inline constexpr std::uint32_t kProbScale = 1u << kProbBits;
inline constexpr std::uint32_t kRansLow = 1u << 16;  // states stay in [2^16, 2^32)
inline constexpr unsigned kRansStates = 2;
inline constexpr unsigned kMaxClusters = 64;

Bytes rans_encode(std::span<const std::uint8_t> symbols, std::span<const std::uint8_t> contexts,
                  unsigned n_contexts);

class RansSource {
  public:
    RansSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned n_contexts);

    unsigned get(unsigned context) {
        std::uint32_t& x = state_[turn_];
        turn_ ^= 1;
        const std::uint32_t slot = slots_[cluster_offset_[context] + (x & (kProbScale - 1))];
        // slot = symbol (8 bits) | frequency - 1 (12 bits) | offset within the symbol (12 bits)
        x = ((slot >> 12 & 0xfff) + 1) * (x >> kProbBits) + (slot & 0xfff);
        if (x < kRansLow) {
            std::uint32_t word = 0;
            if (next_ + 2 <= end_) word = next_[0] | std::uint32_t{next_[1]} << 8;
            else overrun_ = true;
            next_ += 2 * (next_ + 2 <= end_);
            x = x << 16 | word;
        }
        return slot >> 24;
    }
    std::uint32_t bits(unsigned count) { return raw_.get(count); }
    // After the last symbol: every state is back where the encoder started, every byte is used.
    bool ok() const {
        return !overrun_ && next_ == end_ && state_[0] == kRansLow && state_[1] == kRansLow && raw_.ok();
    }

  private:
    BitReader raw_;
    std::vector<std::uint32_t> slots_;
    std::array<std::uint32_t, kMaxContexts> cluster_offset_{};
    std::array<std::uint32_t, kRansStates> state_{};
    unsigned turn_ = 0;
    const std::uint8_t* next_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    bool overrun_ = false;
};

}  // namespace aig
