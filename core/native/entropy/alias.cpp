#include "entropy/alias.hpp"

namespace aig {
namespace {

struct Bucket {
    std::uint32_t cutoff;  // slots that belong to the bucket's own symbol
    std::uint32_t alias;   // whose the others are
    std::uint32_t offset;  // of the alias's slots in this bucket, within its frequency
};

// Buckets that hold less than they could are filled from those that hold too much (format.md, 6.6).
std::array<Bucket, kAlphabet> fill_buckets(const Frequencies& frequencies) {
    std::array<Bucket, kAlphabet> buckets;
    std::array<unsigned, kAlphabet> under, over;
    unsigned n_under = 0, n_over = 0;
    for (unsigned s = 0; s < kAlphabet; ++s) {
        buckets[s] = {frequencies[s], s, 0};
        if (frequencies[s] < kBucket) under[n_under++] = s;
        if (frequencies[s] > kBucket) over[n_over++] = s;
    }
    while (n_over) {
        const unsigned o = over[n_over - 1], u = under[--n_under];
        buckets[o].cutoff -= kBucket - buckets[u].cutoff;
        buckets[u].alias = o;
        buckets[u].offset = buckets[o].cutoff;
        if (buckets[o].cutoff <= kBucket) --n_over;
        if (buckets[o].cutoff < kBucket) under[n_under++] = o;
    }
    return buckets;
}

}  // namespace

AliasTable alias_table(const Frequencies& frequencies) {
    AliasTable table;
    const auto buckets = fill_buckets(frequencies);
    for (unsigned s = 0; s < kAlphabet; ++s) {
        const Bucket& b = buckets[s];
        const std::uint32_t low = b.cutoff | b.alias << 7 | (b.offset - b.cutoff) << 13;
        const std::uint32_t high = frequencies[s] | static_cast<std::uint32_t>(frequencies[b.alias]) << 16;
        table[s] = low | static_cast<std::uint64_t>(high) << 32;
    }
    return table;
}

void fill_slots(const Frequencies& frequencies, std::uint16_t* out) {
    std::array<std::uint32_t, kAlphabet> starts;
    std::uint32_t start = 0;
    for (unsigned s = 0; s < kAlphabet; ++s) starts[s] = start, start += frequencies[s];
    const auto buckets = fill_buckets(frequencies);
    for (std::uint32_t b = 0; b < kAlphabet; ++b) {
        const auto slot = [b](std::uint32_t r) { return static_cast<std::uint16_t>(b << kBucketBits | r); };
        std::uint16_t* own = out + starts[b];
        for (std::uint32_t r = 0; r < buckets[b].cutoff; ++r) own[r] = slot(r);
        std::uint16_t* alias = out + starts[buckets[b].alias] + buckets[b].offset;
        for (std::uint32_t r = buckets[b].cutoff; r < kBucket; ++r) *alias++ = slot(r);
    }
}

}  // namespace aig
