#include "entropy/frequencies.hpp"

#include <algorithm>

namespace aig {

Frequencies normalise(const Counts& counts) {
    std::uint64_t total = 0;
    for (auto n : counts) total += n;
    Frequencies f{};
    int left = static_cast<int>(kScale);
    for (unsigned s = 0; s < kAlphabet; ++s) {
        if (!counts[s]) continue;
        const auto scaled = static_cast<int>((std::uint64_t{counts[s]} * kScale + total / 2) / total);
        f[s] = static_cast<std::uint16_t>(std::max(1, scaled));
        left -= f[s];
    }
    // Rounding leaves a few units; the most frequent symbols carry them at the least cost.
    while (left != 0) {
        const auto top = std::max_element(f.begin(), f.end());
        const int step = left > 0 ? left : std::max(left, -(*top / 2));
        *top = static_cast<std::uint16_t>(*top + step);
        left -= step;
    }
    return f;
}

void write_frequencies(BitWriter& out, const Frequencies& f) {
    unsigned last = kAlphabet - 1;
    while (f[last] == 0) --last;
    out.put(last, 6);
    // The last frequency is what is left of the scale.
    for (unsigned s = 0; s < last; ++s) {
        const auto width = static_cast<unsigned>(std::bit_width(f[s]));
        out.put(width, 4);
        if (width > 1) out.put(f[s] & ((1u << (width - 1)) - 1), width - 1);
    }
}

Frequencies read_frequencies(BitReader& in) {
    Frequencies f{};
    const unsigned last = in.get(6);
    std::uint32_t left = kScale;
    for (unsigned s = 0; s < last; ++s) {
        const unsigned width = in.get(4);
        const std::uint32_t value = width == 0 ? 0 : 1u << (width - 1) | in.get(width - 1);
        if (value >= left) throw Corrupt("frequencies exceed their scale");
        f[s] = static_cast<std::uint16_t>(value);
        left -= value;
    }
    f[last] = static_cast<std::uint16_t>(left);
    return f;
}

}  // namespace aig
