#include "screen/screen_content.hpp"

#include "screen/colour_merge.hpp"
#include "screen/matches.hpp"

#include <cstring>
#include <optional>

namespace aig {
namespace {

using namespace screen;
using std::int64_t;

// A pixel as one number, first channel on top. R and B count from G, so that grey is one colour in each.
uint32_t pack(const std::uint8_t* p, int channels) {
    if (channels == 1) return p[0];
    if (channels == 2) return uint32_t{p[0]} << 8 | p[1];
    const uint32_t g = p[1], r = (p[0] - g + 128) & 255, b = (p[2] - g + 128) & 255;
    const uint32_t colour = g << 16 | r << 8 | b;
    return channels == 3 ? colour : colour << 8 | p[3];
}

void unpack(uint32_t pixel, std::uint8_t* p, int channels) {
    const auto byte = [](uint32_t v) { return static_cast<std::uint8_t>(v); };
    if (channels % 2 == 0) {
        p[channels - 1] = byte(pixel);
        pixel >>= 8;
    }
    if (channels < 3) {
        p[0] = byte(pixel);
        return;
    }
    const uint32_t g = pixel >> 16;
    p[0] = byte((pixel >> 8) + g + 128);
    p[1] = byte(g);
    p[2] = byte(pixel + g + 128);
}

// The greatest difference of two packed pixels in a channel, and the sum of all squares; of 1 or 3 channels.
struct Difference {
    int greatest = 0, squares = 0;

    Difference(uint32_t a, uint32_t b, int channels) {
        if (a == b) return;
        const int g = green(a, channels) - green(b, channels);
        add(g);
        if (channels < 3) return;
        for (int shift : {8, 0}) add(other(a, shift) - other(b, shift));
    }

  private:
    static int green(uint32_t p, int channels) { return static_cast<int>(channels < 3 ? p : p >> 16); }
    static int other(uint32_t p, int shift) { return static_cast<int>(((p >> shift) + (p >> 16) + 128) & 255); }
    void add(int d) {
        greatest = std::max(greatest, abs_int(d));
        squares += d * d;
    }
};

// Moving average of the cost of an event, in 1/256 bits.
class Lately {
  public:
    explicit Lately(uint32_t bits) : bits_(static_cast<int>(bits << 4)) {}
    uint32_t bits() const { return static_cast<uint32_t>(bits_ >> 4); }
    void add(uint32_t bits) { bits_ += (static_cast<int>(bits << 4) - bits_) / 16; }

  private:
    int bits_;
};

// The pixel that followed the last occurrence of a neighbourhood, and how often that was right.
class Memory {
  public:
    Memory() = default;
    Memory(uint32_t hash, uint32_t pixel, History history) : tag_(hash << 8 | history.state()), pixel_(pixel) {}

    // Whether it is about the neighbourhood of this hash and not about another one with the same place.
    bool is_of(uint32_t hash) const { return tag_ >> 8 == (hash & 0xFFFFFF); }
    uint32_t pixel() const { return pixel_; }
    History history() const { return History(tag_ & 255); }

  private:
    uint32_t tag_ = 0, pixel_ = 0;
};

// Codes the pixels of a region one by one, both directions; the decoder ignores `pixel`.
template <class Coder> class Model {
  public:
    // `bits` is the logarithm of the size of the hash tables.
    Model(Coder& coder, int channels, int width, unsigned bits, bool matches, const ScreenLoss& loss)
        : coder_(coder), channels_(channels), loss_(loss), memories_(size_t{1} << bits), shift_(32 - bits),
          pairs_(std::min(bits, 16u)), histories_(bits), by_structure_(1 << 16), by_memory_(1 << 15), by_match_(896) {
        if (matches) matches_.emplace(width, std::min(bits, kMostPlaces));
    }

    // Whether a pixel in a flat place has the colour of the place.
    bool flat_goes_on(bool same) {
        same = coder_.bit(flat_.value(), same);
        flat_.learn(same);
        return same;
    }

    // After a pixel at column x of which flat_goes_on() is true, and after a row.
    void go_on(int x) {
        if (matches_) matches_->go_on(x);
    }
    void next_row() {
        if (matches_) matches_->next_row();
    }

    bool loses() const { return loss_.per_bit > 0; }
    // An encoder's choice: whether a pixel that is not of a flat place's colour becomes it.
    bool hides(uint32_t colour, uint32_t pixel, uint32_t original, int alike) const {
        const Difference d(colour, original, channels_);
        const int64_t more = int64_t{d.squares} - Difference(pixel, original, channels_).squares;
        return d.greatest <= loss_.most &&
               more * alike * 256 < int64_t{bits_of(65536 - flat_.value()) + pixel_.bits()} * loss_.per_bit;
    }

    // Any other pixel; `refused`: it is certainly not W.
    // A lossy encoder gives the original pixel, and the number of pixels alike.
    uint32_t code(const Window& window, const Rows& rows, int x, bool refused, uint32_t pixel, uint32_t original,
                  int alike) {
        original_ = original, alike_ = alike;
        return noted(pixel_, [&] { return by_neighbourhood(window, rows, x, refused, pixel); });
    }

  private:
    static constexpr unsigned kCandidates = 4, kMostPlaces = 18;

    uint32_t by_neighbourhood(const Window& window, const Rows& rows, int x, bool refused, uint32_t pixel) {
        const Neighbours near(rows, x);
        const auto hashes = neighbourhoods(rows, x);
        std::array<Memory*, kNeighbourhoods> places;
        for (size_t i = 0; i < kNeighbourhoods; ++i) {
            places[i] = &memories_[hashes[i] >> shift_];
            known_[i] = *places[i];
            met_[i] = known_[i].is_of(hashes[i]);
        }
        if (matches_) expected_ = matches_->find(window, near, x, hashes[1]);
        pixel = candidate(near, hashes[0], refused, pixel);
        if (matches_) matches_->learn(window, x, hashes[1], pixel);
        for (size_t i = 0; i < kNeighbourhoods; ++i) {
            History history = met_[i] ? known_[i].history() : History();
            if (met_[i]) history.add(known_[i].pixel() == pixel);
            *places[i] = Memory(hashes[i], pixel, history);
        }
        return pixel;
    }

    // The pixel of a match, one that followed the same neighbourhoods, the larger ones first, or one of the neighbours;
    // or another one.
    uint32_t candidate(const Neighbours& near, uint32_t pair, bool refused, uint32_t pixel) {
        std::array<uint32_t, kNeighbourhoods + 7> list;
        unsigned count = 0;
        const auto add = [&](uint32_t c) {
            if (std::find(list.begin(), list.begin() + count, c) == list.begin() + count) list[count++] = c;
        };
        if (refused) add(near.w);
        if (expected_.exists()) add(expected_.pixel);
        for (size_t i = kNeighbourhoods; i-- > 0;)
            if (met_[i]) add(known_[i].pixel());
        for (uint32_t c : {near.w, near.n, near.slope, near.ne, near.nw}) add(c);
        count = std::min(count, kCandidates);
        if constexpr (Coder::kEncodes)
            if (loss_.per_bit) pixel = cheaper(near, pair, std::span(list).first(count), refused, pixel);
        for (unsigned rank = refused; rank < count; ++rank) {
            if (!is_candidate(near, pair, list[rank], rank, pixel == list[rank])) continue;
            outcomes_ = (outcomes_ << 2 | std::min(rank, 2u)) & 15;
            return list[rank];
        }
        outcomes_ = (outcomes_ << 2 | 3) & 15;
        return other_colour(near, pixel);
    }

    // The candidate that makes the least of bits and error, or the pixel itself.
    uint32_t cheaper(const Neighbours& near, uint32_t pair, std::span<const uint32_t> list, unsigned refused,
                     uint32_t pixel) {
        uint32_t before = 0, own = 0;
        std::array<uint32_t, kCandidates> bits;
        for (unsigned rank = refused; rank < list.size(); ++rank) {
            Mixer<7>::Inputs inputs;
            const unsigned yes = probability(near, list[rank], rank, pairs_.peek(hash(pair, list[rank])), inputs);
            bits[rank] = before + bits_of(yes);
            before += bits_of(65536 - yes);
            if (list[rank] == pixel) own = bits[rank];
        }
        if (!own)
            own = before + (colours_.contains(pixel) ? bits_of(seen_.value()) + seen_bits_.bits()
                                                     : bits_of(65536 - seen_.value()) + new_bits_.bits());
        uint32_t best = pixel;
        const auto j = [&](uint32_t price, const Difference& d) {
            return int64_t{price} * loss_.per_bit + (int64_t{d.squares} * alike_ << 8);
        };
        int64_t least = j(own, Difference(pixel, original_, channels_));
        for (unsigned rank = refused; rank < list.size(); ++rank) {
            const Difference d(list[rank], original_, channels_);
            const int64_t cost = j(bits[rank], d);
            if (d.greatest <= loss_.most && cost < least) least = cost, best = list[rank];
        }
        return best;
    }
    // That it is candidate c.
    unsigned probability(const Neighbours& near, uint32_t c, unsigned rank, History history, Mixer<7>::Inputs& inputs) {
        const unsigned equal = near.equal_to(c);
        unsigned agreement = 0;  // per neighbourhood: new, followed by c, followed by something else
        inputs = {};
        for (size_t i = 0; i < kNeighbourhoods; ++i) {
            const bool agrees = known_[i].pixel() == c;
            agreement = agreement << 2 | (met_[i] ? agrees ? 1u : 2u : 0u);
            if (i > 0 && met_[i]) inputs[i - 1] = memory_meanings_[i - 1][agrees].of(known_[i].history());
        }
        inputs[3] = pair_meaning_.of(history);
        inputs[4] = &by_structure_[hash(equal | near.pattern << 7 | rank << 14, outcomes_) >> 16];
        inputs[5] = &by_memory_[agreement << 7 | equal];
        bool trusted = false;
        if (expected_.exists()) {
            const bool agrees = expected_.pixel == c;
            inputs[6] = &by_match_[((agrees * 16 + expected_.trust) * 7 + expected_.alike) * 4 + rank];
            trusted = agrees && expected_.alike + expected_.trust > 8;
        }
        return candidate_mixer_.mix(inputs, (rank << 4 | (near.pattern & 15)) << 1 | trusted);
    }

    bool is_candidate(const Neighbours& near, uint32_t pair, uint32_t c, unsigned rank, bool yes) {
        History& history = pairs_.at(hash(pair, c));
        Mixer<7>::Inputs inputs;
        yes = coder_.bit(probability(near, c, rank, history, inputs), yes);
        candidate_mixer_.learn(yes);
        history.add(yes);
        for (Probability* input : inputs)
            if (input) input->learn(yes);
        return yes;
    }

    uint32_t other_colour(const Neighbours& near, uint32_t pixel) {
        const bool seen = coder_.bit(seen_.value(), Coder::kEncodes && colours_.contains(pixel));
        seen_.learn(seen);
        if (seen) return noted(seen_bits_, [&] { return seen_colour(near, pixel); });
        pixel = noted(new_bits_, [&] { return new_colour(near, pixel); });
        colours_.add(pixel);
        return pixel;
    }

    // Run something that encodes, and average its cost.
    template <class Work> uint32_t noted(Lately& lately, Work work) {
        if constexpr (!Coder::kEncodes)
            return work();
        else {
            const auto before = coder_.bits();
            const uint32_t result = work();
            lately.add(static_cast<uint32_t>(coder_.bits() - before));
            return result;
        }
    }

    // Bits from the highest, except those that follow from the others.
    uint32_t seen_colour(const Neighbours& near, uint32_t pixel) {
        if (colours_.empty()) throw Corrupt("graphic: a colour seen before the first");
        const int top = 8 * (channels_ - 1) + 5;
        const auto coarse = [&](uint32_t c) { return c >> top & 7; };
        const uint32_t around = coarse(near.w) | coarse(near.n) << 3 | coarse(near.nw) << 6 | coarse(near.ne) << 9;
        const std::array<uint32_t, 6> contexts{
            5, hash(6, near.w), hash(7, near.n), hash(hash(8, near.w), near.ww), hash(9, near.slope), hash(10, around)};
        return colours_.find([&](int bit, uint32_t like) {
            const uint32_t node = (like >> bit | 1) << bit;  // the bits above, and a 1 to mark their end
            return seen_mixer_.bit(coder_, histories_, contexts, node, static_cast<unsigned>(bit), pixel >> bit & 1);
        });
    }

    // Byte by byte the difference to a prediction.
    uint32_t new_colour(const Neighbours& near, uint32_t pixel) {
        uint32_t colour = 0, differences = 0;
        for (int c = 0; c < channels_; ++c) {
            const int shift = 8 * (channels_ - 1 - c);
            const auto byte = [&](uint32_t v) { return static_cast<int>(v >> shift & 255); };
            const int w = byte(near.w), n = byte(near.n), nw = byte(near.nw);
            const bool blends = channels_ >= 3 && (c == 1 || c == 2);
            const int g = static_cast<int>(colour >> 8 * (c - blends));
            const int prediction = blends ? blend(near, g, shift) : med(w, n, nw);
            const int step = abs_int(w - n);
            const auto channel = static_cast<uint32_t>(c);
            const uint32_t activity = channel << 2 | (step < 2 ? 0u : step < 8 ? 1u : step < 32 ? 2u : 3u);
            const auto apart = [](int a, int b) { return static_cast<uint32_t>(a - b) & 255; };
            const std::array<uint32_t, 5> contexts{
                hash(11, activity), hash(hash(hash(12, channel), differences), static_cast<uint32_t>(w | n << 8)),
                hash(hash(13, activity), differences & 255),
                hash(hash(hash(14, channel), differences), apart(w, nw) | apart(n, nw) << 8),
                hash(hash(15, channel),
                     apart(w, byte(near.ww)) | apart(n, byte(near.nn)) << 8 | apart(byte(near.ne), n) << 16)};
            const std::array<uint32_t, 3> first_ones{contexts[0], contexts[1], contexts[2]};
            const auto difference = zigzag(static_cast<std::int8_t>(byte(pixel) - prediction)) & 255;
            uint32_t node = 1;
            for (unsigned bit = 8; bit-- > 0;)
                node = node << 1 | (matches_ ? new_mixer_.bit(coder_, histories_, contexts, node, channel << 3 | bit,
                                                              difference >> bit & 1)
                                             : plain_mixer_.bit(coder_, histories_, first_ones, node,
                                                                channel << 3 | bit, difference >> bit & 1));
            differences = differences << 8 | (node & 255);
            colour = colour << 8 | (static_cast<uint32_t>(prediction + unzigzag(node & 255)) & 255);
        }
        return colour;
    }

    // Predicts the byte at `shift` of a colour whose G was coded before: text and curves blend two colours, so it lies
    // between those of the neighbours whose G is next to it.
    int blend(const Neighbours& near, int g, int shift) const {
        const int top = 8 * (channels_ - 1);
        int below = -1, above = 256, low = 0, high = 0;
        for (uint32_t c : {near.w, near.n, near.nw, near.ne, near.ww, near.nn}) {
            const int place = static_cast<int>(c >> top & 255), value = static_cast<int>(c >> shift & 255);
            if (place <= g && place > below) below = place, low = value;
            if (place >= g && place < above) above = place, high = value;
        }
        if (below < 0) return high;
        if (above > 255 || above == below) return low;
        const int span = above - below;
        return (low * (above - g) + high * (g - below) + span / 2) / span;
    }

    Coder& coder_;
    int channels_;
    ScreenLoss loss_;
    uint32_t original_ = 0;
    int alike_ = 1;
    Lately pixel_{4 << 8}, seen_bits_{8 << 8}, new_bits_{16 << 8};  // of an encoder that may lose something
    std::vector<Memory> memories_;
    unsigned shift_;
    std::array<Memory, kNeighbourhoods> known_;  // what the memories held for the pixel being coded
    std::array<bool, kNeighbourhoods> met_{};    // and whether it was about the same neighbourhood
    std::optional<Matches> matches_;
    Expected expected_;
    Histories pairs_, histories_;
    std::array<std::array<Meaning, 2>, kNeighbourhoods - 1> memory_meanings_;
    Meaning pair_meaning_;
    std::vector<Probability> by_structure_, by_memory_, by_match_;
    Mixer<7> candidate_mixer_{kCandidates << 5};
    HistoryMixer<6> seen_mixer_{32};
    HistoryMixer<5> new_mixer_{32};
    HistoryMixer<3> plain_mixer_{32};  // where there are no matches
    Probability flat_, seen_;
    ColourSet colours_;
    unsigned outcomes_ = 0;  // ranks of the latest two pixels outside flat places, two bits each
};

// An encoder's row of pixels, and how much of what follows is alike: an error in the first pixel of an area is one in
// all of it.
struct Line {
    const std::uint8_t *pixels, *originals;  // what is to be coded, and what it was before colours were merged
    std::ptrdiff_t stride;
    int channels, below;  // rows below

    uint32_t at(int x) const { return pack(pixels + std::ptrdiff_t{x} * channels, channels); }
    uint32_t original(int x) const { return pack(originals + std::ptrdiff_t{x} * channels, channels); }
    int alike(int x, int stop) const {
        constexpr int kFar = 8;
        const std::uint8_t* p = pixels + std::ptrdiff_t{x} * channels;
        const auto n = static_cast<size_t>(channels);
        int right = 1, down = 1;
        while (right < std::min(kFar, stop - x) && !std::memcmp(p, p + right * channels, n)) ++right;
        while (down < std::min(kFar, below) && !std::memcmp(p, p + down * stride, n)) ++down;
        return right * down;
    }
};

// Columns x .. stop - 1 of one row, all of the region. Returns the packed pixels in rows[0].
template <class Coder>
void code_run(Model<Coder>& model, const Window& window, const Rows& rows, int x, int stop, const Line& line) {
    const auto pixel = [&] { return Coder::kEncodes ? line.at(x) : 0; };
    const auto original = [&] { return Coder::kEncodes && model.loses() ? line.original(x) : 0; };
    const auto alike = [&] { return Coder::kEncodes && model.loses() ? line.alike(x, stop) : 1; };
    const auto is_like = [&](uint32_t colour) {
        return pixel() == colour ||
               (Coder::kEncodes && model.loses() && model.hides(colour, pixel(), original(), alike()));
    };
    bool refused = false;
    while (x < stop) {
        if (!refused && is_flat(rows, x)) {
            do {
                refused = !model.flat_goes_on(is_like(rows[0][x - 1]));
                if (!refused) rows[0][x] = rows[0][x - 1], model.go_on(x), ++x;
            } while (!refused && x < stop && stays_flat(rows, x));
        } else {
            rows[0][x] = model.code(window, rows, x, refused, pixel(), original(), alike());
            refused = false;
            ++x;
        }
    }
}

// Squared, of columns that were coded.
std::int64_t error_of(const uint32_t* coded, int x, int stop, const Line& line) {
    std::int64_t sum = 0;
    for (; x < stop; ++x) sum += Difference(coded[x], line.original(x), line.channels).squares;
    return sum;
}

// Matches lie within about so many pixels, or so many rows.
constexpr int kWindow = 1 << 20, kLeastRows = 16;

// Both directions: `Byte` is const for the encoder.
template <class Coder, class Byte>
void scan(Coder& coder, View<Byte> pixels, View<const std::uint8_t> originals, const Region& region, bool matches,
          const ScreenLoss& loss = {}, TileCost* costs = nullptr) {
    const Box box = bounding_box(region);
    if (box.right <= box.left) return;
    const int width = box.right - box.left, channels = pixels.channels;
    const auto area = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(box.bottom - box.top);
    Model<Coder> model(coder, channels, width,
                       static_cast<unsigned>(clamp_int(static_cast<int>(std::bit_width(area)) + 1, 12, 20)), matches,
                       loss);
    // More than the box has rows, and two above them, makes no difference.
    Window window(width,
                  matches ? std::min(std::max(kWindow / width, kLeastRows), box.bottom - box.top + kRows) : kRows);
    for (int y = box.top; y < box.bottom; ++y) {
        if (coder.damaged()) throw Corrupt("graphic data are damaged or cut off");
        const Rows rows = window.rows();
        Byte* line = pixels.row(y) + std::ptrdiff_t{box.left} * channels;
        const Line ahead{line, originals.row(y) + std::ptrdiff_t{box.left} * channels,
                         std::ptrdiff_t{pixels.width} * channels, channels, pixels.height - y};
        int first = -1, end = 0;  // first pixel of the row, and the column behind the latest
        for (int x = 0; x < width; ++x) {
            if (!region.contains(box.left + x, y)) continue;
            int stop = x + 1;
            while (stop < width && region.contains(box.left + stop, y)) ++stop;
            if (first < 0)
                std::fill(rows[0] - kMargin, rows[0] + x, rows[1][x]);
            else
                std::fill(rows[0] + end, rows[0] + x, rows[0][end - 1]);
            if (first < 0) first = x;
            if constexpr (Coder::kEncodes) {
                // Tile by tile, where costs are counted.
                TileCost* const row_costs =
                    costs ? costs + y / kScreenTile * ((pixels.width + kScreenTile - 1) / kScreenTile) : nullptr;
                for (int from = x, to; from < stop; from = to) {
                    const int tile = (box.left + from) / kScreenTile;
                    to = costs ? std::min(stop, (tile + 1) * kScreenTile - box.left) : stop;
                    const auto before = coder.bits();
                    code_run(model, window, rows, from, to, ahead);
                    if (costs) row_costs[tile].add(coder.bits() - before, error_of(rows[0], from, to, ahead));
                }
            } else {
                code_run(model, window, rows, x, stop, ahead);
                for (int i = x; i < stop; ++i) unpack(rows[0][i], line + std::ptrdiff_t{i} * channels, channels);
            }
            x = end = stop;
        }
        if (first < 0) continue;
        std::fill(rows[0] - kMargin, rows[0] + first, rows[0][first]);
        std::fill(rows[0] + end, rows[0] + width + kMargin, rows[0][end - 1]);
        window.next_row();
        model.next_row();
    }
}

}  // namespace

Bytes screen_encode(View<const std::uint8_t> pixels, const Region& region, const ScreenLoss& loss, TileCost* costs,
                    bool matches) {
    BinaryWriter encoder;
    // In trials on screens, 1 to 2 times the root did alike.
    const int side = std::min(64, static_cast<int>(std::lround(1.5 * std::sqrt(loss.per_bit))));
    if (side > 1) {
        const Bytes merged = merge_colours(pixels, region, side);
        scan(encoder,
             View<const std::uint8_t>{merged.data(), std::ptrdiff_t{pixels.width} * pixels.channels, pixels.width,
                                      pixels.height, pixels.channels},
             pixels, region, matches, loss, costs);
    } else {
        scan(encoder, pixels, pixels, region, matches, loss, costs);
    }
    return encoder.finish();
}

void screen_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> pixels, const Region& region, bool matches) {
    BinaryReader decoder(coded);
    scan(decoder, pixels, constant(pixels), region, matches);
    if (!decoder.finished()) throw Corrupt("graphic data do not end with the last pixel");
}

}  // namespace aig
