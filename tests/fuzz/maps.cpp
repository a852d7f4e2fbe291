// Fuzzes the coder of label maps, what follows from maps, and graphics that may lose a little.
#include "fuzzing.hpp"
#include "graphic.hpp"
#include "label_map.hpp"
#include "masks.hpp"

namespace fuzz {
namespace {

using namespace aig;

struct Labels {
    int width, height, n;
    Bytes values;

    View<std::uint8_t> view() { return {values.data(), width, width, height, 1}; }
    View<const std::uint8_t> view() const { return {values.data(), width, width, height, 1}; }
};

Labels labels(Chance& chance) {
    Labels l{chance.size(90), chance.size(70), 1 + chance.below(kMostLabels), {}};
    const int kind = chance.below(4), cx = chance.below(l.width), cy = chance.below(l.height), r = chance.size(l.width), side = chance.size(12);
    for (int y = 0; y < l.height; ++y)
        for (int x = 0; x < l.width; ++x) {
            const int d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            const int value[] = {d < r * r ? 1 + (x > cx) * (l.n > 1) : 0, chance.below(l.n + 1), (x / side * 5 + y / side * 3) % (l.n + 1), 0};
            l.values.push_back(static_cast<std::uint8_t>(value[kind]));
        }
    return l;
}

void fuzz_label_map(Round& round, Bytes& other) {
    ++round.tally.pictures;
    const Labels l = labels(round.chance);
    const Bytes coded = label_map_encode(l.view(), l.n);
    for (int i = 0; i < 25; ++i) {
        Bytes bytes = coded;
        if (i) damage(bytes, other, round.chance);
        const Bytes own = exact(bytes);
        Labels target = l;
        try {
            label_map_decode(own, target.view(), l.n);
        } catch (const Corrupt&) {
            if (!i) round.fail("a sound map was refused");
            ++round.tally.refused;
            continue;
        }
        ++round.tally.decoded;
        if (!i && target.values != l.values) round.fail("a map came back otherwise");
        if (*std::max_element(target.values.begin(), target.values.end()) > l.n) round.fail("a label outside its range");
        // Whatever a file says is then looked at.
        std::vector<std::int64_t> reach2;
        for (int k = 0; k < l.n; ++k) reach2.push_back(std::int64_t{round.chance.size(90)} * round.chance.size(90) << 16);
        Bytes classes(target.values.size()), tiles(static_cast<std::size_t>(((l.width + 15) / 16) * ((l.height + 15) / 16)), 1);
        const View<std::uint8_t> map{classes.data(), l.width, l.width, l.height, 1};
        classify_labels(constant(target.view()), reach2, map);
        mark_drawn(View<const std::uint8_t>{tiles.data(), (l.width + 15) / 16, (l.width + 15) / 16, (l.height + 15) / 16, 1}, round.chance.one_in(2), map);
        std::vector<std::int32_t> numbers(target.values.size());
        components(constant(target.view()), {numbers.data(), l.width, l.width, l.height, 1});
    }
    other = coded;
}

// What loses a little is decoded like everything else.
void fuzz_near(Round& round) {
    Chance& chance = round.chance;
    ++round.tally.pictures;
    const Labels l = labels(chance);
    const int channels = chance.one_in(2) ? 1 : 3, shades = chance.size(40);
    Bytes samples;
    for (std::size_t i = 0; i < l.values.size() * static_cast<std::size_t>(channels); ++i)
        samples.push_back(static_cast<std::uint8_t>(60 * l.values[i / static_cast<std::size_t>(channels)] + chance.below(shades)));
    const std::ptrdiff_t stride = std::ptrdiff_t{l.width} * channels;
    const View<const std::uint8_t> pixels{samples.data(), stride, l.width, l.height, channels};
    const Region region{l.view(), 0, chance.below(l.n + 1)};
    const GraphicLoss loss{chance.size(3000), chance.below(256)};
    std::vector<GraphicCost> costs(static_cast<std::size_t>(((l.width + 15) / 16) * ((l.height + 15) / 16)));
    const Bytes coded = exact(graphic_encode(pixels, region, loss, costs.data()));
    Bytes decoded(samples.size(), 77);
    try {
        graphic_decode(coded, {decoded.data(), stride, l.width, l.height, channels}, region, true);
    } catch (const Corrupt&) {
        round.fail("graphics that lose a little were refused");
    }
    ++round.tally.decoded;
}

}  // namespace

void fuzz_maps(Round& round) {
    Bytes other;
    for (int i = 0; i < 2; ++i) {
        fuzz_label_map(round, other);
        fuzz_near(round);
    }
}

}  // namespace fuzz
