// Quantised levels as symbols: DC of all blocks (the 1/8 image) and AC of the blocks of one class
// (format.md, 7.3.5 and 7.3.6).
#pragma once
#include "sources.hpp"

namespace aig {

// The levels of one plane, 64 per block, with the class of each block.
struct LevelPlane {
    std::int16_t* levels;
    View<const std::uint8_t> blocks;
};

inline constexpr unsigned kDcContexts = 16;
inline constexpr unsigned kAcContexts = 124;

SymbolSink dc_encode(std::span<const LevelPlane> planes);
void dc_decode(const Stream& stream, std::span<const LevelPlane> planes);

// `kind`: only blocks of this class are coded.
SymbolSink ac_encode(std::span<const LevelPlane> planes, int kind);
void ac_decode(const Stream& stream, std::span<const LevelPlane> planes, int kind);

}  // namespace aig
