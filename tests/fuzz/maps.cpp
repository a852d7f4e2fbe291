// Fuzzes the coder of label maps, what follows from maps, maps of foci, and graphics that may lose a little.
#include "fuzzing.hpp"
#include "geometry/geometry.hpp"
#include "geometry/label_map.hpp"
#include "geometry/masks.hpp"
#include "screen/screen_content.hpp"

namespace fuzz {
namespace {

using namespace aig;

struct Labels {
    int width, height, n;
    Bytes values;

    View<std::uint8_t> view() { return {values.data(), width, width, height, 1}; }
    View<const std::uint8_t> view() const { return {values.data(), width, width, height, 1}; }
};

Labels labels(unsigned seed) {
    Chance chance(seed);
    Labels l{chance.size(90), chance.size(70), 1 + chance.below(kMostLabels), {}};
    const int kind = chance.below(4), cx = chance.below(l.width), cy = chance.below(l.height), r = chance.size(l.width),
              side = chance.size(12);
    for (int y = 0; y < l.height; ++y)
        for (int x = 0; x < l.width; ++x) {
            const int d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            const int value[] = {d < r * r ? 1 + (x > cx) * (l.n > 1) : 0, chance.below(l.n + 1),
                                 (x / side * 5 + y / side * 3) % (l.n + 1), 0};
            l.values.push_back(static_cast<std::uint8_t>(value[kind]));
        }
    return l;
}

// Whether bytes are a map of labels in this one's place; whatever they say is then looked at.
bool try_labels(Round& round, const Labels& l, const Bytes& bytes, Labels& target) {
    const Bytes own = exact(bytes);
    target = l;
    try {
        label_map_decode(own, target.view(), l.n);
    } catch (const Corrupt&) {
        ++round.tally.refused;
        round.note(0);
        return false;
    }
    ++round.tally.decoded;
    round.note(target.values);
    if (*std::max_element(target.values.begin(), target.values.end()) > l.n) round.fail("a label outside its range");
    std::vector<std::int64_t> reach2;
    for (int k = 0; k < l.n; ++k) reach2.push_back(std::int64_t{round.chance.size(90)} * round.chance.size(90) << 16);
    Bytes classes(target.values.size()),
        tiles(static_cast<std::size_t>(((l.width + 15) / 16) * ((l.height + 15) / 16)), 1);
    const View<std::uint8_t> map{classes.data(), l.width, l.width, l.height, 1};
    classify_labels(constant(target.view()), reach2, map);
    mark_screen_content(
        View<const std::uint8_t>{tiles.data(), (l.width + 15) / 16, (l.width + 15) / 16, (l.height + 15) / 16, 1},
        round.chance.one_in(2), map);
    round.note(classes);
    std::vector<std::int32_t> numbers(target.values.size());
    components(constant(target.view()), {numbers.data(), l.width, l.width, l.height, 1});
    round.note(numbers);
    return true;
}

void fuzz_label_map(Round& round, Bytes& other) {
    ++round.tally.pictures;
    const unsigned seed = round.part();
    const Labels l = labels(seed);
    const Bytes coded = label_map_encode(l.view(), l.n);
    round.note(coded);
    for (int i = 0; i < round.attempts(); ++i) {
        Bytes bytes = coded;
        if (i) damage(bytes, other, round.chance);
        Labels target;
        const bool sound = try_labels(round, l, bytes, target);
        if (!i && !sound) round.fail("a sound map was refused");
        if (!i && target.values != l.values) round.fail("a map came back otherwise");
        round.keep(InputWriter().number(seed).rest(bytes));
    }
    other = coded;
}

// Ellipses as a file may have them: whatever the numbers, a window shows what the whole map has there.
void fuzz_foci(Round& round) {
    Chance& chance = round.chance;
    const auto word = [&] {
        return static_cast<std::uint32_t>(chance.one_in(8) ? -1 : chance.below(1 << chance.size(30)));
    };
    std::vector<Focus> foci;
    for (int k = chance.size(3); k > 0; --k) {
        const int most = chance.one_in(3) ? 32768 : 90;
        const int x = chance.below(most), y = chance.below(most);
        const std::uint32_t inverse_x = 1 + word() / 2, inverse_y = 1 + word() / 2;
        const int shift = 20 + chance.below(31), alpha = chance.below(256);
        const std::uint32_t core = word(), mid = word();
        foci.push_back({x, y, inverse_x, inverse_y, shift, static_cast<std::uint32_t>(alpha), core, mid});
    }
    const int width = chance.size(90), height = chance.size(70), left = chance.below(width), top = chance.below(height);
    const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    Bytes whole(size), part(static_cast<std::size_t>(width - left) * static_cast<std::size_t>(height - top)),
        owners(size);
    const View<std::uint8_t> window{part.data(), width - left, width - left, height - top, 1};
    std::vector<std::uint32_t> distances(size);
    classify(foci, 0, 0, {whole.data(), width, width, height, 1});
    classify(foci, left, top, window);
    for (int y = top; y < height; ++y)
        if (!std::equal(whole.begin() + y * width + left, whole.begin() + (y + 1) * width, window.row(y - top)))
            round.fail("a window differs from the whole map");
    assign(foci, {owners.data(), width, width, height, 1}, {distances.data(), width, width, height, 1});
    round.note(whole), round.note(owners), round.note(distances);
}

// What loses a little is decoded like everything else.
void fuzz_near(Round& round) {
    Chance& chance = round.chance;
    ++round.tally.pictures;
    const Labels l = labels(round.part());
    const int channels = chance.one_in(2) ? 1 : 3, shades = chance.size(40);
    Bytes samples;
    for (std::size_t i = 0; i < l.values.size() * static_cast<std::size_t>(channels); ++i)
        samples.push_back(
            static_cast<std::uint8_t>(60 * l.values[i / static_cast<std::size_t>(channels)] + chance.below(shades)));
    const std::ptrdiff_t stride = std::ptrdiff_t{l.width} * channels;
    const View<const std::uint8_t> pixels{samples.data(), stride, l.width, l.height, channels};
    const Region region{l.view(), 0, chance.below(l.n + 1)};
    const ScreenLoss loss{chance.size(3000), chance.below(256)};
    std::vector<TileCost> costs(static_cast<std::size_t>(((l.width + 15) / 16) * ((l.height + 15) / 16)));
    const Bytes coded = exact(screen_encode(pixels, region, loss, costs.data()));
    Bytes decoded(samples.size(), 77);
    try {
        screen_decode(coded, {decoded.data(), stride, l.width, l.height, channels}, region, true);
    } catch (const Corrupt&) { round.fail("graphics that lose a little were refused"); }
    ++round.tally.decoded;
    round.note(coded), round.note(decoded);
}

}  // namespace

void decode_maps(Round& round, Input input) {
    const Labels l = labels(input.number());
    Labels target;
    try_labels(round, l, input.rest(), target);
}

void fuzz_maps(Round& round) {
    Bytes other;
    for (int i = 0; i < 2; ++i) {
        fuzz_label_map(round, other);
        fuzz_near(round);
        fuzz_foci(round);
    }
}

}  // namespace fuzz
