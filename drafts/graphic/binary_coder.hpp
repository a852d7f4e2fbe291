// Adaptive binary arithmetic coding: range coder with carry (Martin 1979; Schindler 1998), probabilities that
// learn, and their logistic mixing (Mahoney 2005). Integers only; format.md, 6.6.
#pragma once
#include "common.hpp"

#include <array>
#include <span>

namespace aig {

// Probabilities are those of a 1, in 1/65536, 1..65535.
class BinaryEncoder {
  public:
    void bit(unsigned p, bool b) {
        const auto bound = static_cast<std::uint32_t>(std::uint64_t{range_} * p >> 16);
        if (b) {
            range_ = bound;
        } else {
            low_ += bound;
            range_ -= bound;
        }
        while (range_ < kLeastRange) {
            range_ <<= 8;
            shift();
        }
    }
    Bytes finish() {
        for (int i = 0; i < 5; ++i) shift();
        return std::move(bytes_);
    }

    static constexpr std::uint32_t kLeastRange = 1u << 24;

  private:
    // Move the top byte of low_ out. A later carry can still change it, and runs through bytes of 255: so
    // the latest byte that is not 255 is held back, with the number of those behind it.
    void shift() {
        const bool carry = low_ >> 32 != 0;
        if (carry || low_ < 0xFF000000u) {
            if (started_) bytes_.push_back(static_cast<std::uint8_t>(held_ + carry));
            for (; pending_; --pending_) bytes_.push_back(static_cast<std::uint8_t>(0xFF + carry));
            started_ = true;
            held_ = static_cast<std::uint8_t>(low_ >> 24);
        } else {
            ++pending_;
        }
        low_ = (low_ & 0xFFFFFF) << 8;
    }

    Bytes bytes_;
    std::uint64_t low_ = 0;
    std::uint32_t range_ = 0xFFFFFFFFu;
    std::uint64_t pending_ = 0;
    std::uint8_t held_ = 0;
    bool started_ = false;
};

class BinaryDecoder {
  public:
    explicit BinaryDecoder(std::span<const std::uint8_t> data) : next_(data.data()), end_(next_ + data.size()) {
        for (int i = 0; i < 4; ++i) offset_ = offset_ << 8 | byte();
    }
    bool bit(unsigned p) {
        const auto bound = static_cast<std::uint32_t>(std::uint64_t{range_} * p >> 16);
        const bool b = offset_ < bound;
        range_ = b ? bound : range_ - bound;
        offset_ -= b ? 0 : bound;
        while (range_ < BinaryEncoder::kLeastRange) {
            range_ <<= 8;
            offset_ = offset_ << 8 | byte();
        }
        return b;
    }
    // Whether the bytes ended before the bits did; what came since then is noise.
    bool overrun() const { return overrun_; }
    // Whether exactly the bytes of the encoder were read: it ends on the lower end of its interval.
    bool finished() const { return next_ == end_ && !overrun_ && offset_ == 0; }

  private:
    std::uint32_t byte() {
        if (next_ < end_) return *next_++;
        overrun_ = true;
        return 0;
    }

    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::uint32_t offset_ = 0, range_ = 0xFFFFFFFFu;
    bool overrun_ = false;
};

}  // namespace aig
