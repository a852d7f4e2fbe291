// What the fuzzers have in common: chance from a seed, damage, inputs, and an account of what happened.
#pragma once
#include "base/common.hpp"
#include "simd/dispatch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>

namespace fuzz {

using aig::Bytes;

class Chance {
  public:
    explicit Chance(unsigned seed) : generator_(seed) {}

    int below(int n) { return static_cast<int>(generator_() % static_cast<unsigned>(n)); }
    bool one_in(int n) { return below(n) == 0; }
    // Small ones often, large ones sometimes.
    int size(int most) { return 1 + below(1 + below(most)); }

  private:
    std::mt19937 generator_;
};

struct Tally {
    long pictures = 0, decoded = 0, refused = 0;
    // Of all that was coded and decoded (FNV-1a), to compare compilers and processors.
    std::uint64_t digest = 0xcbf29ce484222325;
};

// What a guided fuzzer changes: the seed of a picture, and bytes to decode for it.
class Input {
  public:
    explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    bool empty() const { return bytes_.empty(); }
    // Behind the end come zeros.
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const std::uint8_t first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }
    unsigned number() {
        unsigned value = 0;
        for (int i = 0; i < 4; ++i) value |= unsigned{byte()} << 8 * i;
        return value;
    }
    Bytes rest() { return take(bytes_.size()); }
    // As many bytes as the first two of them say, or as there are.
    Bytes chunk() {
        const unsigned low = byte();
        return take(low | unsigned{byte()} << 8);
    }

  private:
    Bytes take(std::size_t size) {
        const auto taken = bytes_.first(std::min(size, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return Bytes(taken.begin(), taken.end());
    }
    std::span<const std::uint8_t> bytes_;
};

// The same, written.
struct InputWriter {
    Bytes bytes;

    InputWriter& byte(int v) {
        bytes.push_back(static_cast<std::uint8_t>(v));
        return *this;
    }
    InputWriter& number(unsigned v) {
        for (int i = 0; i < 4; ++i) byte(static_cast<int>(v >> 8 * i & 255));
        return *this;
    }
    InputWriter& rest(const Bytes& more) {
        bytes.insert(bytes.end(), more.begin(), more.end());
        return *this;
    }
    InputWriter& chunk(const Bytes& more) {
        const auto size = static_cast<int>(std::min<std::size_t>(more.size(), 0xFFFF));
        return byte(size & 255).byte(size >> 8).rest(Bytes(more.begin(), more.begin() + size));
    }
};

// One seed's work, or one input's.
struct Round {
    unsigned seed;
    Chance chance{seed};
    Tally& tally;
    // Where inputs are kept that do what this round does, of which there is less then; null: nowhere.
    std::vector<Bytes>* inputs = nullptr;

    [[noreturn]] void fail(const char* what) const {
        std::printf("FAILED: %s; seed %u\n", what, seed);
        std::fflush(stdout);
        std::exit(1);
    }
    // The seed of a part of this round's work.
    unsigned part() { return static_cast<unsigned>(chance.below(1 << 30)); }
    void note(std::uint64_t value) { tally.digest = (tally.digest ^ value) * 0x100000001b3; }
    template <class T> void note(const std::vector<T>& values) {
        for (const T v : values) note(static_cast<std::uint64_t>(v));
    }
    // How often bytes are tried: as they are, and damaged. What is kept is a start for others, who damage more.
    int attempts() const { return inputs ? 2 : 25; }
    void keep(const InputWriter& input) const {
        if (inputs) inputs->push_back(input.bytes);
    }
};

// Heads are dense with meaning and short, so damage goes there more often.
inline void damage(Bytes& bytes, const Bytes& other, Chance& chance) {
    for (int rounds = chance.size(6); rounds > 0; --rounds) {
        const auto n = static_cast<int>(bytes.size());
        if (!n) {
            bytes.push_back(static_cast<std::uint8_t>(chance.below(256)));
            continue;
        }
        const auto at = bytes.begin() + (chance.one_in(2) ? chance.below(std::min(n, 96)) : chance.below(n));
        switch (chance.below(8)) {
        case 0: *at ^= static_cast<std::uint8_t>(1 << chance.below(8)); break;
        case 1: *at = static_cast<std::uint8_t>(chance.below(256)); break;
        case 2: *at = static_cast<std::uint8_t>(chance.below(2) * 255); break;
        case 3: bytes.insert(at, static_cast<std::uint8_t>(chance.below(256))); break;
        case 4: bytes.erase(at); break;
        case 5: bytes.erase(at, bytes.end()); break;
        case 6: {
            const auto value = static_cast<std::uint8_t>(chance.below(2) * 255);
            std::fill(at, at + chance.below(std::min<int>(16, static_cast<int>(bytes.end() - at))), value);
            break;
        }
        default:
            if (!other.empty())
                bytes.insert(at, other.begin() + chance.below(static_cast<int>(other.size())), other.end());
        }
    }
}

// In an allocation of its own, so that reading behind it is noticed.
inline Bytes exact(const Bytes& bytes) {
    Bytes copy(bytes);
    copy.shrink_to_fit();
    return copy;
}

// Call `job()` with each set of kernels that this processor has.
template <class Job> void with_all_kernels(Job job) {
    for (const char* name : {"plain", "avx2", "avx512"})
        if (aig::choose_kernels(name)) job();
}

// `fuzz` codes pictures, damages the bytes and decodes them; `decode` does what one input says.
struct Target {
    const char* name;
    void (*fuzz)(Round& round);
    void (*decode)(Round& round, Input input);
};

void fuzz_elements(Round& round);
void fuzz_lossless(Round& round);
void fuzz_lossy(Round& round);
void fuzz_maps(Round& round);
void fuzz_symbols(Round& round);
void decode_elements(Round& round, Input input);
void decode_lossless(Round& round, Input input);
void decode_lossy(Round& round, Input input);
void decode_maps(Round& round, Input input);
void decode_symbols(Round& round, Input input);

inline constexpr Target kTargets[] = {
    {"lossless", fuzz_lossless, decode_lossless},
    {"lossy", fuzz_lossy, decode_lossy},
    {"maps", fuzz_maps, decode_maps},
    {"symbols", fuzz_symbols, decode_symbols},
    {"elements", fuzz_elements, decode_elements},
};

}  // namespace fuzz
