// The lossless coder's inner loop: sixteen rows at a time, each two pixels behind the one above
// (format.md, 7.1). lossless/wavefront.inl has the loop, compiled once per instruction set.
#pragma once
#include "base/common.hpp"

namespace aig {

inline constexpr int kLanes = 16;       // rows of a strip
inline constexpr int kSkew = 2;         // pixels that a row lags behind the one above
inline constexpr int kAbove = 4;        // rows above the strip that its samples can refer to
inline constexpr int kSlots = 24;       // rows kept per step: those above, the strip's own, and padding
inline constexpr int kHistory = 8;      // steps kept before the first
inline constexpr int kBlockSteps = 16;  // steps that share a predictor
inline constexpr int kOwnTaps = 12, kCrossTaps = 4;
inline constexpr int kMaxTaps = kOwnTaps + 2 * kCrossTaps;
inline constexpr int kMaxPlanes = 3;
inline constexpr int kEnergies = 24;
inline constexpr int kPlaneContexts = 2 * kEnergies;
inline constexpr int kBiasCells = 256;
inline constexpr int kTile = 64;           // steps that are brought to or from pixels at a time
inline constexpr int kPredictionBits = 6;  // fractional bits of predictions and coefficients

// Coefficients of one predictor, for every plane: those of the samples, and of the base.
struct Predictor {
    std::int32_t base[kMaxPlanes];
    std::int32_t tap[kMaxPlanes][kMaxTaps];
    // The same by twos, as halves of 32 bits: the base's and, negative, the sample's own; then those of the taps.
    std::int32_t pair[kMaxPlanes][1 + kMaxTaps / 2];
};

// A strip of up to 16 rows in skewed order: at step t, slot kAbove + k holds column t - 2k of row k, and
// the slots before it the rows above the strip. Pointers are to step 0.
template <class T> struct Strip {
    T* samples[kMaxPlanes];
    T* errors[kMaxPlanes];        // magnitudes of prediction errors
    const std::uint16_t* active;  // per step, the lanes whose pixel is to be coded
    int steps;
};

struct Model {
    int planes;
    int low[kMaxPlanes], high[kMaxPlanes];  // range of every plane's samples
    int energy_shift;
    const Predictor* predictors;
    std::int32_t* bias;  // kBiasCells per plane, or null: no bias cancellation
    int chains;          // sets of states: one for all planes, or one for each, which do not wait for each other
};

inline constexpr int kScoreBits = 3;
inline constexpr int kMaxScored = 32;

// What is left of a band's coded symbols.
struct Words {
    std::uint32_t* states;  // kLanes of every chain
    const std::uint16_t* next;
    const std::uint16_t* end;  // at least kWordMargin words can be read behind it
};
inline constexpr int kWordMargin = 2 * kMaxPlanes * kLanes + kLanes;

// A value as the encoder keeps it: raw bits, symbol and context from the least significant bit up.
inline constexpr int kSymbolShift = 16, kContextShift = 22;

// The encoder's tables: for symbol s of context c of plane p, at index (p * kPlaneContexts + c) * 64 + s, frequency |
// place << 13. With remainder r its slot is slots[place + r]; one more can be read.
struct EncodingTables {
    const std::uint32_t* places;
    const std::uint16_t* slots;
};
inline constexpr int kFrequencyBits = 13;
// Words in front of those written so far that coding a strip may overwrite.
inline constexpr int kEmitMargin = 16;

// Reversible colour transforms, by number in the file (format.md, 7.1.2).
enum Transform : unsigned { kGreenFirst = 0, kChromaLuma = 1, kSubtractGreen = 2, kCoCgLuma = 3, kTransforms = 4 };

struct WavefrontKernels {
    // Up to kTile pixels of 3 or 4 channels to three rows of samples, and back, which leaves a fourth channel as it is.
    void (*load_colours8)(unsigned transform, const std::uint8_t* pixels, int channels, std::int16_t* const* samples,
                          int count);
    void (*load_colours16)(unsigned transform, const std::uint16_t* pixels, int channels, std::int32_t* const* samples,
                           int count);
    void (*store_colours8)(unsigned transform, const std::int16_t* const* samples, std::uint8_t* pixels, int channels,
                           int count);
    void (*store_colours16)(unsigned transform, const std::int32_t* const* samples, std::uint16_t* pixels, int channels,
                            int count);
    // Turn a strip's samples into values, kLanes per plane and step; `classes` has one entry per block.
    void (*model16)(const Strip<std::int16_t>&, const Model&, const std::uint8_t* classes, std::uint32_t* values);
    void (*model32)(const Strip<std::int32_t>&, const Model&, const std::uint8_t* classes, std::uint32_t* values);
    // The inverse: set the strip's samples. False when the words do not suffice.
    bool (*decode16)(const Strip<std::int16_t>&, const Model&, const std::uint8_t* classes, const std::uint64_t* tables,
                     Words&);
    bool (*decode32)(const Strip<std::int32_t>&, const Model&, const std::uint8_t* classes, const std::uint64_t* tables,
                     Words&);
    // Code a strip's values, the last step first, and put the words in front of `next`; returns where they begin.
    std::uint16_t* (*put)(const std::uint32_t* values, const std::uint16_t* active, int steps, int planes, int chains,
                          const EncodingTables& tables, std::uint32_t* states, std::uint16_t* next);
    // For the encoder's search: add to totals[k] about the bits that the active pixels of some steps would take with
    // predictor k of up to kMaxScored, in units of 1 / 2^kScoreBits, and up to a constant for every pixel.
    void (*score16)(const Strip<std::int16_t>&, int planes, const int* steps, int step_count,
                    const Predictor* predictors, int count, std::uint32_t* totals);
    void (*score32)(const Strip<std::int32_t>&, int planes, const int* steps, int step_count,
                    const Predictor* predictors, int count, std::uint32_t* totals);
    // For the encoder's fit of a plane's taps: the active pixels of some steps of a block have features, the taps'
    // differences from the base and last their own, and weights, which are less where the errors with these
    // coefficients are large. Adds sum of w x_i x_j, lane by lane, to sums[(i * (i + 1) / 2 + j) * kLanes ..] for j <=
    // i; returns the number of pixels.
    float (*least_squares16)(const Strip<std::int16_t>&, int plane, const int* steps, int count,
                             const float* coefficients, float* sums);
    float (*least_squares32)(const Strip<std::int32_t>&, int plane, const int* steps, int count,
                             const float* coefficients, float* sums);
};

// Those of the instruction set in use (simd/dispatch.hpp).
const WavefrontKernels& wavefront_kernels();
const WavefrontKernels& plain_wavefront();
#ifdef AIG_HAVE_AVX2_BUILD
const WavefrontKernels& avx2_wavefront();
const WavefrontKernels& avx512_wavefront();
#endif

}  // namespace aig
