// Bits packed least significant first (format.md, 6.1).
#pragma once
#include "base/common.hpp"

#include <bit>
#include <cstring>
#include <span>

namespace aig {

class BitWriter {
  public:
    // Append the low `count` bits of `value`; count <= 32.
    void put(std::uint32_t value, unsigned count) {
        buffer_ |= static_cast<std::uint64_t>(value) << filled_;
        filled_ += count;
        while (filled_ >= 8) {
            bytes_.push_back(static_cast<std::uint8_t>(buffer_));
            buffer_ >>= 8;
            filled_ -= 8;
        }
    }
    // Pad with zero bits to a byte and hand the bytes over.
    Bytes finish() {
        if (filled_) put(0, 8 - filled_);
        return std::move(bytes_);
    }

  private:
    Bytes bytes_;
    std::uint64_t buffer_ = 0;
    unsigned filled_ = 0;
};

class BitReader {
  public:
    explicit BitReader(std::span<const std::uint8_t> data) : next_(data.data()), end_(next_ + data.size()) {}

    // The next `count` bits, count <= 32. Behind the end come zeros, and ok() turns false.
    std::uint32_t get(unsigned count) {
        if (filled_ < count) refill();
        const auto value = static_cast<std::uint32_t>(buffer_ & ((std::uint64_t{1} << count) - 1));
        buffer_ >>= count;
        filled_ -= count;
        return value;
    }
    // Number of 1 bits before the next 0, at most `limit` (<= 24); consumes the 0 below the limit.
    unsigned unary(unsigned limit) {
        if (filled_ < 32) refill();
        unsigned n = 0;
        while (n < limit && (buffer_ >> n & 1)) ++n;
        const unsigned used = n < limit ? n + 1 : n;
        buffer_ >>= used;
        filled_ -= used;
        return n;
    }
    // Whether no more bits were read than the data holds.
    bool ok() const { return overrun_ == 0 || filled_ >= overrun_; }
    // Whether nothing but the padding of the last byte is left, and that is zero.
    bool finished() const { return ok() && next_ == end_ && filled_ - overrun_ < 8 && buffer_ == 0; }
    // Whether the rest of the byte that the last bit came from is zero.
    bool padding_is_zero() const { return ok() && (buffer_ & ((1u << ((filled_ - overrun_) % 8)) - 1)) == 0; }
    // First byte that no read bit came from.
    const std::uint8_t* position() const {
        const std::uint64_t whole = filled_ > overrun_ ? (filled_ - overrun_) / 8 : 0;
        return next_ - whole;
    }

  private:
    void refill() {
        if (end_ - next_ >= 8) {
            // Whole bytes that fit, of eight that are there.
            std::uint64_t eight = 0;
            if constexpr (std::endian::native == std::endian::little) {
                std::memcpy(&eight, next_, 8);
            } else {
                for (unsigned i = 0; i < 8; ++i) eight |= static_cast<std::uint64_t>(next_[i]) << 8 * i;
            }
            const unsigned bytes = (63 - filled_) / 8;
            buffer_ |= (eight & ((std::uint64_t{1} << 8 * bytes) - 1)) << filled_;
            next_ += bytes;
            filled_ += 8 * bytes;
            return;
        }
        while (filled_ <= 56) {
            if (next_ < end_)
                buffer_ |= static_cast<std::uint64_t>(*next_++) << filled_;
            else
                overrun_ += 8;
            filled_ += 8;
        }
    }

    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::uint64_t buffer_ = 0;
    unsigned filled_ = 0;
    std::uint64_t overrun_ = 0;  // bits behind the end that were put into the buffer
};

}  // namespace aig
