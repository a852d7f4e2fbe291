// Constants of the mixed coder, made of integers alone (format.md, 7.1.12).
#pragma once
#include "entropy/binary_coder.hpp"

namespace aig::mixed {

// Logits are in 1/255.5, as those of kLogistic; 256 stands for that where it makes no difference.
inline constexpr int kLogitLimit = 2047;

// ln(1 + e^-x) at x = 0, 1/2, 1, .. 15/2 in the upper half; in the lower one, how much less it is at the next.
alignas(64) inline constexpr std::array<std::int32_t, 16> kSoftplus = [] {
    constexpr int at[17] = {177, 121, 80, 51, 32, 20, 12, 8, 5, 3, 2, 1, 1, 0, 0, 0, 0};
    std::array<std::int32_t, 16> out{};
    for (std::size_t i = 0; i < 16; ++i) out[i] = at[i] << 16 | (at[i] - at[i + 1]);
    return out;
}();

// ln(e^d - 1) for d = 0..4096, which is the logit of 1 - e^-d.
inline constexpr int kStepLimit = 4096;
inline constexpr std::array<std::int16_t, kStepLimit + 1> kStepLogit = [] {
    std::array<std::int16_t, kStepLimit + 1> out{};
    // e^-x and e^-d in 2^-40, a 256th part less with every step.
    std::array<std::uint64_t, Logistic::kLimit + 1> e{};
    e[0] = std::uint64_t{1} << 40;
    for (std::size_t x = 1; x < e.size(); ++x) e[x] = e[x - 1] - (e[x - 1] >> 8);
    int x = -Logistic::kLimit;
    for (int d = 0; d <= kStepLimit; ++d) {
        if (d >= 2048) {
            out[static_cast<std::size_t>(d)] = static_cast<std::int16_t>(d);
            continue;
        }
        // The first x with 1 / (1 + e^-x) >= 1 - e^-d, i. e. e^-x (1 - e^-d) <= e^-d.
        const std::uint64_t left = e[static_cast<std::size_t>(d)], gone = e[0] - left;
        const auto reached = [&](int at) {
            if (at >= 0) return (e[static_cast<std::size_t>(at)] >> 12) * (gone >> 12) >> 16 <= left;
            return gone <= (e[static_cast<std::size_t>(-at)] >> 12) * (left >> 12) >> 16;
        };
        while (x < Logistic::kLimit && !reached(x)) ++x;
        out[static_cast<std::size_t>(d)] = static_cast<std::int16_t>(std::max(x, -kLogitLimit));
    }
    return out;
}();

// By how much of the error a probability learns that has seen so many decisions, in 1/65536.
inline constexpr unsigned kPatience = 60;
inline constexpr std::array<std::int32_t, kPatience + 4> kRate = [] {
    std::array<std::int32_t, kPatience + 4> out{};
    for (int n = 0; n < static_cast<int>(kPatience) + 4; ++n)
        out[static_cast<std::size_t>(n)] = std::max(1024, 327675 / (5 * n + 8));
    return out;
}();

// The weight of a prediction whose neighbours' errors are i, i. e. (i / 2 + 0.6)^-3, in units of its own.
inline constexpr std::array<std::uint32_t, 1025> kTrust = [] {
    std::array<std::uint32_t, 1025> out{};
    for (std::uint64_t i = 0; i < out.size(); ++i) {
        const std::uint64_t v = 5 * i + 6;
        out[i] = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, 375000000000 / (v * v * v)));
    }
    return out;
}();

// 2^30 / sqrt(i / 64) for i = 64..256, over 16.
inline constexpr std::array<std::uint32_t, 194> kInverseRoot = [] {
    std::array<std::uint32_t, 194> out{};
    for (std::uint64_t i = 64; i < 64 + out.size(); ++i) {
        const std::uint64_t square = (std::uint64_t{1} << 60) / i;
        std::uint64_t root = 0;
        for (std::uint64_t bit = std::uint64_t{1} << 30; bit; bit >>= 1)
            if ((root + bit) * (root + bit) <= square) root += bit;
        out[i - 64] = static_cast<std::uint32_t>(root);
    }
    return out;
}();

}  // namespace aig::mixed
