#include "dct/residual.hpp"

#include <algorithm>

namespace aig {
namespace {

// Runs are cut here, so that their length stays codable whatever the size of the image.
constexpr std::uint32_t kMaxRun = 1u << 20;

enum Context : unsigned { kRun = 0, kResidual = 1 };

int tier(int pixel_class) { return is_core(pixel_class) ? 0 : is_mid(pixel_class) ? 1 : pixel_class == kDrawn ? 3 : 2; }
bool is_lossy(int pixel_class) { return !is_core(pixel_class) && pixel_class != kDrawn; }

// Calls take(y, row) for the rows of the band from top to bottom; of `row`, pixels in the band are 1, others 0.
template <class Take> void for_band_rows(View<const std::uint8_t> map, int radius, Take take) {
    const int width = map.width, height = map.height, kept = 2 * radius + 1;
    const auto size = static_cast<std::size_t>(width);
    std::vector<std::uint8_t> rows(size * static_cast<std::size_t>(kept), 0);
    const auto row = [&](int y) { return rows.data() + static_cast<std::size_t>(y % kept) * size; };
    const auto mark = [&](int x, int y) {
        for (int j = std::max(0, y - radius); j <= std::min(height - 1, y + radius); ++j)
            for (int i = std::max(0, x - radius); i <= std::min(width - 1, x + radius); ++i) {
                // Near a pixel of another tier, and not exact already, or nearly so.
                if (is_lossy(map.row(j)[i]) && tier(map.row(j)[i]) != tier(map.row(y)[x])) row(j)[i] = 1;
            }
    };
    for (int y = 0; y < height + radius; ++y) {
        for (int x = 0; y < height && x < width; ++x) {
            const int t = tier(map.row(y)[x]);
            // A pixel is near another tier only if a pixel between them has a direct neighbour in it.
            const bool edge =
                (x + 1 < width && tier(map.row(y)[x + 1]) != t) || (x > 0 && tier(map.row(y)[x - 1]) != t) ||
                (y + 1 < height && tier(map.row(y + 1)[x]) != t) || (y > 0 && tier(map.row(y - 1)[x]) != t);
            if (edge) mark(x, y);
        }
        // No row below reaches up to this one.
        const int done = y - radius;
        if (done < 0) continue;
        take(done, row(done));
        std::fill_n(row(done), width, std::uint8_t{0});
    }
}

// Residuals, one pixel of the band after the other.
template <MultiSymbolCoder Reader> class Residuals {
  public:
    Residuals(Reader& reader, int colours) : reader_(reader), colours_(colours) { next_run(); }

    void correct(std::uint8_t* pixel) {
        for (int c = 0; c < colours_; ++c) {
            if (run_ == 0 && !residual_follows_) next_run();
            if (run_ > 0) {
                --run_;
                continue;
            }
            pixel[c] = clamp_u8(pixel[c] + unzigzag(code_value(reader_, kResidual) + 1));
            next_run();
        }
    }
    void finish() const {
        if (run_ > 0) throw Corrupt("a run goes on behind the last pixel of the band");
    }

  private:
    void next_run() {
        run_ = code_value(reader_, kRun);
        residual_follows_ = run_ < kMaxRun;
    }

    Reader& reader_;
    int colours_;
    std::uint32_t run_ = 0;
    bool residual_follows_ = false;
};

}  // namespace

void boundary_band(View<const std::uint8_t> map, int radius, View<std::uint8_t> band) {
    for_band_rows(map, radius, [&](int y, const std::uint8_t* row) { std::copy_n(row, map.width, band.row(y)); });
}

WrittenStream boundary_encode(View<const std::uint8_t> original, View<const std::uint8_t> decoded,
                              View<const std::uint8_t> band, int tau, int coder) {
    return with_writer(coder, kBoundaryContexts, [&](MultiSymbolCoder auto& writer) {
        std::uint32_t run = 0;
        bool run_is_due = true;  // the decoder reads a run at the start, behind every residual and every cut run
        const int colours = decoded.channels;
        for (int y = 0; y < band.height; ++y)
            for (int x = 0; x < band.width; ++x) {
                if (!band.row(y)[x]) continue;
                for (int c = 0; c < colours; ++c) {
                    run_is_due = true;
                    const int residual = original.row(y)[x * original.channels + c] - decoded.row(y)[x * colours + c];
                    if (abs_int(residual) > tau) {
                        code_value(writer, kRun, run);
                        code_value(writer, kResidual, zigzag(residual) - 1);
                        run = 0;
                    } else if (++run == kMaxRun) {
                        code_value(writer, kRun, run);
                        run = 0;
                        run_is_due = false;
                    }
                }
            }
        if (run_is_due) code_value(writer, kRun, run);
    });
}

void boundary_decode(const Payload& payload, View<std::uint8_t> pixels, int colours, View<const std::uint8_t> band) {
    with_reader(payload, kBoundaryContexts, [&](MultiSymbolCoder auto& reader) {
        Residuals residuals(reader, colours);
        for (int y = 0; y < band.height; ++y)
            for (int x = 0; x < band.width; ++x)
                if (band.row(y)[x]) residuals.correct(pixels.row(y) + std::ptrdiff_t{x} * pixels.channels);
        residuals.finish();
    });
}

void boundary_decode(const Payload& payload, View<std::uint8_t> pixels, int colours, View<const std::uint8_t> map,
                     int radius) {
    with_reader(payload, kBoundaryContexts, [&](MultiSymbolCoder auto& reader) {
        Residuals residuals(reader, colours);
        for_band_rows(map, radius, [&](int y, const std::uint8_t* row) {
            for (int x = 0; x < map.width; ++x)
                if (row[x]) residuals.correct(pixels.row(y) + std::ptrdiff_t{x} * pixels.channels);
        });
        residuals.finish();
    });
}

}  // namespace aig
