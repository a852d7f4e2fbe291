// The decoder of the lossy tiers: regions of the LF image, then groups of high frequencies in any order, then pixels.
// Everything that one call writes belongs to its region, group or rows alone, so that threads may share a decoder.
#pragma once
#include "dct/loop_filter.hpp"
#include "dct/syntax.hpp"
#include "entropy/coders.hpp"

#include <algorithm>

namespace aig {

// At 1/2^log of a picture's size, the logarithm of a plane's: chroma that is of half the size already is scaled less.
inline int plane_log(const Frame& frame, int plane, int log) {
    return plane && frame.settings().subsampled ? std::max(0, log - 1) : log;
}
// Memory for the samples of all planes of a frame, the picture being at 1/2^log of its size.
std::vector<Scratch<std::int16_t>> make_planes(const Frame& frame, int log = 0);
std::array<SamplePlane, 3> as_planes(const Frame& frame, const std::vector<Scratch<std::int16_t>>& samples,
                                     int log = 0);

// Set all cells of these rows of groups and columns of pixels that have no high frequencies to a smooth interpolation
// of the LF image.
void interpolate(const Frame& frame, const std::array<SamplePlane, 3>& planes, int first_row, int last_row,
                 Columns columns, int log = 0);

// What a block's high frequencies leave in the LF image, in coefficients.
inline int alias_of(std::int32_t sum) { return (sum + 128) >> 8; }

// Coefficients of one block, gathered and then turned into samples.
class BlockBuffer {
  public:
    // High frequencies of the block at hand, in any order.
    AIG_INLINE void set(const ScanEntry& e, std::int16_t coefficient, int log_w) {
        coefficients_[e.coefficient] = coefficient;
        aliases_[e.alias] += e.alias_weight * coefficient;
        places_h_ |= e.coefficient & ((1u << log_w) - 1);
        places_v_ |= static_cast<unsigned>(e.coefficient) >> log_w;
    }
    // Join them with those of the LF image, from which their aliases are taken, put the samples into the plane, keep
    // the activity of the cells, and be empty again. The plane is at 1/2^log of its size.
    void finish(Frame& frame, int plane, const Block& b, unsigned nonzero, SamplePlane samples, int log = 0);

  private:
    alignas(64) std::int16_t coefficients_[kMaxBlockSamples] = {};
    std::int32_t aliases_[kMostLow] = {};  // in 1/256; below 2^27
    unsigned places_h_ = 0, places_v_ = 0;
};

// Coefficients of a group's high frequencies where another device is to turn them into samples: at 256 v + h, in
// samples from the group's corner in the plane; `ends` are where those of each plane end.
struct PlacedCoefficients {
    std::vector<std::uint16_t> positions;
    std::vector<std::int16_t> values;
    std::array<std::size_t, 3> ends{};
};

class LossyDecoder {
  public:
    LossyDecoder(const FrameSettings& settings, View<const std::uint8_t> luma_classes,
                 View<const std::uint8_t> chroma_classes);

    LossyDecoder(const LossyDecoder&) = delete;
    LossyDecoder& operator=(const LossyDecoder&) = delete;

    Frame& frame() { return frame_; }
    // Throws Corrupt; the region is then as if nothing were known of it.
    void read_region(int region, const SharedTables& tables, const CodedStream& stream);
    // After the group's region. Throws Corrupt; the group's cells of that tier then keep the LF image.
    void read_group(int group, int tier, const SharedTables& tables, const CodedStream& stream);
    // The same without samples.
    PlacedCoefficients read_coefficients(int group, int tier, const SharedTables& tables, const CodedStream& stream);
    // Have memory for the samples of rows first .. last - 1 of groups, at 1/2^log of the picture's size, log 0..2;
    // before groups of these rows are read. Those of them that are held already keep their samples.
    void hold(int log, int first, int last);
    // All rows.
    void start(int log) { hold(log, 0, frame_.group_rows()); }
    bool started() const { return !samples_.empty(); }
    int log() const { return log_; }
    // Whether the samples of these rows of groups have memory, as far as the picture has such rows.
    bool holds(int first, int last) const {
        return started() && std::max(0, first) >= first_ && std::min(last, frame_.group_rows()) <= last_;
    }
    void interpolate(int first_row, int last_row, Columns columns) {
        aig::interpolate(frame_, planes(), first_row, last_row, columns, log_);
    }
    std::array<SamplePlane, 3> planes() const;

  private:
    // Calls decode(syntax) for a group's stream, whose cells are as if nothing were known of them if it is damaged.
    template <class Decode>
    void with_group(int group, int tier, const SharedTables& tables, const CodedStream& stream, Decode decode);
    // Calls take(plane, block, entry, coefficient) for every one that is not 0, and end(plane, block, number of
    // these).
    template <HighSyntax Syntax, class Take, class End>
    void decode_group(int group, int tier, Syntax& syntax, Take take, End end);

    // How many rows of samples a row of groups has.
    int group_side(int plane) const;

    Frame frame_;
    std::vector<Scratch<std::int16_t>> samples_;
    int log_ = 0, first_ = 0, last_ = 0, room_ = 0;  // rows of groups: held, and how many there is memory for
};

}  // namespace aig
