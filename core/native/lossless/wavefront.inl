// The loop of lossless/wavefront.hpp. Included by one unit per instruction set, which defines nothing else.
#include "lossless/colours.inl"
#include "lossless/lanes.hpp"

namespace aig {
namespace {

// Where a neighbour `dy` rows down and `dx` columns right of a pixel lies relative to it in a strip.
constexpr std::ptrdiff_t at(int dy, int dx) { return (dx + kSkew * dy) * kSlots + dy; }

constexpr std::ptrdiff_t kW = at(0, -1), kN = at(-1, 0), kNW = at(-1, -1), kNE = at(-1, 1), kWW = at(0, -2),
                         kNN = at(-2, 0);
constexpr std::ptrdiff_t kFarTaps[] = {at(-2, 1), at(-2, -1), at(-1, -2), at(-2, 2), at(0, -3), at(-3, 0)};
static_assert(6 + std::size(kFarTaps) == kOwnTaps);

template <class V> struct Neighbours {
    V w, n, nw, ne, ww, nn;

    V base() const { return max(min(w + n - nw, max(w, n)), min(w, n)); }
};

template <class T> AIG_INLINE Neighbours<Vector<T>> neighbours(const T* here) {
    return {load(here + kW), load(here + kN), load(here + kNW), load(here + kNE), load(here + kWW), load(here + kNN)};
}

// What a score adds to an error before the logarithm, in the units of predictions: small errors cost alike.
constexpr int kScoreOffset = 96;

constexpr int kPairs = 1 + kMaxTaps / 2;

// Everything that a plane's prediction is a linear function of, first the base and the sample itself, in pairs.
template <int Plane, class Add>
AIG_INLINE void for_feature_pairs(const Neighbours<Narrow>& s, const std::int16_t* const* here, Narrow sample,
                                  Add add) {
    add(0, interleave(s.base(), sample));
    add(1, interleave(s.w, s.n));
    add(2, interleave(s.nw, s.ne));
    add(3, interleave(s.ww, s.nn));
    int pair = 4;
    for (std::size_t i = 0; i < std::size(kFarTaps); i += 2)
        add(pair++, interleave(load(here[Plane] + kFarTaps[i]), load(here[Plane] + kFarTaps[i + 1])));
    for (int other = 0; other < Plane; ++other) {
        const Narrow x = load(here[other]);
        add(pair++, interleave(x - load(here[other] + kW), x - load(here[other] + kN)));
        add(pair++, interleave(x - load(here[other] + kNW), x - load(here[other] + kNE)));
    }
}

// Linear prediction around the median of W, N and W + N - NW, with kPredictionBits fractional bits.
template <int Plane>
AIG_INLINE Lanes predict(const Neighbours<Narrow>& s, const std::int16_t* const* here, const Predictor& predictor) {
    PairSum sum = no_pairs();
    for_feature_pairs<Plane>(s, here, same<Narrow>(0), [&](int i, const auto& pair) AIG_INLINE_LAMBDA {
        add(sum, pair, predictor.pair[Plane][i]);
    });
    return in_order(sum);
}

template <int Plane>
AIG_INLINE Lanes predict(const Neighbours<Lanes>& s, const std::int32_t* const* here, const Predictor& predictor) {
    const std::int32_t* tap = predictor.tap[Plane];
    Lanes sum = s.base() * all(predictor.base[Plane]);
    const Lanes near[] = {s.w, s.n, s.nw, s.ne, s.ww, s.nn};
    for (const Lanes& x : near) sum = sum + x * all(*tap++);
    for (std::ptrdiff_t offset : kFarTaps) sum = sum + load(here[Plane] + offset) * all(*tap++);
    for (int other = 0; other < Plane; ++other) {
        const Lanes x = load(here[other]);
        for (std::ptrdiff_t offset : {kW, kN, kNW, kNE}) sum = sum + (x - load(here[other] + offset)) * all(*tap++);
    }
    return sum;
}

// How large the error is to be expected, in half octaves: from differences of neighbours, their errors
// and those of the planes coded before. For samples of 8 bits nothing here exceeds 16.
template <class T, int Plane>
AIG_INLINE Lanes energy(const Neighbours<Vector<T>>& s, const T* const* errors, int shift) {
    const auto e = neighbours<T>(errors[Plane]);
    const auto activity = abs(s.w - s.nw) + abs(s.nw - s.n) + abs(s.n - s.ne) + abs(s.w - s.ww) + abs(s.n - s.nn);
    const auto past = left<1>(e.w + e.n) + e.ne + e.nw + e.ww + e.nn;
    auto sum = activity + left<1>(past);
    if constexpr (Plane == 1) sum = sum + left<2>(load(errors[0]));
    if constexpr (Plane == 2) {
        const auto others = load(errors[0]) + load(errors[1]);
        sum = sum + left<1>(others) + others;
    }
    return min(log2_of<1>(widen(right(sum, shift)) + all(1)), all(kEnergies - 1));
}

// Which of the bias cells: how the rounded prediction compares with its neighbours, and the energy.
template <class V> AIG_INLINE Lanes bias_cell(const Neighbours<V>& s, Lanes rounded, Lanes energy) {
    Lanes cell = all(0);
    for (const V& x : {s.w, s.n, s.nw, s.ne, s.ww, s.nn}) cell = left<1>(cell) - (rounded > widen(x));
    constexpr int quarter = kEnergies / 4;
    const Lanes level = (energy > all(quarter - 1)) + (energy > all(2 * quarter - 1)) + (energy > all(3 * quarter - 1));
    return cell - left<6>(level);
}

// The values of all active lanes from their states.
AIG_INLINE Lanes decode_values(Lanes& state, Lanes context, Mask active, const std::uint64_t* tables,
                               const std::uint16_t*& words) {
    const Lanes slot = state & all(kScale - 1), bucket = right_unsigned<kBucketBits>(slot), r = slot & all(kBucket - 1);
    const Halves entry = gather_pairs(tables, left<6>(context) + bucket);
    const Mask own = (entry.low & all(127)) > r;
    Lanes symbol = choose(own, bucket, right_unsigned<7>(entry.low) & all(kAlphabet - 1));
    const Lanes offset = choose(own, r, r + right<13>(entry.low));
    const Lanes frequency = choose(own, entry.high & all(0xFFFF), right_unsigned<16>(entry.high));
    symbol = symbol & active;
    state = choose(active, frequency * right_unsigned<kScaleBits>(state) + offset, state);
    state = refill(state, words);
    const Mask escaped = symbol > all(kDirect - 1);
    if (!bits_of(escaped)) return symbol;
    const Lanes bits = (right_unsigned<1>(symbol) - all(kDirect / 2 - kDirectBits + 1)) & escaped;
    const Lanes raw = state & (shift_left(all(1), bits) - all(1));
    const Lanes value = shift_left((symbol & all(1)) | all(2), bits) | raw;
    state = refill(shift_right_unsigned(state, bits), words);
    return choose(escaped, value, symbol);
}

AIG_INLINE Lanes fold(Lanes error) { return left<1>(error) ^ right<31>(error); }
AIG_INLINE Lanes unfold(Lanes value) { return right_unsigned<1>(value) ^ (all(0) - (value & all(1))); }

// A value as its symbol and raw bits.
AIG_INLINE Lanes tokenise(Lanes value) {
    const Mask escaped = value > all(kDirect - 1);
    const Lanes symbol = log2_of<1>(value | all(1)) + all(kDirect - 2 * kDirectBits);
    const Lanes bits = (right_unsigned<1>(symbol) - all(kDirect / 2 - kDirectBits + 1)) & escaped;
    const Lanes raw = value & (shift_left(all(1), bits) - all(1));
    return choose(escaped, left<kSymbolShift>(symbol) | raw, left<kSymbolShift>(value));
}

// One plane of one step, in either direction: `code(context, active, prediction, sign)` gives the samples. The
// encoder's strip holds them already, those outside the region included.
template <class T, int Plane, bool Bias, bool Decoding, class Code>
AIG_INLINE void step(const Model& model, const Predictor& predictor, T* const* samples, T* const* errors,
                     unsigned active, unsigned started, Code code) {
    using V = Vector<T>;
    const auto s = neighbours<T>(samples[Plane]);
    const Lanes low = all(model.low[Plane]), high = all(model.high[Plane]);
    const Lanes energies = energy<T, Plane>(s, errors, model.energy_shift);
    Lanes exact = predict<Plane>(s, samples, predictor);
    constexpr int half = 1 << (kPredictionBits - 1);
    [[maybe_unused]] Lanes cell, correction, plain = exact;
    [[maybe_unused]] std::int32_t* const table = Bias ? model.bias + Plane * kBiasCells : nullptr;
    if constexpr (Bias) {
        cell = bias_cell(s, right<kPredictionBits>(exact + all(half)), energies);
        correction = gather(table, cell);
        exact = exact + right<7>(correction);
    }
    exact = max(min(exact, left<kPredictionBits>(high)), left<kPredictionBits>(low));
    const Lanes rounded = right<kPredictionBits>(exact + all(half));
    const Lanes fraction = exact - left<kPredictionBits>(rounded), flip = right<31>(fraction);
    const Lanes context = left<1>(energies) - (abs(fraction) > all(half / 2));
    const Lanes wide = max(min(code(context, mask_of(active), rounded, flip), high), low);
    if constexpr (Bias) {
        const Lanes miss = left<kPredictionBits>(wide) - plain - right<7>(correction);
        scatter(table, cell, correction + miss, active);
    }
    V sample, error;
    if constexpr (Decoding) narrow(wide, sample);
    narrow(abs(wide - rounded), error);
    if (active !=
        0xFFFF) {  // pixels outside the region repeat their row; before its first pixel, the row above one column on
        V mask, go;
        narrow(mask_of(active), mask);
        narrow(mask_of(started), go);
        if constexpr (Decoding) sample = choose(mask, sample, choose(go, s.w, s.ne));
        error = choose(mask, error, choose(go, load(errors[Plane] + kW), load(errors[Plane] + kNE)));
    }
    if constexpr (Decoding) store(samples[Plane], sample);
    store(errors[Plane], error);
}

// Call plane.operator()<Plane>(samples, errors, predictor, active, started) for all planes of all steps, as long as
// go_on().
template <class T, int Planes, class GoOn, class Each>
AIG_INLINE bool for_planes(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, GoOn go_on,
                           Each each) {
    unsigned started = 0;
    for (int t = 0; t < strip.steps; ++t) {
        if (!go_on()) return false;
        const Predictor& predictor = model.predictors[classes[t / kBlockSteps]];
        T *samples[Planes], *errors[Planes];
        for (int c = 0; c < Planes; ++c) {
            samples[c] = strip.samples[c] + t * kSlots + kAbove;
            errors[c] = strip.errors[c] + t * kSlots + kAbove;
        }
        const unsigned active = strip.active[t];
        each.template operator()<0>(predictor, samples, errors, active, started);
        if constexpr (Planes > 1) each.template operator()<1>(predictor, samples, errors, active, started);
        if constexpr (Planes > 2) each.template operator()<2>(predictor, samples, errors, active, started);
        started |= active;
    }
    return go_on();
}

template <class T, int Planes, bool Bias>
void model_strip(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, std::uint32_t* values) {
    for_planes<T, Planes>(
        strip, model, classes, [] { return true; },
        [&]<int Plane>(const Predictor& predictor, T* const* samples, T* const* errors, unsigned active,
                       unsigned started) AIG_INLINE_LAMBDA {
            step<T, Plane, Bias, false>(model, predictor, samples, errors, active, started,
                                        [&](Lanes context, Mask, Lanes rounded, Lanes flip) AIG_INLINE_LAMBDA {
                                            const Lanes sample = widen(load(samples[Plane])),
                                                        error = ((sample - rounded) ^ flip) - flip;
                                            store(reinterpret_cast<std::int32_t*>(values),
                                                  tokenise(fold(error)) | left<kContextShift>(context));
                                            values += kLanes;
                                            return sample;
                                        });
        });
}

template <class T, int Planes, int Chains, bool Bias>
bool decode_strip(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, const std::uint64_t* tables,
                  Words& words) {
    Lanes state[Chains];
    for (int c = 0; c < Chains; ++c) state[c] = load(reinterpret_cast<const std::int32_t*>(words.states + c * kLanes));
    const std::uint16_t* next = words.next;
    const bool whole = for_planes<T, Planes>(
        strip, model, classes, [&] { return next <= words.end; },
        [&]<int Plane>(const Predictor& predictor, T* const* samples, T* const* errors, unsigned active,
                       unsigned started) AIG_INLINE_LAMBDA {
            step<T, Plane, Bias, true>(model, predictor, samples, errors, active, started,
                                       [&](Lanes context, Mask mask, Lanes rounded, Lanes flip) AIG_INLINE_LAMBDA {
                                           const Lanes error =
                                               unfold(decode_values(state[Plane % Chains], context, mask,
                                                                    tables + Plane * kPlaneContexts * kAlphabet, next));
                                           return rounded + ((error ^ flip) - flip);
                                       });
        });
    for (int c = 0; c < Chains; ++c) store(reinterpret_cast<std::int32_t*>(words.states + c * kLanes), state[c]);
    words.next = next;
    return whole;
}

template <class T>
void model_any(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, std::uint32_t* values) {
    if (model.planes == 1)
        return (model.bias ? model_strip<T, 1, true> : model_strip<T, 1, false>)(strip, model, classes, values);
    return (model.bias ? model_strip<T, 3, true> : model_strip<T, 3, false>)(strip, model, classes, values);
}

template <class T>
bool decode_any(const Strip<T>& strip, const Model& model, const std::uint8_t* classes, const std::uint64_t* tables,
                Words& words) {
    const auto decode = model.planes == 1   ? (model.bias ? decode_strip<T, 1, 1, true> : decode_strip<T, 1, 1, false>)
                        : model.chains == 1 ? (model.bias ? decode_strip<T, 3, 1, true> : decode_strip<T, 3, 1, false>)
                                            : (model.bias ? decode_strip<T, 3, 3, true> : decode_strip<T, 3, 3, false>);
    return decode(strip, model, classes, tables, words);
}

// Sums of scores by predictor, lane by lane; only at the end are the lanes added up.
using ScoreSums = std::int32_t[kMaxScored][kLanes];

AIG_INLINE void add_up(const ScoreSums& sums, int count, std::uint32_t* totals) {
    for (int k = 0; k < count; ++k) totals[k] += sum(load(sums[k]));
}

template <class T, int Plane>
AIG_INLINE void score_plane(T* const* samples, Mask mask, const Predictor* predictors, int count, ScoreSums& sums) {
    const auto s = neighbours<T>(samples[Plane]);
    const Lanes sample = left<kPredictionBits>(widen(load(samples[Plane])));
    for (int k = 0; k < count; ++k) {
        const Lanes error = abs(sample - predict<Plane>(s, samples, predictors[k]));
        store(sums[k], load(sums[k]) + (log2_of<kScoreBits>(error + all(kScoreOffset)) & mask));
    }
}

void score32(const Strip<std::int32_t>& strip, int planes, const int* steps, int step_count,
             const Predictor* predictors, int count, std::uint32_t* totals) {
    alignas(64) ScoreSums sums;
    for (int k = 0; k < count; ++k) store(sums[k], all(0));
    for (int i = 0; i < step_count; ++i) {
        const int t = steps[i];
        std::int32_t* samples[kMaxPlanes];
        for (int c = 0; c < planes; ++c) samples[c] = strip.samples[c] + t * kSlots + kAbove;
        const Mask mask = mask_of(strip.active[t]);
        score_plane<std::int32_t, 0>(samples, mask, predictors, count, sums);
        if (planes == 1) continue;
        score_plane<std::int32_t, 1>(samples, mask, predictors, count, sums);
        score_plane<std::int32_t, 2>(samples, mask, predictors, count, sums);
    }
    add_up(sums, count, totals);
}

// The same for samples of 16 bits: their features are put in pairs once for all predictors.
using FeaturePairs = decltype(interleave(Narrow{}, Narrow{}))[kPairs];

template <int Plane> AIG_INLINE void pair_features(const std::int16_t* const* samples, FeaturePairs& pairs) {
    for_feature_pairs<Plane>(neighbours<std::int16_t>(samples[Plane]), samples, load(samples[Plane]),
                             [&](int i, const auto& pair) AIG_INLINE_LAMBDA { pairs[i] = pair; });
}

template <int Plane> AIG_INLINE Lanes paired_score(const FeaturePairs& pairs, const Predictor& predictor) {
    PairSum sum = no_pairs();
    AIG_UNROLL_ALL
    for (int i = 0; i < 1 + (kOwnTaps + Plane * kCrossTaps) / 2; ++i) add(sum, pairs[i], predictor.pair[Plane][i]);
    return log2_of<kScoreBits>(abs(sum.v) + all(kScoreOffset));
}

void score16(const Strip<std::int16_t>& strip, int planes, const int* steps, int step_count,
             const Predictor* predictors, int count, std::uint32_t* totals) {
    alignas(64) ScoreSums sums;
    for (int k = 0; k < count; ++k) store(sums[k], all(0));
    for (int i = 0; i < step_count; ++i) {
        const int t = steps[i];
        const std::int16_t* samples[kMaxPlanes];
        for (int c = 0; c < planes; ++c) samples[c] = strip.samples[c] + t * kSlots + kAbove;
        const Mask mask = out_of_order(mask_of(strip.active[t])).v;
        FeaturePairs pairs[kMaxPlanes];
        pair_features<0>(samples, pairs[0]);
        if (planes == 1) {
            for (int k = 0; k < count; ++k)
                store(sums[k], load(sums[k]) + (paired_score<0>(pairs[0], predictors[k]) & mask));
            continue;
        }
        pair_features<1>(samples, pairs[1]);
        pair_features<2>(samples, pairs[2]);
        for (int k = 0; k < count; ++k) {
            const Predictor& p = predictors[k];
            const Lanes all_planes =
                paired_score<0>(pairs[0], p) + paired_score<1>(pairs[1], p) + paired_score<2>(pairs[2], p);
            store(sums[k], load(sums[k]) + (all_planes & mask));
        }
    }
    add_up(sums, count, totals);
}

// The way back of decode_values, for one plane or all of them: value[0] is coded first, and raw bits before their
// symbol, as the decoder reads them last. States of different planes do not wait for each other, so every stage is done
// for all of them before the next one, and the words are written at the end.
template <int Side>
AIG_INLINE void put_values(Lanes* state, const Lanes* value, Mask active, const EncodingTables& tables,
                           std::uint16_t*& next) {
    Lanes entry[Side], frequency[Side], raw_state[Side], old_state[Side];
    Mask raw_full[Side], full[Side];
    Lanes escaped[Side];
    unsigned raw = 0;
    AIG_UNROLL_ALL
    for (int i = 0; i < Side; ++i) {
        const Lanes index = right_unsigned<kSymbolShift>(value[i]);
        entry[i] = gather(reinterpret_cast<const std::int32_t*>(tables.places), index);
        frequency[i] = entry[i] & all((1 << kFrequencyBits) - 1);
    }
    AIG_UNROLL_ALL
    for (int i = 0; i < Side; ++i) {
        escaped[i] = ((value[i] & all((kAlphabet - 1) << kSymbolShift)) > all((kDirect << kSymbolShift) - 1)) & active;
        raw |= bits_of(escaped[i]);
        raw_state[i] = state[i], raw_full[i] = all(0);
    }
    // For all of them or none: one branch is guessed better than several.
    if (raw) {
        AIG_UNROLL_ALL
        for (int i = 0; i < Side; ++i) {
            const Lanes symbol = right_unsigned<kSymbolShift>(value[i]) & all(kAlphabet - 1);
            const Lanes bits = (right_unsigned<1>(symbol) - all(kDirect / 2 - kDirectBits + 1)) & escaped[i];
            raw_full[i] = shift_right_unsigned(state[i], all(32) - bits) > all(0);
            const Lanes y = choose(raw_full[i], right_unsigned<16>(state[i]), state[i]);
            state[i] = shift_left(y, bits) | (value[i] & (shift_left(all(1), bits) - all(1)));
        }
    }
    AIG_UNROLL_ALL
    for (int i = 0; i < Side; ++i) {
        old_state[i] = state[i];
        full[i] = active & (right_unsigned<32 - kScaleBits>(state[i]) > frequency[i] - all(1));
        const Lanes y = choose(full[i], right_unsigned<16>(state[i]), state[i]);
        const Lanes q = quotient(y, frequency[i]), r = (y - q * frequency[i]) & active;  // q may be one too small
        const Mask more = r > frequency[i] - all(1);
        const Lanes slot = gather(tables.slots, right_unsigned<kFrequencyBits>(entry[i]) + r - (frequency[i] & more));
        state[i] = choose(active, left<kScaleBits>(q - more) | slot, state[i]);
    }
    AIG_UNROLL_ALL
    for (int i = 0; i < Side; ++i) {
        if (raw) emit(raw_state[i], raw_full[i], next);
        emit(old_state[i], full[i], next);
    }
}

template <int Planes, int Chains>
std::uint16_t* put_strip(const std::uint32_t* values, const std::uint16_t* active, int steps,
                         const EncodingTables& tables, std::uint32_t* states, std::uint16_t* next) {
    constexpr int side = Chains == Planes ? Planes : 1;  // NOLINT(bugprone-branch-clone): in one instance both are 1
    Lanes state[Chains], value[Planes];                  // the last plane first
    for (int c = 0; c < Chains; ++c)
        state[c] = load(reinterpret_cast<const std::int32_t*>(states + (Chains - 1 - c) * kLanes));
    for (int t = steps; t-- > 0;) {
        const Mask mask = mask_of(active[t]);
        AIG_UNROLL_ALL
        for (int i = 0; i < Planes; ++i) {
            const int plane = Planes - 1 - i;
            value[i] = load(reinterpret_cast<const std::int32_t*>(values + (t * Planes + plane) * kLanes)) +
                       all(plane * (kPlaneContexts << kContextShift));
        }
        AIG_UNROLL_ALL
        for (int i = 0; i < Planes; i += side) put_values<side>(state, value + i, mask, tables, next);
    }
    for (int c = 0; c < Chains; ++c)
        store(reinterpret_cast<std::int32_t*>(states + (Chains - 1 - c) * kLanes), state[c]);
    return next;
}

std::uint16_t* put(const std::uint32_t* values, const std::uint16_t* active, int steps, int planes, int chains,
                   const EncodingTables& tables, std::uint32_t* states, std::uint16_t* next) {
    return (planes == 1   ? put_strip<1, 1>
            : chains == 1 ? put_strip<3, 1>
                          : put_strip<3, 3>)(values, active, steps, tables, states, next);
}

}  // namespace
}  // namespace aig

#include "lossless/least_squares.inl"

namespace aig {
namespace {

constexpr WavefrontKernels kWavefront{load_colours,
                                      load_colours,
                                      store_colours,
                                      store_colours,
                                      model_any<std::int16_t>,
                                      model_any<std::int32_t>,
                                      decode_any<std::int16_t>,
                                      decode_any<std::int32_t>,
                                      put,
                                      score16,
                                      score32,
                                      least_squares<std::int16_t>,
                                      least_squares<std::int32_t>};

}  // namespace
}  // namespace aig
