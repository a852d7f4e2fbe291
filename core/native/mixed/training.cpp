#include "mixed/training.hpp"

#include "mixed/mixed.inl"

namespace aig {

namespace {

class Trainer : public BinaryWriter {
  public:
    void note(int plane, int set, int node, const std::int16_t* weights) {
        double* at =
            &sums[static_cast<std::size_t>(((plane * kMixedSets + set) * kMixedNodes + node)) * (1 + kMixedInputs)];
        ++*at++;
        for (int i = 0; i < kMixedInputs; ++i) at[i] += weights[i];
    }
    std::vector<double> sums = std::vector<double>(kMixedPlanes * kMixedSets * kMixedNodes * (1 + kMixedInputs));
};

static_assert(kMixedNodes == mixed::kNodes && kMixedInputs == mixed::kInputs);

}  // namespace

std::vector<double> mixed_training(View<const std::uint8_t> pixels) {
    const std::vector<std::uint8_t> inside(static_cast<std::size_t>(pixels.width) *
                                           static_cast<std::size_t>(pixels.height));
    const Region region{{inside.data(), pixels.width, pixels.width, pixels.height, 1}, 0, 0};
    const Box box{0, 0, pixels.width, pixels.height};
    Trainer trainer;
    const int start[3] = {pixels.data[1], pixels.data[0], pixels.data[2]};
    mixed::run_codec<std::uint8_t>(trainer, pixels, {3, {1, 0, 2}, false}, region, box,
                                   std::int64_t{pixels.width} * pixels.height, 0, start);
    return std::move(trainer.sums);
}

}  // namespace aig
