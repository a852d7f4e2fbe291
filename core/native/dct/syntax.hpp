// The syntax elements of the lossy tiers: partitions, changes of the quantiser, ends of blocks, levels (quantised
// coefficients). They are written and read by one function each, which takes the value to encode and returns the value;
// a reader ignores what it is given (format.md, 7.3.5 and 7.3.6).
//
// How they are coded is up to the entropy coder: as binary decisions, or as symbols in fewer contexts. What is above
// takes a HighSyntax or a LowSyntax and knows neither.
#pragma once
#include "dct/symbol_syntax.hpp"
#include "entropy/symbols.hpp"

namespace aig {

// What levels would cost, for rate-distortion optimised quantisation.
template <class C>
concept LevelCosts = requires(const C& costs, const LevelContext& context, unsigned value, int end_context) {
    { costs.level(context, value) } -> std::same_as<float>;
    { costs.spared_by_last(context, value) } -> std::same_as<float>;
    { costs.end(end_context, value) } -> std::same_as<float>;
};

template <class S>
concept HighSyntax = requires(S& syntax, typename S::Levels& levels, const LevelContext& context, int n, unsigned v,
                              bool is) {
    { syntax.end(n, n, n, v) } -> std::same_as<unsigned>;
    { syntax.costs(n, n) } -> LevelCosts;
    { levels.level(context, is, v) } -> std::same_as<unsigned>;
    { levels.negative(is) } -> std::same_as<bool>;
    levels.close();
    requires std::constructible_from<typename S::Levels, S&, int, int>;
};

template <class S>
concept LowSyntax = requires(S& syntax, typename S::LowLevels& levels, Shape shape, Cut cut, int n, unsigned v,
                             bool is) {
    { syntax.partition(n, n, n, cut) } -> std::same_as<Cut>;
    { syntax.quantiser_change(v) } -> std::same_as<unsigned>;
    { syntax.dc(n, shape, n, v) } -> std::same_as<unsigned>;
    { syntax.negative(is) } -> std::same_as<bool>;
    { levels.end(n, n) } -> std::same_as<int>;
    { levels.level(n, n, v) } -> std::same_as<unsigned>;
    { levels.negative(is) } -> std::same_as<bool>;
    levels.close();
    requires std::constructible_from<typename S::LowLevels, S&, int, Shape>;
};

// The syntax elements of a stream for an entropy coder's writer or reader.
template <BinaryCoder Coder, class Contexts>
BinarySyntax<Coder, Contexts> syntax_of(Coder& coder, const Contexts& start) {
    return {coder, start};
}
template <MultiSymbolCoder Coder, class Contexts>
SymbolSyntax<Coder, Contexts> syntax_of(Coder& coder, const Contexts& start) {
    return {coder, start};
}

static_assert(HighSyntax<BinarySyntax<AdaptiveWriter, HighModel>> && HighSyntax<SymbolSyntax<SymbolWriter, HighModel>>);
static_assert(LowSyntax<BinarySyntax<AdaptiveWriter, LowModel>> && LowSyntax<SymbolSyntax<SymbolWriter, LowModel>>);

}  // namespace aig
