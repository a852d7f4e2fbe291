// The encoder of the lossy tiers: pixels to planes, blocks and levels chosen group by group, streams of regions and
// groups. Everything that one call writes belongs to its rows, region or group alone, so that threads may share an
// encoder.
#pragma once
#include "dct/decoder.hpp"
#include "dct/loop_filter.hpp"
#include "dct/rdoq.hpp"
#include "entropy/coders.hpp"

namespace aig {

// How hard to search, besides what LevelSearch does.
struct BlockEffort {
    int largest = 2;       // log2 of the largest block in cells
    bool chooses = true;   // among the sizes, else the largest one wherever it may be
    bool halves = true;    // also blocks of two to one
    bool rebuild = false;  // keep what groups are coded as, so that they can be rebuilt, to fit filters to that
};

class LossyEncoder {
  public:
    LossyEncoder(const FrameSettings& settings, View<const std::uint8_t> luma_classes,
                 View<const std::uint8_t> chroma_classes, const BlockEffort& blocks, const LevelEffort& levels);

    LossyEncoder(const LossyEncoder&) = delete;
    LossyEncoder& operator=(const LossyEncoder&) = delete;

    Frame& frame() { return frame_; }
    std::array<SamplePlane, 3> sample_planes() const { return as_planes(frame_, samples_); }
    // Turn the pixels of rows of groups, from this one on, into samples. Pixels that no tier shows should be filled
    // smoothly before.
    void sample(int first_row, View<const std::uint8_t> pixels) { sample_to(sample_planes(), first_row, pixels); }
    // Choose how a group is cut, and transform it.
    void search(int group);
    // How much the samples of a cell of luma vary, in squared 1/16 of a grey level.
    std::int32_t variance(int x, int y) const;
    // Let steps follow the activity of superblocks (adaptive quantisation), by `strength` octaves per octave of their
    // variance; from the variances of all cells of luma, if they are known.
    void adapt(float strength, const std::int32_t* variances = nullptr);
    // Instead of samples and a search: how a group was cut, and its levels, by somebody who works as this does. Planes
    // lie one behind the other, chroma's shapes once; a cell's shape is as in Frame, a block's levels are at its place,
    // its lowest coefficients among them.
    void accept(int group, const std::uint8_t* shapes, const std::int16_t* levels);
    const LevelSearch& level_search() const { return levels_; }
    // Entries of such shapes and levels.
    std::size_t shapes_size() const;
    std::size_t levels_size() const;
    // After the group's search, once per tier: choose its levels and write them for an entropy coder, by number.
    WrittenStream encode_group(int group, int tier, int coder);
    // After all groups of the region were encoded: its part of the LF image.
    WrittenStream encode_region(int region, int coder);
    // After the group's region: put what a decoder will see, ahead of filters, where the samples were.
    void rebuild(int group);
    // After all groups were rebuilt: the originals again, where the coefficients were.
    void sample_again(int first_row, View<const std::uint8_t> pixels) {
        sample_to(as_planes(frame_, coefficients_), first_row, pixels);
    }
    // After that: the restoration filter of a tier that brings a decoder nearest to the original.
    void fit(int tier, TierFilters& filters);
    // The same without coding: add up how often each decision was 0 and 1.
    void count_region(int region, DecisionCounter& counter);
    void count_group(int group, int tier, DecisionCounter& counter);

  private:
    template <LowSyntax Syntax> void code_region(int region, Syntax& syntax);
    template <HighSyntax Syntax> void code_group(int group, int tier, Syntax& syntax);
    void add_aliases(int plane, const Block& b, const BlockLevels& levels, const BlockSteps& steps);
    class Cutter;
    void sample_to(const std::array<SamplePlane, 3>& planes, int first_row, View<const std::uint8_t> pixels) const;
    std::size_t group_offset(int plane, int group) const {
        return offsets_[plane > 0][static_cast<std::size_t>(group)];
    }
    void make_inverse_steps(int plane, int tier, int quarters);
    const float* inverse_steps(int plane, int tier, int quarters, Shape shape) const;

    Frame frame_;
    BlockEffort effort_;
    LevelSearch levels_;
    std::array<std::vector<std::size_t>, 2> offsets_;  // of a group's coefficients, by grid
    std::vector<Scratch<std::int16_t>> samples_, coefficients_;
    std::vector<std::uint8_t> accepted_;  // by group: whether coefficients_ are levels
    // 1 / step by plane, tier and adaptation, and then by shape and coefficient.
    std::array<std::array<std::array<std::vector<float>, 2 * kMostAdaptation + 1>, kTiers>, 3> inverse_;
};

}  // namespace aig
