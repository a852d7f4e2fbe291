// Where the probabilities of the lossy tiers start (python -m bench.train).
#include "dct/syntax.hpp"

#include <cstring>

namespace aig {
namespace {

#include "dct/trained_models.inl"

// In 1/256 each, in the order of the model's members.
template <class Model, std::size_t N> Model model_of(const std::uint8_t (&values)[N]) {
    static_assert(N * sizeof(AdaptiveBit) == sizeof(Model));
    AdaptiveBit probabilities[N];
    for (std::size_t i = 0; i < N; ++i) probabilities[i] = static_cast<AdaptiveBit>(values[i] << 8 | 128);
    Model model;
    std::memcpy(&model, probabilities, sizeof model);
    return model;
}

}  // namespace

const HighModel& trained_high() {
    static const auto model = model_of<HighModel>(kTrainedHigh);
    return model;
}

const LowModel& trained_low() {
    static const auto model = model_of<LowModel>(kTrainedLow);
    return model;
}

}  // namespace aig
