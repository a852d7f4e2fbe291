#include "graphic.hpp"
#include "binary_coder.hpp"
#include <algorithm>
#include <bit>
#ifndef LRS
#define LRS 15
#endif
#ifndef SML
#define SML 127
#endif
#ifndef SMN
#define SMN 4
#endif
#ifndef DL
#define DL 127
#endif
#ifndef FL
#define FL 127
#endif
#ifndef W0
#define W0 25
#endif
#ifndef W1
#define W1 25
#endif
#ifndef MAXC
#define MAXC 6
#endif
#ifndef TBX
#define TBX 20
#endif
#ifndef KTB
#define KTB 20u
#endif
#ifndef NOINT
#define NOINT 0
#endif
#ifndef OFFE
#define OFFE 1
#endif
#ifndef EL
#define EL 127
#endif
#ifndef EB
#define EB 20u
#endif
#ifndef FP
#define FP 0
#endif
#ifndef BK
#define BK 2
#endif
#ifndef S1
#define S1 1
#endif
#ifndef S2
#define S2 15
#endif
#ifndef S4
#define S4 1
#endif
#ifndef S13
#define S13 0
#endif
#ifndef K3
#define K3 6
#endif
#ifndef OFFC
#define OFFC 14
#endif
#ifndef OFFK
#define OFFK 64
#endif
#ifndef OFFN
#define OFFN 6
#endif
namespace aig {
struct GStat { double cand=0,flat=0,flag=0,known=0,neu=0; long npx=0,nonflat=0,ndec=0,nesc=0,nnew=0,nkd=0; } g_stat; int g_cat=0;
namespace {

using u32 = std::uint32_t;

struct Logistic {
    static constexpr int kLimit = 3071;
    std::array<std::uint16_t, 2 * kLimit + 1> squash{};
    std::array<std::int16_t, 4096> stretch{};
    constexpr Logistic() {
        std::uint64_t e = std::uint64_t{1} << 40;
        for (int x = 0; x <= kLimit; ++x, e -= e >> 8) {
            const auto p = static_cast<int>((std::uint64_t{1} << 56) / ((std::uint64_t{1} << 40) + e));
            squash[static_cast<std::size_t>(kLimit + x)] = static_cast<std::uint16_t>(p > 65535 ? 65535 : p);
            squash[static_cast<std::size_t>(kLimit - x)] = static_cast<std::uint16_t>(65536 - p < 1 ? 1 : 65536 - p);
        }
        int x = -kLimit;
        for (int q = 0; q < 4096; ++q) {
            while (squash[static_cast<std::size_t>(kLimit + x)] < 16 * q + 8) ++x;
            stretch[static_cast<std::size_t>(q)] = static_cast<std::int16_t>(x);
        }
    }
};
constexpr Logistic kLogistic;

constexpr auto kRate = [] { std::array<u32, 1024> t{}; for (u32 n = 0; n < 1024; ++n) t[n] = 131072 / (2 * n + 3); return t; }();

struct Adaptive {
    u32 v = 0x80000000u;
    static Adaptive of(unsigned p16, unsigned n) { return {p16 << 16 | n}; }
    unsigned p() const { return std::max(1u, v >> 16); }
    template <unsigned Limit> void learn(bool b) {
        const u32 n = v & 1023; const std::int64_t q = v >> 10;
        const std::int64_t d = (b ? (1 << 22) - 1 : 0) - q;
        v = static_cast<u32>(q + (d * kRate[n] >> 16)) << 10 | (n < Limit ? n + 1 : Limit);
    }
};

u32 mix(u32 a, u32 b) {
    u32 h = (a ^ b * 0x9E3779B1u) * 0x85EBCA6Bu;
    h ^= h >> 15; h *= 0xC2B2AE35u;
    return h ^ h >> 13;
}

template <int N> class Mixer {
  public:
    Mixer(unsigned sets, int w) : w_(sets) { for (auto& s : w_) { s.fill(w * 65536 / 100); s[N] = 0; } }
    unsigned mix_(const std::array<Adaptive*, N>& in, unsigned set) {
        auto& w = w_[set]; set_ = set;
        std::int64_t dot = std::int64_t{w[N]} * 256;
        for (int i = 0; i < N; ++i) { st_[i] = in[i] ? kLogistic.stretch[in[i]->p() >> 4] : 0; dot += std::int64_t{w[i]} * st_[i]; }
        st_[N] = 256*!S13; if(S13)dot-=std::int64_t{w[N]} * 256;
        return p_ = kLogistic.squash[clamp_int(static_cast<int>(dot >> 16), -Logistic::kLimit, Logistic::kLimit) + Logistic::kLimit];
    }
    void learn(bool b) {
        auto& w = w_[set_]; const int err = (b << 16) - static_cast<int>(p_);
        for (int i = 0; i <= N; ++i) w[i] = clamp_int(w[i] + ((st_[i] * err + (1 << (LRS - 1))) >> LRS), -(1 << 23), 1 << 23);
    }
  private:
    std::vector<std::array<int, N + 1>> w_;
    std::array<int, N + 1> st_{};
    unsigned set_ = 0, p_ = 0;
};

struct Slot { std::uint8_t check = 0, state = 0; };

std::uint8_t next_state(unsigned s, bool b) {
    unsigned h = s >> 4, m = s & 15;
    if (b) { if (h < 15) ++h; if (m > 2) m = (m + 1) >> 1; }
    else { if (m < 15) ++m; if (h > 2) h = (h + 1) >> 1; }
    return static_cast<std::uint8_t>(h << 4 | m);
}

class Maps {
  public:
    Maps(unsigned n) : p_(n * 256) {
        for (unsigned i = 0; i < n * 256; ++i) { const unsigned h = i >> 4 & 15, m = i & 15; p_[i] = Adaptive::of((2 * h + 1) * 65536 / (2 * (h + m) + 2), SMN); }
    }
    Adaptive* at(unsigned i, unsigned s) { return &p_[i * 256 + s]; }
  private:
    std::vector<Adaptive> p_;
};

class Slots {
  public:
    Slots(unsigned bits) : t_(std::size_t{1} << bits), shift_(32 - bits) {}
    Slot* at(u32 h) { Slot* s = &t_[h >> shift_]; const auto c = static_cast<std::uint8_t>(h); if (s->check != c) *s = {c, 0}; return s; }
  private:
    std::vector<Slot> t_;
    unsigned shift_;
};

struct Entry { u32 hash = 0, colour = 0; u32 state = 0; };

// known colours
class Trie {
  public:
    bool has(u32 k) const { return !v_.empty() && v_[leaf(k)].key == k; }
    void add(u32 k) {
        if (v_.empty()) { v_.push_back({-1, {0, 0}, k}); return; }
        const u32 d = v_[leaf(k)].key ^ k; if (!d) return;
        const int b = 31 - std::countl_zero(d);
        u32* p = &root_; while (v_[*p].bit > b) p = &v_[*p].child[k >> v_[*p].bit & 1];
        const u32 old = *p, l = static_cast<u32>(v_.size()); *p = l + 1;
        const bool one = k >> b & 1;
        v_.push_back({-1, {0, 0}, k}); v_.push_back({b, {one ? old : l, one ? l : old}, k});
    }
    template <class F> u32 walk2(F f) const {
        u32 i = root_;
        while (v_[i].bit >= 0) i = v_[i].child[f(v_[i].bit, v_[i].key)];
        return v_[i].key;
    }
    bool empty() const { return v_.empty(); }
  private:
    struct Node { int bit; u32 child[2]; u32 key; };
    u32 leaf(u32 k) const { u32 i = root_; while (v_[i].bit >= 0) i = v_[i].child[k >> v_[i].bit & 1]; return i; }
    std::vector<Node> v_; u32 root_ = 0;
};

u32 bytewise(u32 w, u32 n, u32 nw) {  // w + n - nw per byte
    constexpr u32 H = 0x80808080u;
    const u32 s = ((w & ~H) + (n & ~H)) ^ ((w ^ n) & H);
    return ((s | H) - (nw & ~H)) ^ ((s ^ ~nw) & H);
}

constexpr int kMargin = 8, kRows = 6;
struct Range { int row, first, last; };

template <class Coder> class Model {
  public:
    Model(Coder& coder, int channels, unsigned bits)
        : coder_(coder), C(channels), cs_(bits), ks_(std::min(bits, KTB)), entries_(std::size_t{1} << std::min(bits,EB)), eshift_(32 - std::min(bits,EB)),
          am_(1 << 16), ag_(1 << 16) {}

    bool flat(bool same) { g_cat = 0; same = coder_.bit(flat_.p(), same); flat_.learn<FL>(same); return same; }

    u32 pixel(const u32* const* r, bool refused, u32 v) {
        ++g_stat.nonflat;
        W = r[0][-1]; N = r[1][0]; NW = r[1][-1]; NE = r[1][1]; WW = r[0][-2]; NN = r[2][0]; GR = bytewise(W, N, NW);
        contexts(r);
        u32 cand[16]; int n = 0;
        const auto add = [&](u32 c) { for (int i = 0; i < n; ++i) if (cand[i] == c) return; cand[n++] = c; };
        if (refused) add(W);
        for (int i = 3; i >= 0; --i) { e_[i] = &entries_[ctx_[i] >> eshift_]; present_[i] = e_[i]->hash == ctx_[i]; if (present_[i]) add(e_[i]->colour); }
        add(W); add(N); add(GR); add(NE); add(NW); if(!S4){add(WW); add(NN);}
        n = std::min(n, MAXC);
        const unsigned pat = (W == N) | (N == NW) << 1 | (N == NE) << 2 | (W == NW) << 3;
        const unsigned pat2 = pat | (W == WW) << 4 | (N == NN) << 5 | (NE == r[1][2]) << 6;
        bool hit = false; int k = refused;
        for (; k < n && !hit; ++k) { hit = candidate(cand[k], static_cast<unsigned>(k), pat, pat2, v == cand[k]); if (hit) v = cand[k]; }
        if (hit) hist_ = (hist_ << 2 | static_cast<unsigned>(std::min(k - 1, 2))) & 255;
        else { v = escape(v); hist_ = (hist_ << 2 | 3) & 255; }
        for (int i = 0; i < 4; ++i) { const unsigned st = present_[i] ? next_state(e_[i]->state, e_[i]->colour == v) : 0; *e_[i] = {ctx_[i], v, st}; }
        return v;
    }

  private:
    static u32 poly(const u32* p, int a, int b) { u32 s = 0; for (int i = a; i <= b; ++i) s = s * 0x2F0B4C47u + p[i]; return s; }
    void contexts(const u32* const* r) {
        ctx_[0] = mix(mix(1, W), N);
        ctx_[1] = mix(mix(mix(2, poly(r[0], -2, -1)), poly(r[1], -1, 1)), NN);
        ctx_[2] = mix(mix(mix(3, poly(r[0], -3, -1)), poly(r[1], -2, 3)), poly(r[2], -1, 2));
        ctx_[3] = mix(mix(mix(mix(mix(mix(4, poly(r[0], -6, -1)), poly(r[1], -5, 6)), poly(r[2], -4, 5)), poly(r[3], -4, 4)), poly(r[4], -3, 3)), poly(r[5], -2, 2));
    }
    bool candidate(u32 c, unsigned rank, unsigned pat, unsigned pat2, bool b) {
        ++g_stat.ndec; g_cat = 1;
        unsigned ag = 0;
        for (int i = 0; i < 4; ++i) ag = ag << 2 | (present_[i] ? e_[i]->colour == c ? 1 : 2 : 0);
        const unsigned am = (c == W) | (c == N) << 1 | (c == NW) << 2 | (c == NE) << 3 | (c == WW) << 4 | (c == NN) << 5 | (c == GR) << 6;
        std::array<Adaptive*, 10> in; std::array<Slot*, 4> s{}; for (unsigned i = 0; i < 4; ++i) in[6+i] = (OFFE >> i & 1) || (S1 && !present_[i]) ? 0 : em_.at(present_[i] ? e_[i]->colour == c ? i : i + 4 : 8 + i, present_[i] ? e_[i]->state : 0);
        for (unsigned i = 0; i < 4; ++i) { if (OFFC >> i & 1) { in[i] = 0; continue; } s[i] = cs_.at(mix(ctx_[i], c)); in[i] = cm_.at(i, s[i]->state); }
        in[4] = &am_[mix(am | pat2 << 7 | rank << 14, hist_ & 15) >> 16];
        in[5] = &ag_[ag << 7 | am];
        if (OFFC & 16) in[4] = 0;
        if (OFFC & 32) in[5] = 0;
        b = coder_.bit(cmix_.mix_(in, std::min(rank, 7u) << 4 | pat), b);
        cmix_.learn(b);
        for (unsigned i = 0; i < 4; ++i) if (in[i]) { in[i]->template learn<SML>(b); s[i]->state = next_state(s[i]->state, b); }
        for (int i = 4; i < 6; ++i) if (in[i]) in[i]->template learn<DL>(b); for (int i = 6; i < 10; ++i) if (in[i]) in[i]->template learn<EL>(b);
        return b;
    }
    template <int K> bool bit(Mixer<K>& mx, Maps& maps, const std::array<u32, K>& ctx, u32 node, unsigned set, bool b, unsigned off) {
        std::array<Adaptive*, K> in; std::array<Slot*, K> s{};
        for (unsigned i = 0; i < K; ++i) { if (off >> i & 1) { in[i] = 0; continue; } s[i] = ks_.at(mix(ctx[i], node)); in[i] = maps.at(i, s[i]->state); }
        b = coder_.bit(mx.mix_(in, set), b);
        mx.learn(b);
        for (unsigned i = 0; i < K; ++i) if (in[i]) { in[i]->template learn<SML>(b); s[i]->state = next_state(s[i]->state, b); }
        return b;
    }
    u32 escape(u32 v) {
        ++g_stat.nesc; g_cat = 2;
        Adaptive* f = &known_[(hist_ & S2) | (FP?((W==N)|(N==NE)<<1|(N==NW)<<2|(W==WW)<<3)<<4:0)]; 
        bool known = trie_.has(v);
        known = coder_.bit(f->p(), known); f->learn<DL>(known);
        if (known) { if (trie_.empty()) throw Corrupt("a known colour before the first"); return known_colour(v); }
        v = new_colour(v); trie_.add(v); return v;
    }
    u32 known_colour(u32 v) {
        g_cat = 3;
        const int top = 8 * (C < 3 ? C - 1 : C - 1);
        const auto Q = [&](u32 p, int q) { return (p >> top & 255) >> q; };
        u32 md = median();
        const std::array<u32, 8> ctx{11, mix(12, W), mix(13, N), K3==0?mix(mix(14, W), N):K3==1?mix(mix(14, N), NE):K3==2?mix(mix(14,W),NW):K3==3?mix(mix(14,W),NE):K3==4?mix(14,ctx_[1]):K3==5?mix(mix(14,Q(NE,3)|Q(N,3)<<5),W):mix(mix(14,WW),W), mix(15, Q(W, 5) | Q(N, 5) << 3 | Q(NW, 5) << 6 | Q(NE, 5) << 9), mix(16, GR), mix(17, md), mix(18, Q(W, 4) | Q(N, 4) << 4 | Q(NE, 4) << 8)};
        u32 prefix = 0; 
        // prefix bits: those implied come from any key below; encoder and decoder keep them through the leaf
        return trie_.walk2([&](int b, u32 low) { ++g_stat.nkd; prefix = (low >> b | 1) << b; return bit<8>(kmix_, km_, ctx, prefix, static_cast<unsigned>(b), v >> b & 1, OFFK); });
    }
    u32 median() const {
        u32 m = 0;
        for (int s = 0; s < 8 * C; s += 8) m |= static_cast<u32>(med(W >> s & 255, N >> s & 255, NW >> s & 255)) << s;
        return m;
    }
    // Predict byte s of a colour whose top byte g is known: on the line between neighbours of nearest g
    int blend(int g, int s) const {
        if (NOINT) return med(W >> s & 255, N >> s & 255, NW >> s & 255);
        const int top = 8 * (C - 1); int lo = -1, hi = 256, a = 0, b = 0;
        for (u32 q : {W, N, NW, NE, WW, NN}) {
            const int t = q >> top & 255, d = q >> s & 255;
            if (t <= g && t > lo) lo = t, a = d;
            if (t >= g && t < hi) hi = t, b = d;
        }
        if (lo < 0) return b;
        if (hi > 255 || lo == hi) return a;
        return (a * (hi - g) + b * (g - lo) + (hi - lo) / 2) / (hi - lo);
    }
    u32 new_colour(u32 v) {
        ++g_stat.nnew; g_cat = 4;
        u32 got = 0; u32 prev = 0;
        for (int c = 0; c < C; ++c) {
            const int s = 8 * (C - 1 - c);
            const int w = W >> s & 255, n = N >> s & 255, nw = NW >> s & 255;
            const int p = C >= 3 && (c == 1 || c == 2) ? blend(static_cast<int>(got), s) & 255 : med(w, n, nw);
            const int d = abs_int(w - n); const u32 q = d < 2 ? 0 : d < 8 ? 1 : d < 32 ? 2 : 3;
            const u32 res = zigzag(static_cast<std::int8_t>((v >> s) - static_cast<u32>(p))) & 255;
            const u32 cc = static_cast<u32>(c);
            const std::array<u32, 5> ctx{mix(21, cc << 2 | q), mix(mix(22, cc), prev), mix(mix(23, cc), W), mix(mix(24, cc), mix(prev, w | n << 8)), mix(mix(25,cc<<2|q), prev & 255)};
            u32 node = 1;
            for (int b = 7; b >= 0; --b) node = node << 1 | bit<5>(nmix_, nm_, ctx, node, static_cast<unsigned>(c * 8 + b), res >> b & 1, OFFN);
            const u32 val = static_cast<u32>(p + unzigzag(node & 255)) & 255;
            if (c == 0) got = val;
            out_ = out_ << 8 | val; prev = prev << 8 | (node & 255);
        }
        const u32 o = out_; out_ = 0; return o;
    }

    Coder& coder_; int C;
    u32 W = 0, N = 0, NW = 0, NE = 0, WW = 0, NN = 0, GR = 0, out_ = 0;
    u32 ctx_[4]; Entry* e_[4]; bool present_[4];
    unsigned hist_ = 0;
    Adaptive flat_ = Adaptive::of(65535, 0);
    std::array<Adaptive, 256> known_;
    Slots cs_, ks_; std::vector<Entry> entries_; unsigned eshift_;
    std::vector<Adaptive> am_, ag_;
    Maps cm_{4}, km_{8}, nm_{5};
    Maps em_{12}; Mixer<10> cmix_{128, W0}; Mixer<8> kmix_{32, W1}; Mixer<5> nmix_{32, W1};
    Trie trie_;
};

class Window {
  public:
    Window(int width) : stride_(width + 2 * kMargin), v_(static_cast<std::size_t>(kRows) * static_cast<std::size_t>(stride_)) {}
    u32* row(int k) { return v_.data() + ((now_ + kRows - k) % kRows) * stride_ + kMargin; }
    void next() { now_ = (now_ + 1) % kRows; }
  private:
    std::ptrdiff_t stride_; std::vector<u32> v_; int now_ = 0;
};

bool is_flat(const u32* const* r, int x) {
    const u32 c = r[0][x - 1];
    if (r[1][x] != c || r[1][x + 1] != c || r[0][x - 2] != c || r[0][x - 3] != c) return false;
    for (int i = -2; i <= 4; ++i) if (r[1][x + i] != c) return false;
    for (int i = -1; i <= 3; ++i) if (r[2][x + i] != c) return false;
    return r[3][x] == c && r[3][x + 1] == c;
}

u32 pack(const std::uint8_t* p, int C) {
    if (C < 3) return C == 1 ? p[0] : u32{p[0]} << 8 | p[1];
    const u32 g = p[1], k = g << 16 | (p[0] - g + 128 & 255) << 8 | (p[2] - g + 128 & 255);
    return C == 3 ? k : k << 8 | p[3];
}
void unpack(u32 k, std::uint8_t* p, int C) {
    if (C == 1) { p[0] = static_cast<std::uint8_t>(k); return; }
    if (C == 2) { p[0] = static_cast<std::uint8_t>(k >> 8); p[1] = static_cast<std::uint8_t>(k); return; }
    if (C == 4) { p[3] = static_cast<std::uint8_t>(k); k >>= 8; }
    const u32 g = k >> 16 & 255;
    p[1] = static_cast<std::uint8_t>(g); p[0] = static_cast<std::uint8_t>((k >> 8) + g + 128); p[2] = static_cast<std::uint8_t>(k + g + 128);
}

template <class Coder, class Pixel> void scan(Coder& coder, View<Pixel> px, const Region& region) {
    const Box box = bounding_box(region);
    if (box.right <= box.left) return;
    const int width = box.right - box.left, C = px.channels;
    const auto area = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(box.bottom - box.top);
    Model<Coder> model(coder, C, std::clamp<unsigned>(std::bit_width(area) + BK, 12, TBX));
    Window win(width);
    for (int y = box.top; y < box.bottom; ++y) {
        if (coder.overrun()) throw Corrupt("graphic data are cut off");
        u32* r[kRows]; for (int k = 0; k < kRows; ++k) r[k] = win.row(k);
        int end = -1;
        for (int x = 0; x < width;) {
            if (!region.contains(box.left + x, y)) { ++x; continue; }
            int stop = x + 1; while (stop < width && region.contains(box.left + stop, y)) ++stop;
            if (end < 0) std::fill(r[0] - kMargin, r[0] + x, r[1][x]); else std::fill(r[0] + end, r[0] + x, r[0][end - 1]);
            const int x0 = x;
            Pixel* line = px.row(y) + (box.left) * C;
            while (x < stop) {
                bool refused = false;
                const u32* q[kRows];
                if (is_flat(r, x)) {
                    const u32 c = r[0][x - 1]; bool same;
                    do {
                        u32 v = 0; if constexpr (Coder::encoding) v = pack(line + x * C, C);
                        same = model.flat(v == c);
                        if (same) r[0][x++] = c;
                    } while (same && x < stop && r[1][x + 4] == c && r[2][x + 3] == c && r[3][x + 1] == c);
                    if (same) continue;
                    refused = true;
                }
                u32 v = 0; if constexpr (Coder::encoding) v = pack(line + x * C, C);
                for (int k = 0; k < kRows; ++k) q[k] = r[k] + x;
                r[0][x] = model.pixel(q, refused, v); ++x;
            }
            if constexpr (!Coder::encoding) for (int i = x0; i < stop; ++i) unpack(r[0][i], line + i * C, C);
            if (end < 0) std::fill(r[0] - kMargin, r[0] + x0, r[0][x0]);
            end = stop;
        }
        if (end < 0) continue;
        std::fill(r[0] + end, r[0] + width + kMargin, r[0][end - 1]);
        win.next();
    }
}

struct EncoderBits { static constexpr bool encoding = true; BinaryEncoder out;
    bool bit(unsigned p, bool b) {
#ifdef STAT
        double c = -__builtin_log2((b ? p : 65536 - p) / 65536.); (g_cat == 0 ? g_stat.flat : g_cat == 1 ? g_stat.cand : g_cat == 2 ? g_stat.flag : g_cat == 3 ? g_stat.known : g_stat.neu) += c;
#endif
        out.bit(p, b); return b; } bool overrun() const { return false; } };
struct DecoderBits { static constexpr bool encoding = false; BinaryDecoder in; bool bit(unsigned p, bool) { return in.bit(p); } bool overrun() const { return in.overrun(); } };

}  // namespace

Bytes graphic_encode(View<const std::uint8_t> pixels, const Region& region) {
    EncoderBits c; scan(c, pixels, region); return c.out.finish();
}
void graphic_decode(std::span<const std::uint8_t> coded, View<std::uint8_t> pixels, const Region& region) {
    DecoderBits c{BinaryDecoder(coded)}; scan(c, pixels, region); if (!c.in.finished()) throw Corrupt("graphic data of another length");
}
}  // namespace aig
