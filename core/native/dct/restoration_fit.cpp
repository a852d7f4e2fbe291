// Fitting of the restoration filter: least squares by class (Wiener; as the adaptive loop filter of Tsai et al. 2013
// does).
#include "dct/encoder.hpp"

#include <algorithm>
#include <cmath>

namespace aig {
namespace {

constexpr int kN = kRestorationTaps;

// Taps that minimise the squared error, in 1/64; `sums` as SampleKernels::restoration_statistics has them.
void solve(const std::int64_t* sums, std::int16_t* taps) {
    double a[kN][kN + 1];
    int k = 0;
    for (int i = 0; i < kN; ++i)
        for (int j = i; j < kN; ++j) a[i][j] = a[j][i] = static_cast<double>(sums[k++]);
    for (int i = 0; i < kN; ++i) {
        a[i][kN] = static_cast<double>(sums[k++]);
        a[i][i] += 1e6;  // regularisation: flat images would divide by 0
    }
    for (int i = 0; i < kN; ++i)
        for (int r = i + 1; r < kN; ++r) {
            const double f = a[r][i] / a[i][i];
            for (int c = i; c <= kN; ++c) a[r][c] -= f * a[i][c];
        }
    double x[kN];
    for (int i = kN; i-- > 0;) {
        x[i] = a[i][kN];
        for (int c = i + 1; c < kN; ++c) x[i] -= a[i][c] * x[c];
        x[i] /= a[i][i];
        taps[i] = static_cast<std::int16_t>(std::clamp(std::floor(x[i] * 64 + 0.5), -64.0, 63.0));
    }
}

// A plane with room around it, where its border is repeated as the decoder does.
class Surrounded {
  public:
    Surrounded(int width, int height)
        : width_(width), height_(height),
          memory_(static_cast<std::size_t>(width + 2 * kMargin) * static_cast<std::size_t>(height + 2 * kMargin)) {}
    SamplePlane plane() const {
        const std::ptrdiff_t stride = width_ + 2 * kMargin;
        return {memory_.get() + kMargin * stride + kMargin, stride};
    }
    void surround() {
        const SamplePlane p = plane();
        for (int y = 0; y < height_; ++y) {
            std::fill_n(p.at(-kMargin, y), kMargin, *p.at(0, y));
            std::fill_n(p.at(width_, y), kMargin, *p.at(width_ - 1, y));
        }
        for (int k = 1; k <= kMargin; ++k) {
            std::copy_n(p.at(-kMargin, 0), p.stride, p.at(-kMargin, -k));
            std::copy_n(p.at(-kMargin, height_ - 1), p.stride, p.at(-kMargin, height_ - 1 + k));
        }
    }

  private:
    static constexpr int kMargin = 2;
    int width_, height_;
    Scratch<std::int16_t> memory_;
};

}  // namespace

void LossyEncoder::fit(int tier, TierFilters& filters) {
    const auto& kernels = sample_kernels();
    std::array<TierFilters, kTiers> plain;
    for (TierFilters& f : plain) f.deblocking = filters.deblocking;
    const auto original = as_planes(frame_, coefficients_), rebuilt = sample_planes();
    // Cells without high frequencies show the LF image, and are inputs of the filters of their neighbours.
    interpolate(frame_, rebuilt, 0, frame_.group_rows(), {0, frame_.settings().width});
    const Finisher finisher(frame_, rebuilt, plain);
    filters.restores = true;
    for (int c = 0; c < (frame_.planes() > 1 ? 2 : 1); ++c) {
        std::int64_t sums[kRestorationClasses][kRestorationSums] = {};
        for (int p = c; p < (c ? 3 : 1); ++p) {
            const auto at = static_cast<std::size_t>(p);
            const Grid& grid = frame_.grid(p);
            Surrounded surrounded(grid.width() * kCell, grid.height() * kCell);
            const SamplePlane smoothed = surrounded.plane();
            finisher.deblocked(p, smoothed);
            surrounded.surround();
            for (int y = 0; y < grid.height(); ++y)
                for (int x = 0; x < grid.width(); ++x) {
                    const int busy = frame_.cells(p).busy[frame_.cell(p, x, y)];
                    if (grid.class_of(x, y) != tier || busy == kNotCoded) continue;
                    kernels.restoration_statistics(smoothed.at(x * kCell, y * kCell), smoothed.stride,
                                                   original[at].at(x * kCell, y * kCell), original[at].stride,
                                                   sums[restoration_class(busy)]);
                }
        }
        for (int k = 0; k < kRestorationClasses; ++k) solve(sums[k], filters.taps[c][k]);
    }
}

}  // namespace aig
