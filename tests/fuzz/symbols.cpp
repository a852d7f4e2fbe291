// Fuzzes what entropy coders carry alone: indices into palettes, and corrections of the boundary.
#include "dct/residual.hpp"
#include "fuzzing.hpp"
#include "screen/palette.hpp"

namespace fuzz {
namespace {

using namespace aig;

struct Coded {
    int coder;
    Bytes coded, raw;
};

// Classes of pixels as a map has them, in shapes that regions have.
Bytes random_classes(Chance& chance, int width, int height) {
    Bytes out;
    const int shape = chance.below(5), cx = chance.below(width), cy = chance.below(height), r = chance.size(width),
              one = chance.below(9), other = chance.below(9);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            const int classes[] = {one, d < r * r ? one : other, chance.below(9), chance.one_in(30) ? one : other,
                                   (x / 16 + y / 16) % 3 ? one : other};
            out.push_back(static_cast<std::uint8_t>(classes[shape]));
        }
    return exact(out);
}

struct Indices {
    explicit Indices(unsigned seed) {
        Chance chance(seed);
        width = chance.size(90), height = chance.size(70), size = chance.one_in(4) ? 256 : chance.size(256);
        classes = random_classes(chance, width, height);
        first = chance.below(5), last = first + chance.below(5);
        const int kind = chance.below(3), side = chance.size(12);
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                const int found[] = {chance.below(size), (x / side * 5 + y / side * 3) % size,
                                     chance.one_in(9) ? chance.below(size) : 0};
                values.push_back(static_cast<std::uint8_t>(found[kind]));
            }
    }
    static constexpr int number() { return 0; }
    static constexpr unsigned contexts() { return kPaletteContexts; }
    Region region() const { return {{classes.data(), width, width, height, 1}, first, last}; }
    WrittenStream encode(int coder) const {
        return palette_encode({values.data(), width, width, height, 1}, region(), coder);
    }
    // What the bytes make of a picture.
    Bytes decode(Round& round, const Payload& payload) const {
        Bytes out(values.size(), kUntouched);
        out.shrink_to_fit();
        palette_decode(payload, {out.data(), width, width, height, 1}, region(), size);
        check(round, out);
        return out;
    }
    Bytes wanted() const {
        Bytes out(values.size(), kUntouched);
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                if (region().contains(x, y)) out[at(x, y)] = values[at(x, y)];
        return out;
    }

  private:
    static constexpr std::uint8_t kUntouched = 77;
    std::size_t at(int x, int y) const { return static_cast<std::size_t>(y * width + x); }
    void check(Round& round, const Bytes& out) const {
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                if (!region().contains(x, y) && out[at(x, y)] != kUntouched)
                    round.fail("a pixel outside the region was touched");
                if (region().contains(x, y) && out[at(x, y)] >= size) round.fail("an index outside the palette");
            }
    }
    int width, height, size, first, last;
    Bytes classes, values;
};

struct Corrections {
    explicit Corrections(unsigned seed) {
        Chance chance(seed);
        width = chance.size(90), height = chance.size(70), colours = chance.one_in(2) ? 1 : 3,
        channels = colours + chance.below(2), tau = chance.below(9);
        const Bytes classes = random_classes(chance, width, height);
        band.resize(classes.size());
        boundary_band({classes.data(), width, width, height, 1}, chance.size(5),
                      {band.data(), width, width, height, 1});
        const int away = chance.size(256), frequent = chance.size(20);
        for (std::size_t i = 0; i < band.size(); ++i)
            for (int c = 0; c < channels; ++c) {
                const int v = chance.below(256);
                original.push_back(static_cast<std::uint8_t>(v));
                decoded.push_back(static_cast<std::uint8_t>(
                    c < colours && chance.one_in(frequent) ? (v + chance.below(away)) & 255 : v));
            }
    }
    static constexpr int number() { return 1; }
    static constexpr unsigned contexts() { return kBoundaryContexts; }
    WrittenStream encode(int coder) const {
        // What was decoded has colours only.
        Bytes shown;
        for (std::size_t i = 0; i < decoded.size(); ++i)
            if (static_cast<int>(i) % channels < colours) shown.push_back(decoded[i]);
        return boundary_encode(view(original, channels), view(shown, colours), view(band, 1), tau, coder);
    }
    Bytes decode(Round& round, const Payload& payload) const {
        Bytes out = exact(decoded);
        boundary_decode(payload, {out.data(), std::ptrdiff_t{width} * channels, width, height, channels}, colours,
                        view(band, 1));
        for (std::size_t i = 0; i < out.size(); ++i)
            if ((!band[i / static_cast<std::size_t>(channels)] || static_cast<int>(i) % channels >= colours) &&
                out[i] != decoded[i])
                round.fail("a sample outside the band was touched");
        return out;
    }
    Bytes wanted() const {
        Bytes out = decoded;
        for (std::size_t i = 0; i < out.size(); ++i)
            if (band[i / static_cast<std::size_t>(channels)] && static_cast<int>(i) % channels < colours &&
                abs_int(original[i] - decoded[i]) > tau)
                out[i] = original[i];
        return out;
    }

  private:
    View<const std::uint8_t> view(const Bytes& values, int n) const {
        return {values.data(), std::ptrdiff_t{width} * n, width, height, n};
    }
    int width, height, colours, channels, tau;
    Bytes band, original, decoded;
};

template <class Coder> bool try_stream(Round& round, const Coder& coder, const Coded& bytes, Bytes& out) {
    const Bytes coded = exact(bytes.coded), raw = exact(bytes.raw);
    try {
        out = coder.decode(round, Payload{bytes.coder, {raw, coded}});
    } catch (const Corrupt&) {
        ++round.tally.refused;
        round.note(0);
        return false;
    }
    ++round.tally.decoded;
    round.note(out);
    return true;
}

template <class Coder> void attack(Round& round, Bytes& other) {
    ++round.tally.pictures;
    const unsigned seed = round.part();
    const Coder coder(seed);
    const int number = round.chance.below(3);
    const WrittenStream written = coder.encode(number);
    const Coded coded{number, pack_payload(number, written, Coder::contexts()), written.raw};
    round.note(coded.coded), round.note(coded.raw);
    for (int i = 0; i < round.attempts(); ++i) {
        Coded changed = coded;
        if (i) damage(round.chance.one_in(3) ? changed.raw : changed.coded, other, round.chance);
        if (i && round.chance.one_in(8)) changed.coder = round.chance.below(5);
        Bytes out;
        const bool sound = try_stream(round, coder, changed, out);
        if (!i && !sound) round.fail("sound symbols were refused");
        if (!i && out != coder.wanted()) round.fail("symbols came back otherwise");
        round.keep(InputWriter()
                       .number(seed)
                       .byte(Coder::number())
                       .byte(changed.coder)
                       .chunk(changed.raw)
                       .rest(changed.coded));
    }
    other = coded.coded;
}

template <class Coder> void try_input(Round& round, unsigned seed, Input& input) {
    Coded coded{input.byte() % 5, {}, {}};
    coded.raw = input.chunk();
    coded.coded = input.rest();
    Bytes out;
    try_stream(round, Coder(seed), coded, out);
}

}  // namespace

void decode_symbols(Round& round, Input input) {
    const unsigned seed = input.number();
    if (input.byte() % 2)
        try_input<Corrections>(round, seed, input);
    else
        try_input<Indices>(round, seed, input);
}

void fuzz_symbols(Round& round) {
    Bytes indices, corrections;
    for (int i = 0; i < 2; ++i) {
        attack<Indices>(round, indices);
        attack<Corrections>(round, corrections);
    }
}

}  // namespace fuzz
