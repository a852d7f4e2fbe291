// Fuzzes the decoders of the lossless core: pictures of all kinds are coded, the bytes damaged in many ways, and decoded by
// every set of kernels. All must agree, on refusing or on every pixel, and touch no pixel outside the region.
// `python tests/fuzz MINUTES` builds this with sanitizers and runs it.
#include "graphic.hpp"
#include "photo.hpp"
#include "simd.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace {

using namespace aig;

class Chance {
  public:
    explicit Chance(unsigned seed) : generator_(seed) {}

    int below(int n) { return static_cast<int>(generator_() % static_cast<unsigned>(n)); }
    bool one_in(int n) { return below(n) == 0; }
    // Small ones often, large ones sometimes.
    int size(int most) { return 1 + below(1 + below(most)); }

  private:
    std::mt19937 generator_;
};

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

// Heads are dense with meaning and short, so damage goes there more often.
void damage(Bytes& bytes, const Bytes& other, Chance& chance) {
    for (int rounds = chance.size(6); rounds > 0; --rounds) {
        const auto n = static_cast<int>(bytes.size());
        if (!n) {
            bytes.push_back(static_cast<std::uint8_t>(chance.below(256)));
            continue;
        }
        const auto at = bytes.begin() + (chance.one_in(2) ? chance.below(std::min(n, 96)) : chance.below(n));
        switch (chance.below(8)) {
        case 0: *at ^= static_cast<std::uint8_t>(1 << chance.below(8)); break;
        case 1: *at = static_cast<std::uint8_t>(chance.below(256)); break;
        case 2: *at = static_cast<std::uint8_t>(chance.below(2) * 255); break;
        case 3: bytes.insert(at, static_cast<std::uint8_t>(chance.below(256))); break;
        case 4: bytes.erase(at); break;
        case 5: bytes.erase(at, bytes.end()); break;
        case 6: std::fill(at, at + chance.below(std::min<int>(16, static_cast<int>(bytes.end() - at))), static_cast<std::uint8_t>(chance.below(2) * 255)); break;
        default:
            if (!other.empty()) bytes.insert(at, other.begin() + chance.below(static_cast<int>(other.size())), other.end());
        }
    }
}

[[noreturn]] void fail(const char* what, unsigned seed) {
    std::printf("FAILED: %s; seed %u\n", what, seed);
    std::exit(1);
}

struct Tally {
    long decoded = 0, refused = 0;
};

// What all kernels make of the bytes. `decode(bytes, target)` throws Corrupt to refuse.
template <class Pixel, class Decode>
bool try_all(const Bytes& bytes, const Picture<Pixel>& p, Decode decode, unsigned seed, Tally& tally, std::vector<Pixel>& result) {
    constexpr Pixel untouched = 77;
    bool first = true, accepted = false;
    for (const char* name : {"plain", "avx2", "avx512"}) {
        if (!choose_kernels(name)) continue;
        // In an allocation of its own, so that reading behind it is noticed.
        std::vector<std::uint8_t> exact(bytes);
        exact.shrink_to_fit();
        Picture<Pixel> target = p;
        std::fill(target.samples.begin(), target.samples.end(), untouched);
        bool sound = true;
        try {
            decode(std::span<const std::uint8_t>(exact), target);
        } catch (const Corrupt&) {
            sound = false;
        }
        for (std::size_t i = 0; i < p.classes.size(); ++i)
            if (p.classes[i] < 1 || p.classes[i] > 3)
                for (int c = 0; c < p.channels; ++c)
                    if (target.samples[i * static_cast<std::size_t>(p.channels) + static_cast<std::size_t>(c)] != untouched) fail("a pixel outside the region was touched", seed);
        if (first) {
            accepted = sound;
            result = target.samples;
        } else if (sound != accepted || (sound && target.samples != result)) {
            fail("the kernels differ", seed);
        }
        first = false;
    }
    ++(accepted ? tally.decoded : tally.refused);
    return accepted;
}

template <class Pixel, class Encode, class Decode>
void attack(const Picture<Pixel>& p, Encode encode, Decode decode, Bytes& other, Chance& chance, unsigned seed, Tally& tally) {
    const Bytes coded = encode();
    std::vector<Pixel> whole, result;
    if (!try_all(coded, p, decode, seed, tally, whole)) fail("sound bytes were refused", seed);
    for (int i = 0; i < 24; ++i) {
        Bytes bytes = coded;
        damage(bytes, other, chance);
        try_all(bytes, p, decode, seed, tally, result);
    }
    other = coded;
}

template <class Pixel> void fuzz_photo(Chance& chance, unsigned seed, Bytes& other, Tally& tally) {
    const Picture<Pixel> p = picture<Pixel>(chance);
    const Component part = p.channels >= 3 && !chance.one_in(4) ? Component{0, 3} : Component{chance.below(p.channels), 1};
    const int predictors = 1 + chance.below(32);
    const PhotoSettings how{{1 + chance.below(32), predictors, chance.below(3), 1 + chance.below(3), 1 << chance.below(4), 1 + chance.below(4), 1}, chance.one_in(2)};
    attack(p, [&] { return photo_encode(p.view(), part, p.region(), 0, p.height, how); },
           [&](std::span<const std::uint8_t> bytes, Picture<Pixel>& target) { photo_decode(bytes, target.view(), part, p.region(), 0, p.height); },
           other, chance, seed, tally);
}

void fuzz_graphic(Chance& chance, unsigned seed, Bytes& other, Tally& tally) {
    const auto p = picture<std::uint8_t>(chance);
    attack(p, [&] { return graphic_encode(p.view(), p.region()); },
           [&](std::span<const std::uint8_t> bytes, Picture<std::uint8_t>& target) { graphic_decode(bytes, target.view(), p.region()); },
           other, chance, seed, tally);
}

}  // namespace

// Arguments: seconds, first seed, step between seeds; or one seed to run again.
int main(int argc, char** argv) {
    const bool once = argc == 2;
    const double seconds = once ? 0 : std::atof(argv[1]);
    auto seed = static_cast<unsigned>(std::atoi(argv[once ? 1 : 2]));
    const auto step = static_cast<unsigned>(once ? 1 : std::atoi(argv[3]));
    const auto begin = std::chrono::steady_clock::now();
    Bytes photo, deep, graphic;
    Tally tally;
    long pictures = 0;
    do {
        Chance chance(seed);
        if (once) std::printf("seed %u\n", seed);
        fuzz_photo<std::uint8_t>(chance, seed, photo, tally);
        fuzz_photo<std::uint16_t>(chance, seed, deep, tally);
        fuzz_graphic(chance, seed, graphic, tally);
        pictures += 3;
        seed += step;
        if (pictures % 300 == 0) std::printf("%ld %ld %ld\n", pictures, tally.decoded, tally.refused), std::fflush(stdout);
    } while (!once && std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < seconds);
    std::printf("%ld %ld %ld\n", pictures, tally.decoded, tally.refused);
}
