// What the fuzzers have in common: chance from a seed, damage, and a count of what happened.
#pragma once
#include "common.hpp"
#include "simd.hpp"

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
};

// One seed's work.
struct Round {
    unsigned seed;
    Chance chance{seed};
    Tally& tally;

    [[noreturn]] void fail(const char* what) const {
        std::printf("FAILED: %s; seed %u\n", what, seed);
        std::exit(1);
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
        case 6: std::fill(at, at + chance.below(std::min<int>(16, static_cast<int>(bytes.end() - at))), static_cast<std::uint8_t>(chance.below(2) * 255)); break;
        default:
            if (!other.empty()) bytes.insert(at, other.begin() + chance.below(static_cast<int>(other.size())), other.end());
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

void fuzz_lossless(Round& round);
void fuzz_lossy(Round& round);
void fuzz_maps(Round& round);

}  // namespace fuzz
