// Fuzzes the decoders of the lossless core: pictures of all kinds are coded, the bytes damaged in many ways, and decoded by
// every set of kernels. All must agree, on refusing or on every pixel, and touch no pixel outside the region.
#include "fuzzing.hpp"
#include "graphic.hpp"
#include "photo.hpp"

namespace fuzz {
namespace {

using namespace aig;

template <class Pixel> struct Picture {
    int width, height, channels;
    std::vector<Pixel> samples;
    std::vector<std::uint8_t> classes;

    View<Pixel> view() { return {samples.data(), std::ptrdiff_t{width} * channels, width, height, channels}; }
    View<const Pixel> view() const { return {samples.data(), std::ptrdiff_t{width} * channels, width, height, channels}; }
    Region region() const { return {{classes.data(), width, width, height, 1}, 1, 3}; }
};

template <class Pixel> Picture<Pixel> picture(Chance& chance) {
    Picture<Pixel> p{chance.size(90), chance.size(70), 1 + chance.below(4), {}, {}};
    const int kind = chance.below(7), shape = chance.below(6), peak = static_cast<Pixel>(-1);
    int palette[8][4];
    for (auto& colour : palette)
        for (int& v : colour) v = chance.below(peak + 1);
    const int cx = chance.below(p.width), cy = chance.below(p.height), r = chance.size(p.width);
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < p.width; ++x) {
            for (int c = 0; c < p.channels; ++c) {
                const int cell = (x / 7 * 5 + y / 5 * 3) % 8;
                const int values[] = {peak / 3 * c, chance.below(peak + 1), x * (c + 1) * (peak / 255) + y, palette[cell][c], palette[chance.below(8)][c],
                                      chance.below(2) * peak, (x * x + y * (c + 2)) % (peak + 1) + chance.below(5)};
                p.samples.push_back(static_cast<Pixel>(values[kind]));
            }
            const int d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            const bool inside[] = {true, d < r * r, d >= r * r, chance.below(2) > 0, chance.one_in(30), y % 3 > 0 && x % 5 > 0};
            p.classes.push_back(static_cast<std::uint8_t>(inside[shape] ? 1 + chance.below(3) : chance.below(2) * 5));
        }
    return p;
}

// What all kernels make of the bytes. `decode(bytes, target)` throws Corrupt to refuse.
template <class Pixel, class Decode> bool try_all(Round& round, const Bytes& bytes, const Picture<Pixel>& p, Decode decode) {
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
        } catch (const Corrupt&) {
            sound = false;
        }
        for (std::size_t i = 0; i < p.classes.size(); ++i)
            if (p.classes[i] < 1 || p.classes[i] > 3)
                for (int c = 0; c < p.channels; ++c)
                    if (target.samples[i * static_cast<std::size_t>(p.channels) + static_cast<std::size_t>(c)] != untouched)
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
    return accepted;
}

template <class Pixel, class Encode, class Decode> void attack(Round& round, const Picture<Pixel>& p, Encode encode, Decode decode, Bytes& other) {
    ++round.tally.pictures;
    const Bytes coded = encode();
    if (!try_all(round, coded, p, decode)) round.fail("sound bytes were refused");
    for (int i = 0; i < 24; ++i) {
        Bytes bytes = coded;
        damage(bytes, other, round.chance);
        try_all(round, bytes, p, decode);
    }
    other = coded;
}

template <class Pixel> void fuzz_photo(Round& round, Bytes& other) {
    Chance& chance = round.chance;
    const Picture<Pixel> p = picture<Pixel>(chance);
    const Component part = p.channels >= 3 && !chance.one_in(4) ? Component{0, 3} : Component{chance.below(p.channels), 1};
    const int predictors = 1 + chance.below(32);
    const PhotoSettings how{{1 + chance.below(32), predictors, chance.below(3), 1 + chance.below(3), 1 << chance.below(4), 1 + chance.below(4), 1}, chance.one_in(2)};
    attack(round, p, [&] { return photo_encode(p.view(), part, p.region(), 0, p.height, how); },
           [&](std::span<const std::uint8_t> bytes, Picture<Pixel>& target) { photo_decode(bytes, target.view(), part, p.region(), 0, p.height); }, other);
}

void fuzz_graphic(Round& round, Bytes& other, bool matches) {
    const auto p = picture<std::uint8_t>(round.chance);
    attack(round, p, [&] { return graphic_encode(p.view(), p.region(), {}, nullptr, matches); },
           [&](std::span<const std::uint8_t> bytes, Picture<std::uint8_t>& target) { graphic_decode(bytes, target.view(), p.region(), matches); }, other);
}

}  // namespace

void fuzz_lossless(Round& round) {
    Bytes photo, deep, graphic;  // those of one picture get into the next
    for (int i = 0; i < 2; ++i) {
        fuzz_photo<std::uint8_t>(round, photo);
        fuzz_photo<std::uint16_t>(round, deep);
        fuzz_graphic(round, graphic, i == 0);
    }
}

}  // namespace fuzz
