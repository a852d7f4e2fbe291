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

class Meter : public BinaryWriter {
  public:
    explicit Meter(View<float> bits) : bits_(bits) {}
    void coded(int x, int y) {
        bits_.row(y)[x] += static_cast<float>(bits() - before_) / 256;
        before_ = bits();
    }

  private:
    View<float> bits_;
    std::uint64_t before_ = 0;
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

void mixed_costs(View<const std::uint8_t> pixels, const MixedPlanes& planes, const Region& region, View<float> bits) {
    const Box box = bounding_box(region);
    if (box.right <= box.left) return;
    Meter meter(bits);
    int start[4] = {};
    for_runs(region, [&, first = true](int x, int y, int) mutable {
        if (!first) return;
        first = false;
        const auto* pixel = pixels.row(y) + std::ptrdiff_t{x} * pixels.channels;
        for (int c = 0; c < planes.count; ++c) start[c] = pixel[planes.channel[c]];
    });
    mixed::run_codec<std::uint8_t>(meter, pixels, planes, region, box, extent(region).pixels, 0, start);
}

}  // namespace aig
