#include "dct/loop_filter.hpp"

#include <algorithm>
#include <cstring>

namespace aig {
namespace {

// Rows of a plane that move along with the work: the latest ones, contiguous, with room for columns beside them.
class Window {
  public:
    static constexpr int kMargin = 8, kRows = 12 * kCell;

    explicit Window(int width) : stride_(width + 2 * kMargin), rows_(static_cast<std::size_t>(stride_) * kRows) {}
    std::ptrdiff_t stride() const { return stride_; }
    std::int16_t* row(int y) const { return rows_.get() + (y - first_) * stride_ + kMargin; }
    // Discard all rows; the next ones begin at y.
    void restart(int y) { first_ = y; }
    // Make room for rows up to y, keeping the last 24 before.
    void reach(int from, int y) {
        if (y - first_ <= kRows) return;
        const int keep = from - 3 * kCell;
        std::memmove(rows_.get(), rows_.get() + (keep - first_) * stride_,
                     static_cast<std::size_t>(stride_ * 3 * kCell) * sizeof(std::int16_t));
        first_ = keep;
    }

  private:
    std::ptrdiff_t stride_;
    Scratch<std::int16_t> rows_;
    int first_ = 0;
};

}  // namespace

EdgeLimits edge_limits(std::int32_t base, int strength) {
    const auto limit = [&](int share) {
        return static_cast<std::int16_t>(
            std::min<std::int64_t>(32767, (std::int64_t{base} * share * strength + 128) >> 8));
    };
    return {limit(19), limit(5), limit(3)};
}

class Finisher::PlaneFilter {
  public:
    // Works on the columns first .. last - 1 of cells.
    PlaneFilter(const Finisher& owner, int plane, int first, int last)
        : frame_(owner.frame_), grid_(frame_.grid(plane)), plane_(plane), first_(first), last_(last),
          samples_(owner.planes_[static_cast<std::size_t>(plane)]), filters_(owner.filters_),
          smoothed_(grid_.width() * kCell), restored_(grid_.width() * kCell),
          taps_(static_cast<std::size_t>(grid_.width())) {
        restores_ = filters_[0].restores || filters_[1].restores;
        adapts_ = frame_.adaptation_varies();
        for (std::size_t t = 0; t < kTiers; ++t) set_limits(t);
    }
    int height() const { return grid_.height(); }
    // Make the rows of cells first .. last - 1 available to sample(); calls must go down the plane.
    void prepare(int first, int last) {
        first = std::max(first, 0), last = std::min(last, height());
        if (next_ < 0) {
            start_ = next_ = std::max(first - 1, 0);
            smoothed_.restart(next_ * kCell - kCell);
            restored_.restart(first * kCell);
            done_ = first;
        }
        for (; done_ < last; ++done_) {
            while (next_ < std::min(done_ + 2, height())) smooth(next_++);
            restore(done_);
        }
    }
    // A filtered row of samples.
    const std::int16_t* sample(int y) const { return restores_ ? restored_.row(y) : smoothed_.row(y); }

  private:
    void set_limits(std::size_t tier) {
        const Quantiser& q = frame_.settings().steps[static_cast<std::size_t>(plane_)].high[tier];
        for (int a = -kMostAdaptation; a <= kMostAdaptation; ++a)
            limits_[tier][a + kMostAdaptation] = edge_limits(q.base_at(a), filters_[tier].deblocking);
    }
    bool coded(int x, int y) const { return busy(x, y) != kNotCoded; }
    std::uint8_t busy(int x, int y) const { return frame_.cells(plane_).busy[frame_.cell(plane_, x, y)]; }
    const EdgeLimits& limits(int x, int y) const {
        return limits_[grid_.class_of(x, y)][(adapts_ ? frame_.adaptation(plane_, x, y) : 0) + kMostAdaptation];
    }
    // Of two neighbouring cells, those with the finer step.
    EdgeLimits limits(int x0, int y0, int x1, int y1) const {
        const EdgeLimits &a = limits(x0, y0), &b = limits(x1, y1);
        return a.step < b.step ? a : b;
    }

    // Copy a row of cells and deblock their left and top edges.
    void smooth(int cy) {
        const auto& kernels = sample_kernels();
        const int y = cy * kCell, left = first_ * kCell;
        smoothed_.reach(y, y + kCell + 2);
        for (int j = 0; j < kCell; ++j)
            std::memcpy(smoothed_.row(y + j) + left, samples_.at(left, y + j),
                        static_cast<std::size_t>((last_ - first_) * kCell) * sizeof(std::int16_t));
        if (filters_[0].deblocking || filters_[1].deblocking) {
            for (int x = first_ + 1; x < last_; ++x)
                if (frame_.begins(plane_, x, cy) & Frame::kLeftEdge && coded(x - 1, cy) && coded(x, cy))
                    kernels.smooth_vertical_edge(smoothed_.row(y) + x * kCell, smoothed_.stride(),
                                                 limits(x - 1, cy, x, cy));
            if (cy > start_)
                for (int x = first_; x < last_; ++x)
                    if (frame_.begins(plane_, x, cy) & Frame::kTopEdge && coded(x, cy - 1) && coded(x, cy))
                        kernels.smooth_horizontal_edge(smoothed_.row(y) + x * kCell, smoothed_.stride(),
                                                       limits(x, cy - 1, x, cy));
        }
    }
    void restore(int cy) {
        if (!restores_) return;
        const auto& kernels = sample_kernels();
        const int y = cy * kCell, left = first_ * kCell, right = last_ * kCell;
        // Beyond the plane's border its samples repeat.
        const auto bytes = static_cast<std::size_t>(right - left) * sizeof(std::int16_t);
        for (int k = 1; k <= 2; ++k) {
            if (cy == 0) std::memcpy(smoothed_.row(-k) + left, smoothed_.row(0) + left, bytes);
            if (cy + 1 == height())
                std::memcpy(smoothed_.row(y + kCell - 1 + k) + left, smoothed_.row(y + kCell - 1) + left, bytes);
        }
        for (int j = -2; j < kCell + 2; ++j) {
            std::int16_t* row = smoothed_.row(y + j);
            row[left - 1] = row[left - 2] = row[left];
            row[right] = row[right + 1] = row[right - 1];
        }
        restored_.reach(y, y + kCell);
        for (int x = first_; x < last_; ++x) taps_[static_cast<std::size_t>(x)] = taps_of(x, cy);
        for (int x = first_, end; x < last_; x = end) {
            const auto* taps = &taps_[static_cast<std::size_t>(x)];
            for (end = x + 1; end < last_ && !taps_[static_cast<std::size_t>(end)] == !*taps;) ++end;
            const std::int16_t* in = smoothed_.row(y) + x * kCell;
            std::int16_t* out = restored_.row(y) + x * kCell;
            if (*taps) {
                kernels.restore_cells(in, smoothed_.stride(), taps, end - x, out, restored_.stride());
            } else {
                for (int j = 0; j < kCell; ++j)
                    std::memcpy(out + j * restored_.stride(), in + j * smoothed_.stride(),
                                static_cast<std::size_t>((end - x) * kCell) * sizeof(std::int16_t));
            }
        }
    }
    // The filter of a cell; null where there is none.
    const std::int16_t* taps_of(int x, int y) const {
        const int b = busy(x, y);
        if (b == kNotCoded) return nullptr;
        const TierFilters& f = filters_[grid_.class_of(x, y)];
        return f.restores ? f.taps[plane_ > 0][restoration_class(b)] : nullptr;
    }

    const Frame& frame_;
    const Grid& grid_;
    int plane_, first_, last_;
    SamplePlane samples_;
    const std::array<TierFilters, kTiers>& filters_;
    Window smoothed_, restored_;
    EdgeLimits limits_[kTiers][2 * kMostAdaptation + 1];
    std::vector<const std::int16_t*> taps_;  // of one row of cells
    bool restores_, adapts_;
    int start_ = 0, next_ = -1, done_ = 0;  // rows of cells: the first to smooth, the next one, the next one to restore
};

Finisher::Finisher(const Frame& frame, const std::array<SamplePlane, 3>& planes,
                   const std::array<TierFilters, kTiers>& filters)
    : frame_(frame), planes_(planes), filters_(filters) {}

void Finisher::rows(int first, int last, Columns columns, View<std::uint8_t> pixels) const {
    const auto& kernels = sample_kernels();
    const bool colour = frame_.settings().colour, subsampled = frame_.settings().subsampled;
    const int left = columns.left, width = columns.right - left, half_w = (width + 1) / 2,
              half_h = (pixels.height + 1) / 2;
    std::vector<PlaneFilter> filters;
    for (int p = 0; p < frame_.planes(); ++p) {
        const int footprint = p && subsampled ? 2 * kCell : kCell;
        filters.emplace_back(*this, p, left / footprint, (columns.right + footprint - 1) / footprint);
    }
    std::vector<std::int16_t> up[2];
    for (auto& row : up) row.resize(static_cast<std::size_t>(subsampled ? 2 * half_w : 0));
    for (int strip = first; strip < last; ++strip) {
        filters[0].prepare(2 * strip, 2 * strip + 2);
        for (int p = 1; p < frame_.planes(); ++p) {
            // The row of samples below the strip belongs to the next row of cells.
            if (subsampled)
                filters[static_cast<std::size_t>(p)].prepare(strip - 1, strip + 2);
            else
                filters[static_cast<std::size_t>(p)].prepare(2 * strip, 2 * strip + 2);
        }
        for (int y = 16 * strip; y < std::min(16 * strip + 16, pixels.height); ++y) {
            if (!colour) {
                kernels.plane_to_grey(filters[0].sample(y) + left, width, pixels.channels,
                                      pixels.row(y) + left * pixels.channels);
                continue;
            }
            const std::int16_t* chroma[2];
            for (int c = 0; c < 2; ++c) {
                const PlaneFilter& f = filters[static_cast<std::size_t>(c + 1)];
                if (subsampled) {
                    const int nearer = y / 2, farther = clamp_int(y & 1 ? nearer + 1 : nearer - 1, 0, half_h - 1);
                    kernels.upsample(f.sample(nearer) + left / 2, f.sample(farther) + left / 2, half_w, up[c].data());
                    chroma[c] = up[c].data();
                } else {
                    chroma[c] = f.sample(y) + left;
                }
            }
            kernels.planes_to_rgb(filters[0].sample(y) + left, chroma[0], chroma[1], width, pixels.channels,
                                  pixels.row(y) + left * pixels.channels);
        }
    }
}

void Finisher::deblocked(int plane, SamplePlane out) const {
    auto plain = *this;
    for (TierFilters& f : plain.filters_) f.restores = false;
    PlaneFilter filter(plain, plane, 0, frame_.grid(plane).width());
    const auto bytes = static_cast<std::size_t>(frame_.grid(plane).width() * kCell) * sizeof(std::int16_t);
    for (int cy = 0; cy < filter.height(); ++cy) {
        filter.prepare(cy, cy + 1);
        for (int y = cy * kCell; y < (cy + 1) * kCell; ++y) std::memcpy(out.at(0, y), filter.sample(y), bytes);
    }
}

void show_planes(const std::array<SamplePlane, 3>& planes, bool colour, bool enlarges, int first, int last,
                 View<std::uint8_t> pixels) {
    const auto& kernels = sample_kernels();
    const int width = pixels.width, half_w = (width + 1) / 2, half_h = (pixels.height + 1) / 2;
    std::vector<std::int16_t> up[2];
    for (auto& row : up) row.resize(static_cast<std::size_t>(enlarges ? 2 * half_w : 0));
    for (int y = first; y < last; ++y) {
        if (!colour) {
            kernels.plane_to_grey(planes[0].at(0, y), width, pixels.channels, pixels.row(y));
            continue;
        }
        const std::int16_t* chroma[2];
        for (std::size_t c = 0; c < 2; ++c) {
            const SamplePlane& plane = planes[c + 1];
            chroma[c] = plane.at(0, enlarges ? y / 2 : y);
            if (!enlarges) continue;
            kernels.upsample(chroma[c], plane.at(0, clamp_int(y & 1 ? y / 2 + 1 : y / 2 - 1, 0, half_h - 1)), half_w,
                             up[c].data());
            chroma[c] = up[c].data();
        }
        kernels.planes_to_rgb(planes[0].at(0, y), chroma[0], chroma[1], width, pixels.channels, pixels.row(y));
    }
}

std::array<SamplePlane, 3> eighth_planes(Frame& frame) {
    std::array<SamplePlane, 3> out;
    for (int p = 0; p < frame.planes(); ++p)
        out[static_cast<std::size_t>(p)] = {frame.cells(p).eighth.data(), frame.eighth_width(p)};
    return out;
}

}  // namespace aig
