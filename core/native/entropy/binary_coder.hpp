// Adaptive binary arithmetic coding: a range coder with carry (Martin 1979), probabilities that learn, and their
// logistic mixing (Mahoney 2005). Integers only, so that every machine agrees (format.md, 6.7).
#pragma once
#include "base/common.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace aig {

// The range that is left after a bit is never below this, so that a bit of probability 1/65536 keeps 256.
inline constexpr std::uint32_t kLeastRange = 1u << 24;

// The part of a range that a 1 of probability p/65536 gets.
inline std::uint32_t share(std::uint32_t range, unsigned p) {
    return static_cast<std::uint32_t>(std::uint64_t{range} * p >> 16);
}

class BinaryEncoder {
  public:
    // p is the probability of a 1 in 1/65536, 1..65535.
    void bit(unsigned p, bool one) {
        const std::uint32_t bound = share(range_, p);
        low_ += one ? 0 : bound;
        range_ = one ? bound : range_ - bound;
        while (range_ < kLeastRange) {
            range_ <<= 8;
            shift();
        }
    }
    // Ends on the lower end of the interval, which the decoder can check.
    Bytes finish() {
        for (int i = 0; i < 5; ++i) shift();  // the four bytes of low_, and the one held back before them
        return std::move(bytes_);
    }

  private:
    // Move the highest byte of low_ out. A carry can still reach it through bytes of 255, so the last byte
    // below 255 is held back, and those of 255 behind it are only counted.
    void shift() {
        const bool carry = low_ >> 32 != 0;
        if (carry || low_ < 0xFF000000u) {
            if (holding_) bytes_.push_back(static_cast<std::uint8_t>(held_ + carry));
            bytes_.insert(bytes_.end(), full_, static_cast<std::uint8_t>(0xFF + carry));
            full_ = 0;
            held_ = static_cast<std::uint8_t>(low_ >> 24);
            holding_ = true;
        } else {
            ++full_;
        }
        low_ = (low_ & 0xFFFFFFu) << 8;
    }

    Bytes bytes_;
    std::uint64_t low_ = 0;
    std::uint32_t range_ = 0xFFFFFFFFu;
    std::size_t full_ = 0;
    std::uint8_t held_ = 0;
    bool holding_ = false;
};

class BinaryDecoder {
  public:
    explicit BinaryDecoder(std::span<const std::uint8_t> data) : next_(data.data()), end_(next_ + data.size()) {
        for (int i = 0; i < 4; ++i) offset_ = offset_ << 8 | byte();
        if (offset_ >= range_) damaged_ = true;
    }
    AIG_INLINE bool bit(unsigned p) {
        const std::uint32_t bound = share(range_, p);
        const bool one = offset_ < bound;
        offset_ -= one ? 0 : bound;
        range_ = one ? bound : range_ - bound;
        while (range_ < kLeastRange) {
            range_ <<= 8;
            offset_ = offset_ << 8 | byte();
        }
        return one;
    }
    // Whether the bytes ended before the bits did, or are none of the encoder's. What comes from then on is noise.
    bool damaged() const { return damaged_; }
    // Whether exactly the encoder's bytes were read.
    bool finished() const { return next_ == end_ && !damaged_ && offset_ == 0; }

  private:
    std::uint32_t byte() {
        if (next_ < end_) return *next_++;
        damaged_ = true;
        return 0;
    }

    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::uint32_t offset_ = 0, range_ = 0xFFFFFFFFu;  // offset_ < range_ in a stream of the encoder, and then for good
    bool damaged_ = false;
};

// Bits that a decision of probability p/65536, 1..65535, takes, in 1/256.
inline std::uint32_t bits_of(unsigned p) {
    static const auto table = [] {
        std::array<std::uint16_t, 4096> t{};
        for (std::size_t i = 0; i < t.size(); ++i)
            t[i] = static_cast<std::uint16_t>(std::lround(-256 * std::log2((static_cast<double>(i) + 0.5) / 4096)));
        return t;
    }();
    return table[p >> 4];
}

// For models that are written once for both directions: bit() returns the bit that both sides then know; the reader
// ignores its argument.
class BinaryWriter : public BinaryEncoder {
  public:
    static constexpr bool kEncodes = true;
    bool bit(unsigned p, bool one) {
        BinaryEncoder::bit(p, one);
        bits_ += bits_of(one ? p : 65536 - p);
        return one;
    }
    bool damaged() const { return false; }
    // So far, in 1/256.
    std::uint64_t bits() const { return bits_; }

  private:
    std::uint64_t bits_ = 0;
};

class BinaryReader : public BinaryDecoder {
  public:
    static constexpr bool kEncodes = false;
    using BinaryDecoder::BinaryDecoder;
    AIG_INLINE bool bit(unsigned p, bool) { return BinaryDecoder::bit(p); }
};

// A probability that learns from every bit coded with it: fast at first, then by 1/128.5 of the error. 22 bits
// of probability above 10 bits that count the bits seen, up to kPatience.
class Probability {
  public:
    constexpr Probability() = default;
    constexpr Probability(unsigned p, unsigned seen) : bits_(p << 16 | seen) {}

    // Of a 1, in 1/65536, 1..65535.
    unsigned value() const { return std::max(1u, bits_ >> 16); }
    void learn(bool one) {
        const std::uint32_t seen = bits_ & 1023;
        const std::int64_t p = bits_ >> 10, error = (one ? (1 << 22) - 1 : 0) - p;
        bits_ = static_cast<std::uint32_t>(p + (error * kRates[seen] >> 16)) << 10 | std::min(seen + 1, kPatience);
    }

  private:
    static constexpr std::uint32_t kPatience = 127;
    static constexpr std::array<std::int32_t, kPatience + 1> kRates = [] {
        std::array<std::int32_t, kPatience + 1> rates{};
        for (int n = 0; n <= static_cast<int>(kPatience); ++n)
            rates[static_cast<std::size_t>(n)] = 131072 / (2 * n + 3);
        return rates;
    }();

    std::uint32_t bits_ = 0x80000000u;
};

// squash(x) = 1 / (1 + e^-x) in 1/65536 for x in 1/255.5, and its inverse.
struct Logistic {
    static constexpr int kLimit = 3071;

    std::array<std::uint16_t, 2 * kLimit + 1> squashed{};  // of -kLimit .. kLimit
    std::array<std::int16_t, 4096> stretched{};            // of probabilities 16 i + 8

    constexpr Logistic() {
        std::uint64_t e = std::uint64_t{1} << 40;  // 2^40 e^-x: a 256th part less with every step
        for (int x = 0; x <= kLimit; ++x, e -= e >> 8) {
            const std::uint64_t p = (std::uint64_t{1} << 56) / ((std::uint64_t{1} << 40) + e);
            squashed[static_cast<std::size_t>(kLimit + x)] = static_cast<std::uint16_t>(p);
            squashed[static_cast<std::size_t>(kLimit - x)] = static_cast<std::uint16_t>(65536 - p);
        }
        std::size_t i = 0;
        for (int q = 0; q < 4096; ++q) {
            while (squashed[i] < 16 * q + 8) ++i;
            stretched[static_cast<std::size_t>(q)] = static_cast<std::int16_t>(static_cast<int>(i) - kLimit);
        }
    }
    unsigned squash(std::int64_t x) const {
        return squashed[static_cast<std::size_t>(std::clamp<std::int64_t>(x, -kLimit, kLimit) + kLimit)];
    }
    int stretch(unsigned p) const { return stretched[p >> 4]; }
};
inline constexpr Logistic kLogistic;

// Joins N predictions of a bit into one, weighting them in the logistic domain; every set of weights learns by
// itself. A prediction that does not exist is null and has no say.
template <int N> class Mixer {
  public:
    using Inputs = std::array<Probability*, N>;

    explicit Mixer(unsigned sets) : weights_(sets) {
        for (auto& w : weights_) {
            w.fill(kFirstWeight);
            w[N] = 0;
        }
    }
    AIG_INLINE unsigned mix(const Inputs& inputs, unsigned set) {
        used_ = &weights_[set];
        std::int64_t sum = std::int64_t{(*used_)[N]} * kBias;
        for (std::size_t i = 0; i < N; ++i) {
            stretched_[i] = inputs[i] ? kLogistic.stretch(inputs[i]->value()) : 0;
            sum += std::int64_t{(*used_)[i]} * stretched_[i];
        }
        return mixed_ = kLogistic.squash(sum >> 16);
    }
    // After mix(): towards the predictions that were right.
    AIG_INLINE void learn(bool one) {
        const int error = (one ? 65536 : 0) - static_cast<int>(mixed_);
        for (std::size_t i = 0; i <= N; ++i) {
            const int stretched = i < N ? stretched_[i] : kBias;
            int& w = (*used_)[i];
            w = clamp_int(w + ((stretched * error + (1 << 14)) >> 15), -kWeightLimit, kWeightLimit);
        }
    }

  private:
    static constexpr int kFirstWeight = 1 << 14, kWeightLimit = 1 << 23, kBias = 256;  // weights in 1/65536

    std::vector<std::array<int, N + 1>> weights_;  // the last one is the bias's
    std::array<int, N + 1>* used_ = nullptr;
    std::array<int, N> stretched_{};
    unsigned mixed_ = 0;
};

inline std::uint32_t hash(std::uint32_t a, std::uint32_t b) {
    std::uint32_t h = (a ^ b * 0x9E3779B1u) * 0x85EBCA6Bu;
    h = (h ^ h >> 15) * 0xC2B2AE35u;
    return h ^ h >> 13;
}

// What followed a context: how often yes, and how often no, each up to 15 and the other forgotten by halves.
class History {
  public:
    explicit History(unsigned state = 0) : state_(static_cast<std::uint8_t>(state)) {}

    void add(bool yes) {
        unsigned up = state_ >> 4, down = state_ & 15;
        if (!yes) std::swap(up, down);
        up = std::min(up + 1, 15u);
        if (down > 2) down = (down + 1) >> 1;
        if (!yes) std::swap(up, down);
        state_ = static_cast<std::uint8_t>(up << 4 | down);
    }
    unsigned state() const { return state_; }

  private:
    std::uint8_t state_ = 0;
};

// What histories mean: for every state the probability of a yes.
class Meaning {
  public:
    Meaning() {
        for (unsigned s = 0; s < 256; ++s) of_[s] = {(2 * (s >> 4) + 1) * 32768 / ((s >> 4) + (s & 15) + 1), 4};
    }
    Probability* of(History h) { return &of_[h.state()]; }

  private:
    std::array<Probability, 256> of_;
};

// Histories by hash; a slot whose check byte differs belonged to another context and starts anew.
class Histories {
  public:
    explicit Histories(unsigned bits) : slots_(std::size_t{1} << bits), shift_(32 - bits) {}

    History& at(std::uint32_t h) {
        Slot& slot = slots_[h >> shift_];
        const auto check = static_cast<std::uint8_t>(h);
        if (slot.check != check) slot = {check, History()};
        return slot.history;
    }
    // What `at` would find, without starting a slot anew.
    History peek(std::uint32_t h) const {
        const Slot& slot = slots_[h >> shift_];
        return slot.check == static_cast<std::uint8_t>(h) ? slot.history : History();
    }

  private:
    struct Slot {
        std::uint8_t check = 0;
        History history;
    };
    std::vector<Slot> slots_;
    unsigned shift_;
};

// Predicts and codes bits by the histories of N contexts.
template <std::size_t N> class HistoryMixer {
  public:
    using Contexts = std::array<std::uint32_t, N>;

    explicit HistoryMixer(unsigned sets) : mixer_(sets) {}

    template <class Coder>
    bool bit(Coder& coder, Histories& histories, const Contexts& contexts, std::uint32_t node, unsigned set, bool one) {
        typename Mixer<N>::Inputs inputs;
        std::array<History*, N> found;
        for (std::size_t i = 0; i < N; ++i) {
            found[i] = &histories.at(hash(contexts[i], node));
            inputs[i] = meanings_[i].of(*found[i]);
        }
        one = coder.bit(mixer_.mix(inputs, set), one);
        mixer_.learn(one);
        for (std::size_t i = 0; i < N; ++i) {
            inputs[i]->learn(one);
            found[i]->add(one);
        }
        return one;
    }

  private:
    Mixer<N> mixer_;
    std::array<Meaning, N> meanings_;
};

}  // namespace aig
