// Round trips, hostile streams; build with -fsanitize=address,undefined.
#include "graphic.hpp"
#include "binary_coder.hpp"
#include <cstdio>
#include <cstdlib>
#include <random>
#include <cstring>
using namespace aig;
std::mt19937 rng(1);
int rnd(int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); }
struct Picture { int w, h, c; std::vector<uint8_t> px, map; };
void fill(Picture& p, int kind) {
    uint8_t pal[8][4]; for (auto& q : pal) for (auto& v : q) v = static_cast<uint8_t>(rnd(256));
    for (int y = 0; y < p.h; ++y) for (int x = 0; x < p.w; ++x) for (int c = 0; c < p.c; ++c) {
        int v = 0; const int cell = (x / 7 * 5 + y / 5 * 3) % 8;
        switch (kind) {
        case 0: v = 77 * c; break; case 1: v = rnd(256); break; case 2: v = x * (c + 1) + y; break;
        case 3: v = pal[cell][c]; break; case 4: v = pal[rnd(8)][c & 3]; break; case 5: v = pal[(x % 11 * (y % 9)) % 8][c]; break;
        case 6: v = rnd(20) ? 255 * (((x / 9) ^ (y / 6)) & 1) : rnd(256); break; default: v = rnd(2) * 255; }
        p.px[static_cast<size_t>((y * p.w + x) * p.c + c)] = static_cast<uint8_t>(v);
    }
}
void mask(Picture& p, int kind) {
    const int cx = rnd(p.w), cy = rnd(p.h), r = 1 + rnd(p.w + 1);
    for (int y = 0; y < p.h; ++y) for (int x = 0; x < p.w; ++x) {
        bool in = true;
        switch (kind) { case 0: break; case 1: in = (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r; break; case 2: in = rnd(2); break; case 3: in = !rnd(30); break; case 4: in = (x - cx) * (x - cx) + (y - cy) * (y - cy) >= r * r; break; case 5: in = y % 3 && x % 5; break; default: in = false; }
        p.map[static_cast<size_t>(y * p.w + x)] = in ? static_cast<uint8_t>(1 + rnd(3)) : static_cast<uint8_t>(rnd(2) ? 0 : 5);
    }
}
int main(int argc, char** argv) {
    const int rounds = argc > 1 ? atoi(argv[1]) : 400;
    long hostile = 0, thrown = 0, silent = 0, trips = 0;
    // the coder alone, with extreme probabilities and carries
    for (int round = 0; round < 200; ++round) {
        BinaryEncoder e; std::vector<std::pair<unsigned, bool>> bits; const int n = rnd(3000), mode = rnd(4);
        for (int i = 0; i < n; ++i) { unsigned p = mode == 0 ? 1 : mode == 1 ? 65535 : mode == 2 ? 1 + rng() % 65535 : (rnd(2) ? 65535 : 1); bool b = mode == 2 ? rng() % 65536 < p : rnd(50) ? p > 32768 : p < 32768; bits.push_back({p, b}); e.bit(p, b); }
        Bytes b = e.finish(); BinaryDecoder d(b); for (auto& [p, v] : bits) if (d.bit(p) != v) { puts("coder wrong"); return 1; }
        if (!d.finished()) { puts("coder not finished"); return 1; }
    }
    for (int round = 0; round < rounds; ++round) {
        Picture p; p.c = 1 + rnd(4); p.w = round < 40 ? 1 + round % 4 : 1 + rnd(90); p.h = round < 40 ? 1 + round / 4 % 4 : 1 + rnd(60);
        p.px.resize(static_cast<size_t>(p.w * p.h * p.c)); p.map.resize(static_cast<size_t>(p.w * p.h)); fill(p, rnd(8)); mask(p, rnd(7));
        const Region region{{p.map.data(), p.w, p.w, p.h, 1}, 1, 3};
        const View<const uint8_t> view{p.px.data(), p.w * p.c, p.w, p.h, p.c};
        const Bytes coded = graphic_encode(view, region);
        std::vector<uint8_t> want(p.px.size(), 99), got(p.px.size(), 99);
        for (size_t i = 0; i < p.map.size(); ++i) if (p.map[i] >= 1 && p.map[i] <= 3) for (int c = 0; c < p.c; ++c) want[i * static_cast<size_t>(p.c) + static_cast<size_t>(c)] = p.px[i * static_cast<size_t>(p.c) + static_cast<size_t>(c)];
        graphic_decode(coded, {got.data(), p.w * p.c, p.w, p.h, p.c}, region); ++trips;
        if (want != got) { printf("round %d differs\n", round); return 1; }
        const auto attack = [&](Bytes b, bool must) {
            std::vector<uint8_t> exact(b); exact.shrink_to_fit(); std::fill(got.begin(), got.end(), uint8_t{99}); ++hostile;
            try { graphic_decode(exact, {got.data(), p.w * p.c, p.w, p.h, p.c}, region); if (got != want) ++silent; else if (must) { printf("round %d: accepted\n", round); std::exit(1); } }
            catch (const Corrupt&) { ++thrown; }
            for (size_t i = 0; i < p.map.size(); ++i) if (!(p.map[i] >= 1 && p.map[i] <= 3)) for (int c = 0; c < p.c; ++c) if (got[i * static_cast<size_t>(p.c) + static_cast<size_t>(c)] != 99) { puts("wrote outside"); std::exit(1); }
        };
        for (int k = 0; k < 6; ++k) { Bytes b = coded; b.resize(static_cast<size_t>(rnd(static_cast<int>(b.size())))); attack(b, true); }
        { Bytes b = coded; b.push_back(0); attack(b, true); b.back() = 7; attack(b, true); }
        { Bytes b = coded; b.pop_back(); attack(b, true); }
        for (int k = 0; k < 6; ++k) { Bytes b = coded; b[static_cast<size_t>(rnd(static_cast<int>(b.size())))] ^= static_cast<uint8_t>(1 << rnd(8)); attack(b, true); }
        for (int k = 0; k < 3; ++k) { Bytes b(static_cast<size_t>(rnd(200))); for (auto& v : b) v = static_cast<uint8_t>(rnd(256)); attack(b, false); }
        { attack(Bytes(static_cast<size_t>(rnd(300)), 255), false); attack(Bytes(static_cast<size_t>(rnd(300)), 0), false); attack({}, true); }
    }
    printf("%ld round trips, %ld hostile streams: %ld refused, %ld decoded to something else\n", trips, hostile, thrown, silent);
}
