// Adaptive binary arithmetic coding for the lossy tiers: a range coder with carry (Martin 1979) in 64 bits, so that it
// moves whole words and seldom, and probabilities that learn by a fixed share of their error (format.md, 6.8).
#pragma once
#include "entropy/coding.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>
#include <vector>

namespace aig {

// A context starts where training left it and stays within 31..65505.
inline constexpr unsigned kLearningShift = 5;

inline void learn(AdaptiveBit& p, bool one) {
    p = static_cast<AdaptiveBit>(one ? p + ((65536u - p) >> kLearningShift) : p - (p >> kLearningShift));
}

// The range is never below this between bits, so that even the least probability keeps 2^16 of it.
inline constexpr std::uint64_t kLeastWideRange = std::uint64_t{1} << 32;

// Bits that a decision in a context takes.
inline float bits_of(AdaptiveBit p, bool one) {
    static const auto table = [] {
        std::array<float, 4097> t{};
        for (std::size_t i = 0; i < t.size(); ++i) t[i] = -std::log2(std::max(0.5f, static_cast<float>(i)) / 4096);
        return t;
    }();
    return table[one ? p >> 4 : 4096 - (p >> 4)];
}

// Writer and reader are a few integers that a loop can copy into registers and back; the bytes lie elsewhere.
class AdaptiveWriter {
  public:
    static constexpr bool kDecodes = false;
    using Context = AdaptiveBit&;

    explicit AdaptiveWriter(StreamBytes& out, unsigned = 0) : out_(&out) {}
    // Without branches on the bit, which is as good as random where it says much.
    AIG_INLINE bool symbol(AdaptiveBit& p, bool one) {
        const std::uint64_t bound = (range_ >> 16) * p, is_one = std::uint64_t{0} - one, step = bound & ~is_one;
        low_ += step;
        if (low_ < step) carry();
        range_ = (bound & is_one) | ((range_ - bound) & ~is_one);
        const unsigned up = p + ((65536u - p) >> kLearningShift), down = p - (p >> kLearningShift), mask = 0u - one;
        p = static_cast<AdaptiveBit>((up & mask) | (down & ~mask));
        if (range_ < kLeastWideRange) {
            word();
            low_ <<= 32;
            range_ <<= 32;
        }
        return one;
    }
    // Bits that nothing is known of go past the arithmetic, lowest first; at most 32.
    AIG_INLINE std::uint32_t bits(std::uint32_t value, unsigned count) {
        raw_ |= std::uint64_t{value} << raw_bits_;
        raw_bits_ += count;
        if (raw_bits_ >= 32) raw_word();
        return value;
    }
    // Of the numbers in the final interval, the one with most zeros at its end; the bytes of zero in its last word are
    // not written.
    void finish() {
        const std::uint64_t mask = (std::uint64_t{1} << (std::bit_width(range_) - 1)) - 1;
        const std::uint64_t end = (low_ + mask) & ~mask;
        if (end < low_) carry();
        low_ = end;
        word();
        Bytes& coded = out_->coded;
        for (int i = 0; i < 4 && !coded.empty() && coded.back() == 0; ++i) coded.pop_back();
        for (unsigned bits = 0; bits < raw_bits_; bits += 8)
            out_->raw.push_back(static_cast<std::uint8_t>(raw_ >> bits));
    }

  private:
    // Rare enough to stay out of the way.
    void word() {
        for (int shift = 56; shift >= 32; shift -= 8) out_->coded.push_back(static_cast<std::uint8_t>(low_ >> shift));
    }
    void carry() const {
        Bytes& coded = out_->coded;
        for (std::size_t i = coded.size(); i-- > 0 && ++coded[i] == 0;) {}
    }
    void raw_word() {
        for (int shift = 0; shift < 32; shift += 8) out_->raw.push_back(static_cast<std::uint8_t>(raw_ >> shift));
        raw_ >>= 32;
        raw_bits_ -= 32;
    }

    StreamBytes* out_;
    std::uint64_t low_ = 0, range_ = ~std::uint64_t{0}, raw_ = 0;
    unsigned raw_bits_ = 0;
};

// Counts decisions instead of coding them, for training.
class DecisionCounter {
  public:
    static constexpr bool kDecodes = false;
    using Context = AdaptiveBit&;

    // The set of contexts in which decisions will be made; it has no members but these.
    template <class Contexts> void watch(const Contexts& contexts) {
        first_ = reinterpret_cast<const AdaptiveBit*>(&contexts);
        counts.resize(sizeof contexts / sizeof(AdaptiveBit));
    }
    bool symbol(AdaptiveBit& p, bool one) {
        ++counts[static_cast<std::size_t>(&p - first_)][one];
        learn(p, one);
        return one;
    }
    std::uint32_t bits(std::uint32_t value, unsigned) { return value; }
    void finish() {}

    std::vector<std::array<std::uint32_t, 2>> counts;  // of 0 and 1, of every context of the set

  private:
    const AdaptiveBit* first_ = nullptr;
};

class AdaptiveReader {
  public:
    static constexpr bool kDecodes = true;
    using Context = AdaptiveBit&;

    AdaptiveReader(const NoTables&, const CodedStream& stream)
        : next_(stream.coded.data()), end_(next_ + stream.coded.size()), raw_(stream.raw) {
        offset_ = std::uint64_t{word()} << 32;
        offset_ |= word();
        if (offset_ >= range_) throw Corrupt("entropy-coded data begin beyond the range");
    }
    AIG_INLINE bool symbol(AdaptiveBit& p, bool = false) {
        const std::uint64_t bound = (range_ >> 16) * p;
        const bool one = offset_ < bound;
        if (one) {
            range_ = bound;
        } else {
            offset_ -= bound;
            range_ -= bound;
        }
        learn(p, one);
        if (range_ < kLeastWideRange) {
            range_ <<= 32;
            offset_ = offset_ << 32 | word();
        }
        return one;
    }
    AIG_INLINE std::uint32_t bits(std::uint32_t, unsigned count) { return raw_.get(count); }
    // Whether no byte was left over, and none but the zeros that the encoder spares was missing.
    bool finished() const { return next_ == end_ && words_behind_ <= 2 && raw_.finished(); }

  private:
    AIG_INLINE std::uint32_t word() {
        if (end_ - next_ < 4) return last_word();
        const std::uint32_t w =
            std::uint32_t{next_[0]} << 24 | std::uint32_t{next_[1]} << 16 | std::uint32_t{next_[2]} << 8 | next_[3];
        next_ += 4;
        return w;
    }
    std::uint32_t last_word() {
        std::uint32_t w = 0;
        if (next_ == end_) ++words_behind_;
        for (int i = 0; i < 4; ++i) w = w << 8 | (next_ < end_ ? *next_++ : 0u);
        return w;
    }

    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::uint64_t offset_ = 0, range_ = ~std::uint64_t{0};
    std::uint64_t words_behind_ = 0;
    BitReader raw_;
};

struct AdaptiveCoder {
    using Tables = NoTables;
    using Writer = AdaptiveWriter;
    using Reader = AdaptiveReader;
};

}  // namespace aig
