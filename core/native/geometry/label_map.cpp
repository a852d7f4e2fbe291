#include "geometry/label_map.hpp"

#include "entropy/binary_coder.hpp"

namespace aig {
namespace {

using std::size_t;

constexpr int kBlock = 8;                // labels along a block
constexpr int kMixed = kMostLabels + 1;  // the state of a block of several labels; of others it is their label

// Labels with a margin of zeros, so that every neighbour exists.
class Field {
  public:
    Field(int width, int height)
        : stride_(width + 2 * kMargin), labels_(static_cast<size_t>(stride_) * static_cast<size_t>(height + kMargin)) {}

    std::uint8_t* at(int x, int y) {
        return labels_.data() + static_cast<std::ptrdiff_t>(y + kMargin) * stride_ + x + kMargin;
    }
    std::ptrdiff_t stride() const { return stride_; }

  private:
    static constexpr int kMargin = 32;
    std::ptrdiff_t stride_;
    std::vector<std::uint8_t> labels_;
};

// Where an edge of the cores runs in the three rows above a label: how far from it in the first row, from there in the
// second, from there in the third; kEdge - 1 where there is none.
inline constexpr size_t kEdge = 18;
struct Edge {
    std::array<size_t, 3> at{kEdge - 1, kEdge - 1, kEdge - 1};

    Edge(const std::uint8_t* here, std::ptrdiff_t up) {
        for (size_t row = 0; row < at.size(); ++row) {
            here -= up;
            const auto edge = [&](int i) { return (here[i - 1] != 0) != (here[i] != 0); };
            int found = kNone;
            for (int d = 0; d <= kFar && found == kNone; ++d) found = edge(d) ? d : edge(-d) ? -d : kNone;
            if (found == kNone) return;
            at[row] = static_cast<size_t>(found + kFar);
            here += found;
        }
    }

  private:
    static constexpr int kFar = 8, kNone = 99;
};

// Both directions: the decoder's Coder ignores what it is given and returns what it reads.
template <class Coder> class LabelCoder {
  public:
    LabelCoder(Coder& coder, View<const std::uint8_t> given, int n)
        : coder_(coder), given_(given), n_(n), width_(given.width), height_(given.height),
          columns_((width_ + kBlock - 1) / kBlock), rows_((height_ + kBlock - 1) / kBlock), field_(width_, height_),
          states_(columns_, rows_), block_small_(25), block_near_(625), block_far_(625 * kFew), block_north_(625),
          small_column_(kSmall), small_row_(kSmall), ten_(1 << 10), sixteen_(1 << 16), edge_(2 * kEdge * kEdge),
          long_edge_(2 * kEdge * kEdge * kEdge), same_core_(729) {}

    void run() {
        for (unsigned four = 0; four < 16; ++four) {
            const unsigned guess = kGuesses[2 * (four & 1) + 2 * (four >> 1 & 1) + (four >> 2 & 1) + (four >> 3 & 1)];
            for (size_t i = 0; i < kSmall / 16; ++i)
                small_column_[four * (kSmall / 16) + i] = small_row_[four * (kSmall / 16) + i] = {guess, 1};
            for (size_t i = four; i < ten_.size(); i += 16) ten_[i] = {guess, 1};
            for (size_t i = four; i < sixteen_.size(); i += 16) sixteen_[i] = {guess, 1};
        }
        for (int by = 0; by < rows_; ++by) {
            require_sound();
            for (int bx = 0; bx < columns_; ++bx) code_block(bx, by);
        }
        for (int y = 0; y < height_; ++y) {
            require_sound();
            for (int bx = 0; bx < columns_; ++bx) {
                if (*states_.at(bx, y / kBlock) != kMixed) continue;
                for (int x = bx * kBlock; x < std::min(width_, (bx + 1) * kBlock); ++x)
                    *field_.at(x, y) = code_label(x, y);
            }
        }
    }
    const std::uint8_t* row(int y) { return field_.at(0, y); }

  private:
    void require_sound() const {
        if (coder_.damaged()) throw Corrupt("a map of labels is damaged or cut off");
    }
    bool bit(Probability& p, bool one) {
        one = coder_.bit(p.value(), one);
        p.learn(one);
        return one;
    }

    // Blocks of one label, and those that are mixed.
    void code_block(int bx, int by) {
        const int x1 = std::min(width_, (bx + 1) * kBlock), y1 = std::min(height_, (by + 1) * kBlock);
        int own = 0;
        if constexpr (Coder::kEncodes) {
            own = given_.row(by * kBlock)[bx * kBlock];
            for (int y = by * kBlock; y < y1; ++y)
                for (int x = bx * kBlock; x < x1; ++x)
                    if (given_.row(y)[x] != given_.row(by * kBlock)[bx * kBlock]) own = kMixed;
        }
        own = block_state(states_.at(bx, by), states_.stride(), own);
        *states_.at(bx, by) = static_cast<std::uint8_t>(own);
        for (int y = by * kBlock; own != kMixed && y < y1; ++y)
            std::fill(field_.at(bx * kBlock, y), field_.at(x1, y), static_cast<std::uint8_t>(own));
    }
    int block_state(const std::uint8_t* here, std::ptrdiff_t up, int own) {
        const int w = here[-1], n = here[-up];
        const auto folded = [&](std::initializer_list<int> around) {
            size_t context = 0;
            for (int state : around) context = context * (kMixed + 1) + static_cast<size_t>(state);
            return context;
        };
        const size_t near = folded({w, n, here[-up - 1], here[-up + 1]}),
                     far = folded({here[-2], here[-2 * up], here[-up + 2]});
        const Mixer<3>::Inputs inputs{&block_small_[folded({w, n})], &block_near_[near],
                                      &block_far_[near * kFew + far]};
        const bool is_west =
            coder_.bit(block_mixer_.mix(inputs, static_cast<unsigned>(w == kMixed) * 2 + (n == kMixed)), own == w);
        block_mixer_.learn(is_west);
        for (Probability* input : inputs) input->learn(is_west);
        if (is_west) return w;
        if (n != w && bit(block_north_[near], own == n)) return n;
        // The others in the order mixed, 0, 1, ..; the last one goes without saying.
        int left = -1;
        for (int i = 0; i <= n_ + 1; ++i) {
            const int state = i ? i - 1 : kMixed;
            if (state == w || state == n) continue;
            if (left >= 0 && bit(block_other_[static_cast<size_t>(left)], own == left)) return left;
            left = state;
        }
        return left;
    }

    // A label of a mixed block. Above it and on its left all are known, elsewhere those of blocks of one label.
    std::uint8_t code_label(int x, int y) {
        const int own = Coder::kEncodes ? given_.row(y)[x] : 0;
        const std::uint8_t* here = field_.at(x, y);
        const std::ptrdiff_t up = field_.stride();
        const auto core = [&](int dx, int dy) { return unsigned{here[dx - dy * up] != 0}; };
        const unsigned four = core(-1, 0) | core(0, 1) << 1 | core(-1, 1) << 2 | core(1, 1) << 3;
        const unsigned ten = four | core(-2, 0) << 4 | core(-2, 1) << 5 | core(2, 1) << 6 | core(-1, 2) << 7 |
                             core(0, 2) << 8 | core(1, 2) << 9;
        const unsigned sixteen = ten | core(-3, 0) << 10 | core(-3, 1) << 11 | core(3, 1) << 12 | core(-2, 2) << 13 |
                                 core(2, 2) << 14 | core(0, 3) << 15;
        const int bx = x / kBlock, by = y / kBlock;
        const unsigned ahead = 3 * beyond(bx, by + 1) + beyond(bx + 1, by);
        const auto small = [&](int place) {
            return (9 * four + ahead) * kBlock + static_cast<unsigned>(place % kBlock);
        };
        const Edge edge(here, up);
        const size_t two_rows = (edge.at[0] * kEdge + edge.at[1]) * 2 + core(-1, 0);
        const Mixer<6>::Inputs inputs{
            &small_column_[small(x)], &small_row_[small(y)], &ten_[ten],
            &sixteen_[sixteen],       &edge_[two_rows],      &long_edge_[two_rows * kEdge + edge.at[2]]};
        const bool is_core = coder_.bit(mixer_.mix(inputs, four), own != 0);
        mixer_.learn(is_core);
        for (Probability* input : inputs) input->learn(is_core);
        if (!is_core) return 0;
        return static_cast<std::uint8_t>(n_ > 1 ? core_label(here, own) : 1);
    }
    // What is determined about a block that comes later: nothing, no core, core.
    unsigned beyond(int bx, int by) {
        if (bx >= columns_ || by >= rows_) return 0;
        const int state = *states_.at(bx, by);
        return state == kMixed ? 0 : state == 0 ? 1 : 2;
    }
    // Mostly that of a neighbour.
    int core_label(const std::uint8_t* here, int own) {
        const std::ptrdiff_t up = field_.stride();
        const int around[] = {here[-1], here[-up], here[-up - 1], here[-up + 1], here[-2], here[-2 * up]};
        int like = 0;
        for (int i = 0; i < 4 && !like; ++i) like = around[i];
        if (like) {
            size_t context = 0;
            for (int label : around) context = 3 * context + (label == 0 ? 0u : label == like ? 1u : 2u);
            if (bit(same_core_[context], own == like)) return like;
        }
        int left = 0;
        for (int label = 1; label <= n_; ++label) {
            if (label == like) continue;
            if (left && bit(other_core_[static_cast<size_t>(left)], own == left)) return left;
            left = label;
        }
        return left;
    }

    // That a label is a core, by how many of its neighbours are, W and N counting double.
    static constexpr unsigned kGuesses[] = {512, 4096, 16384, 32768, 49152, 61440, 65024};
    static constexpr size_t kFew = 125;
    static constexpr size_t kSmall = 16 * 9 * kBlock;

    Coder& coder_;
    View<const std::uint8_t> given_;
    int n_, width_, height_, columns_, rows_;
    Field field_, states_;
    std::vector<Probability> block_small_, block_near_, block_far_, block_north_;
    Mixer<3> block_mixer_{4};
    std::array<Probability, kMixed + 1> block_other_;
    std::vector<Probability> small_column_, small_row_, ten_, sixteen_, edge_, long_edge_, same_core_;
    std::array<Probability, kMostLabels + 1> other_core_;
    Mixer<6> mixer_{16};
};

}  // namespace

Bytes label_map_encode(View<const std::uint8_t> labels, int n) {
    BinaryWriter writer;
    LabelCoder<BinaryWriter>(writer, labels, n).run();
    return writer.finish();
}

void label_map_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> labels, int n) {
    BinaryReader reader(coded);
    LabelCoder<BinaryReader> coder(reader, constant(labels), n);
    coder.run();
    if (!reader.finished()) throw Corrupt("a map of labels does not end with its last one");
    for (int y = 0; y < labels.height; ++y) std::copy_n(coder.row(y), labels.width, labels.row(y));
}

}  // namespace aig
