// Fuzzes the decoders of the lossless core: pictures of all kinds are coded, the bytes damaged in many ways, and
// decoded by every set of kernels. All must agree, on refusing or on every pixel, and touch no pixel outside the
// region.
#include "fuzzing.hpp"
#include "lossless/colour_table.hpp"
#include "lossless/photo.hpp"
#include "lossless/value_ranks.hpp"
#include "mixed/mixed.hpp"
#include "screen/screen_content.hpp"

namespace fuzz {
namespace {

using namespace aig;

template <class Pixel> struct Picture {
    int width, height, channels;
    std::vector<Pixel> samples;
    std::vector<std::uint8_t> classes;

    View<Pixel> view() { return {samples.data(), std::ptrdiff_t{width} * channels, width, height, channels}; }
    View<const Pixel> view() const {
        return {samples.data(), std::ptrdiff_t{width} * channels, width, height, channels};
    }
    Region region() const { return {{classes.data(), width, width, height, 1}, 1, 3}; }
};

template <class Pixel> Picture<Pixel> picture(Chance& chance, int widest = 90, int highest = 70) {
    Picture<Pixel> p{chance.size(widest), chance.size(highest), 1 + chance.below(4), {}, {}};
    const int kind = chance.below(7), shape = chance.below(6), peak = static_cast<Pixel>(-1);
    int palette[8][4];
    for (auto& colour : palette)
        for (int& v : colour) v = chance.below(peak + 1);
    const int cx = chance.below(p.width), cy = chance.below(p.height), r = chance.size(p.width);
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < p.width; ++x) {
            for (int c = 0; c < p.channels; ++c) {
                const int cell = (x / 7 * 5 + y / 5 * 3) % 8;
                const int values[] = {peak / 3 * c,
                                      chance.below(peak + 1),
                                      x * (c + 1) * (peak / 255) + y,
                                      palette[cell][c],
                                      palette[chance.below(8)][c],
                                      chance.below(2) * peak,
                                      (x * x + y * (c + 2)) % (peak + 1) + chance.below(5)};
                p.samples.push_back(static_cast<Pixel>(values[kind]));
            }
            const int d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            const bool inside[] = {true, d<r * r, d >= r * r, chance.below(2)> 0, chance.one_in(30),
                                   y % 3 > 0 && x % 5 > 0};
            p.classes.push_back(static_cast<std::uint8_t>(inside[shape] ? 1 + chance.below(3) : chance.below(2) * 5));
        }
    return p;
}

// What all kernels make of the bytes. `decode(bytes, target)` throws Corrupt to refuse.
template <class Pixel, class Decode>
bool try_all(Round& round, const Bytes& bytes, const Picture<Pixel>& p, Decode decode) {
    constexpr Pixel untouched = 77;
    bool first = true, accepted = false;
    std::vector<Pixel> result;
    with_all_kernels([&] {
        const Bytes own = exact(bytes);
        Picture<Pixel> target = p;
        std::fill(target.samples.begin(), target.samples.end(), untouched);
        bool sound = true;
        try {
            decode(std::span<const std::uint8_t>(own), target);
        } catch (const Corrupt&) { sound = false; }
        for (std::size_t i = 0; i < p.classes.size(); ++i)
            if (p.classes[i] < 1 || p.classes[i] > 3)
                for (int c = 0; c < p.channels; ++c)
                    if (target.samples[i * static_cast<std::size_t>(p.channels) + static_cast<std::size_t>(c)] !=
                        untouched)
                        round.fail("a pixel outside the region was touched");
        if (first) {
            accepted = sound;
            result = target.samples;
        } else if (sound != accepted || (sound && target.samples != result)) {
            round.fail("the kernels differ");
        }
        first = false;
    });
    ++(accepted ? round.tally.decoded : round.tally.refused);
    round.note(accepted);
    if (accepted) round.note(result);
    return accepted;
}

enum Kind : int {
    kPhoto = 0,
    kDeepPhoto = 1,
    kGraphic = 2,
    kColours = 3,
    kValues = 4,
    kMixed = 5,
    kDeepMixed = 6,
    kKinds = 7
};

// What one seed makes: a picture, and how it is coded.
template <class Pixel> struct Photo {
    explicit Photo(unsigned seed) {
        Chance chance(seed);
        picture = fuzz::picture<Pixel>(chance);
        part =
            picture.channels >= 3 && !chance.one_in(4) ? Component{0, 3} : Component{chance.below(picture.channels), 1};
        const int predictors = 1 + chance.below(32);
        how = {{1 + chance.below(32), predictors, chance.below(3), 1 + chance.below(3), 1 << chance.below(4),
                1 + chance.below(4), 1},
               chance.one_in(2)};
    }
    static constexpr Kind kind() { return sizeof(Pixel) == 1 ? kPhoto : kDeepPhoto; }
    Bytes encode() const { return photo_encode(picture.view(), part, picture.region(), 0, picture.height, how); }
    void decode(std::span<const std::uint8_t> bytes, Picture<Pixel>& target) const {
        photo_decode(bytes, target.view(), part, picture.region(), 0, picture.height);
    }
    Picture<Pixel> picture;
    Component part;
    PhotoSettings how;
};

struct Graphic {
    explicit Graphic(unsigned seed) {
        Chance chance(seed);
        picture = fuzz::picture<std::uint8_t>(chance);
        matches = !chance.one_in(3);
    }
    static constexpr Kind kind() { return kGraphic; }
    Bytes encode() const { return screen_encode(picture.view(), picture.region(), {}, nullptr, matches); }
    void decode(std::span<const std::uint8_t> bytes, Picture<std::uint8_t>& target) const {
        screen_decode(bytes, target.view(), picture.region(), matches);
    }
    Picture<std::uint8_t> picture;
    bool matches;
};

// A table of colours, and a place in it for every pixel.
struct Colours {
    explicit Colours(unsigned seed) {
        Chance chance(seed);
        picture = fuzz::picture<std::uint16_t>(chance);
        table.channels = picture.channels;
        const int most = static_cast<int>(std::clamp<std::int64_t>(extent(picture.region()).pixels, 1, 256));
        for (int i = chance.size(most) * table.channels; i > 0; --i)
            table.samples.push_back(static_cast<std::uint16_t>(chance.below(chance.one_in(2) ? 65536 : 300)));
        for (std::size_t i = 0; i < picture.classes.size(); ++i)
            indices.push_back(static_cast<std::uint8_t>(chance.below(static_cast<int>(table.size()))));
    }
    static constexpr Kind kind() { return kColours; }
    Bytes encode() const { return write_colours(table, 16); }
    void decode(std::span<const std::uint8_t> bytes, Picture<std::uint16_t>& target) const {
        const auto pixels = std::max<std::int64_t>(1, extent(picture.region()).pixels);
        const View<const std::uint8_t> from{indices.data(), picture.width, picture.width, picture.height, 1};
        from_indices(from, picture.region(), read_colours(bytes, picture.channels, 16, pixels), target.view());
    }
    Picture<std::uint16_t> picture;
    ColourTable table;
    Bytes indices;
};

// Values, and a rank for every sample.
struct Values {
    explicit Values(unsigned seed) {
        Chance chance(seed);
        picture = fuzz::picture<std::uint8_t>(chance);
        const bool each = picture.channels > 1 && chance.one_in(2);
        std::size_t least = 256;
        for (int k = each ? picture.channels : 1; k > 0; --k) {
            auto& set = sets.emplace_back();
            const int step = chance.size(40);
            const std::int64_t most = std::max<std::int64_t>(1, extent(picture.region()).pixels);
            for (int v = chance.below(200); v < 256 && static_cast<std::int64_t>(set.size()) < most;
                 v += chance.one_in(5) ? chance.size(99) : step)
                set.push_back(static_cast<std::uint16_t>(v));
            least = std::min(least, set.size());
        }
        ranks = picture.samples;
        for (auto& rank : ranks) rank = static_cast<std::uint8_t>(rank % least);
    }
    static constexpr Kind kind() { return kValues; }
    Bytes encode() const { return write_values(sets, picture.channels); }
    void decode(std::span<const std::uint8_t> bytes, Picture<std::uint8_t>& target) const {
        const auto pixels = std::max<std::int64_t>(1, extent(picture.region()).pixels);
        const auto found = read_values(bytes, picture.channels, 8, pixels);
        const View<const std::uint8_t> from{ranks.data(), std::ptrdiff_t{picture.width} * picture.channels,
                                            picture.width, picture.height, picture.channels};
        from_ranks(from, picture.region(), found, target.view());
    }
    Picture<std::uint8_t> picture;
    ValueSets sets;
    Bytes ranks;
};

// Some channels in any order, the last of them as alpha or not. Small, since every sample takes long.
template <class Pixel> struct Mixed {
    explicit Mixed(unsigned seed) {
        Chance chance(seed);
        picture = fuzz::picture<Pixel>(chance, 40, 16);
        const int channels = picture.channels, colours = channels >= 3 && !chance.one_in(3) ? 3 : 1;
        planes.alpha = channels > colours && !chance.one_in(3);
        planes.count = colours + (planes.alpha ? 1 : 0);
        int order[4] = {0, 1, 2, 3};
        for (int k = 0; k < planes.count; ++k) {
            std::swap(order[k], order[k + chance.below(channels - k)]);
            planes.channel[k] = order[k];
        }
        shift = sizeof(Pixel) == 1 ? 0 : chance.below(kMostMixedShift + 1);
    }
    static constexpr Kind kind() { return sizeof(Pixel) == 1 ? kMixed : kDeepMixed; }
    Bytes encode() const { return mixed_encode(picture.view(), planes, picture.region(), 0, picture.height, shift); }
    void decode(std::span<const std::uint8_t> bytes, Picture<Pixel>& target) const {
        mixed_decode(bytes, target.view(), planes, picture.region(), 0, picture.height);
    }
    Picture<Pixel> picture;
    MixedPlanes planes{};
    int shift;
};

template <class Coder> bool try_bytes(Round& round, const Coder& coder, const Bytes& bytes) {
    return try_all(round, bytes, coder.picture,
                   [&](std::span<const std::uint8_t> own, auto& target) { coder.decode(own, target); });
}

template <class Coder> void attack(Round& round, Bytes& other) {
    ++round.tally.pictures;
    const unsigned seed = round.part();
    const Coder coder(seed);
    const Bytes coded = coder.encode();
    round.note(coded);
    for (int i = 0; i < round.attempts(); ++i) {
        Bytes bytes = coded;
        if (i) damage(bytes, other, round.chance);
        if (!try_bytes(round, coder, bytes) && !i) round.fail("sound bytes were refused");
        round.keep(InputWriter().number(seed).byte(Coder::kind()).rest(bytes));
    }
    other = coded;
}

}  // namespace

void decode_lossless(Round& round, Input input) {
    const unsigned seed = input.number(), kind = input.byte() % kKinds;
    if (kind == kPhoto)
        try_bytes(round, Photo<std::uint8_t>(seed), input.rest());
    else if (kind == kDeepPhoto)
        try_bytes(round, Photo<std::uint16_t>(seed), input.rest());
    else if (kind == kGraphic)
        try_bytes(round, Graphic(seed), input.rest());
    else if (kind == kColours)
        try_bytes(round, Colours(seed), input.rest());
    else if (kind == kValues)
        try_bytes(round, Values(seed), input.rest());
    else if (kind == kMixed)
        try_bytes(round, Mixed<std::uint8_t>(seed), input.rest());
    else
        try_bytes(round, Mixed<std::uint16_t>(seed), input.rest());
}

void fuzz_lossless(Round& round) {
    Bytes photo, deep, screen, colours, values, mixed, deep_mixed;  // those of one picture get into the next
    for (int i = 0; i < 2; ++i) {
        attack<Photo<std::uint8_t>>(round, photo);
        attack<Photo<std::uint16_t>>(round, deep);
        attack<Graphic>(round, screen);
        attack<Colours>(round, colours);
        attack<Values>(round, values);
        attack<Mixed<std::uint8_t>>(round, mixed);
        attack<Mixed<std::uint16_t>>(round, deep_mixed);
    }
}

}  // namespace fuzz
