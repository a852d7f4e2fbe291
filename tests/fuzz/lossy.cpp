// Fuzzes the decoder of the lossy tiers: pictures with cells of all classes are coded by every entropy coder,
// streams and tables damaged in many ways, and decoded by every set of kernels, groups in any order and rows of groups
// in any pieces. All must agree on which streams they refuse and on every pixel, and leave alpha alone.
#include "dct/encoder.hpp"
#include "dct/lf_image.hpp"
#include "fuzzing.hpp"

#include <memory>
#include <optional>

namespace fuzz {
namespace {

using namespace aig;

// A picture, and what its encoder and decoder both know of it.
struct Scene {
    FrameSettings settings;
    Bytes luma, chroma, pixels;
    bool adapts = false;

    int colours() const { return settings.colour ? 3 : 1; }
    static View<const std::uint8_t> cells(const Bytes& classes, int width) {
        return {classes.data(), width, width, static_cast<int>(classes.size()) / width, 1};
    }
    View<const std::uint8_t> luma_cells() const { return cells(luma, (settings.width + 7) / 8); }
    View<const std::uint8_t> chroma_cells() const {
        return cells(chroma, settings.subsampled ? (settings.width + 15) / 16 : (settings.width + 7) / 8);
    }
};

Bytes random_cells(Chance& chance, int width, int height) {
    Bytes out;
    const int kind = chance.below(5), cut = chance.below(width + 1), one = chance.below(3), other = chance.below(3);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const int classes[] = {0, one, x < cut ? one : other, chance.below(3), chance.one_in(12) ? one : other};
            out.push_back(static_cast<std::uint8_t>(classes[kind]));
        }
    return exact(out);
}

// The finest step that encoder.py asks for, of chroma under tune "visual". Finer ones make levels that no word is for.
constexpr int kFinest = 6;

Scene random_scene(unsigned seed) {
    Chance chance(seed);
    Scene s;
    FrameSettings& f = s.settings;
    f.width = chance.size(90), f.height = chance.size(70);
    if (chance.one_in(6)) f.width = chance.size(600), f.height = chance.size(40);
    if (chance.one_in(6)) f.height = chance.size(600), f.width = chance.size(40);
    if (chance.one_in(40)) (chance.one_in(2) ? f.width : f.height) = 1000 + chance.below(60);
    f.colour = !chance.one_in(4);
    f.subsampled = f.colour && chance.one_in(2);
    const int matrix = chance.below(2);
    const auto step = [&] {
        const int sizes[] = {kFinest, 16, kFinest + chance.size(200), kFinest + chance.size(2000), 32767};
        return sizes[chance.below(5)];
    };
    const int high = step(), low = step();
    for (PlaneSteps& p : f.steps) {
        const bool own = chance.one_in(4);
        p.high = {Quantiser{own ? step() : high, matrix},
                  Quantiser{own ? step() : std::max(kFinest, high / 2), matrix}};
        p.low = own ? step() : low;
    }
    s.adapts = chance.one_in(3);
    const int footprint = f.subsampled ? 16 : 8;
    s.luma = random_cells(chance, (f.width + 7) / 8, (f.height + 7) / 8);
    s.chroma = random_cells(chance, (f.width + footprint - 1) / footprint, (f.height + footprint - 1) / footprint);
    const int kind = chance.below(6), slope = chance.below(9);
    for (int y = 0; y < f.height; ++y)
        for (int x = 0; x < f.width; ++x)
            for (int c = 0; c < s.colours(); ++c) {
                const int values[] = {c * 90,
                                      chance.below(256),
                                      x * slope + y * c,
                                      chance.below(2) * 255,
                                      (x + y + c) % 2 * 255,
                                      (x * x / 9 + y * (c + 2)) % 256 + chance.below(9)};
                s.pixels.push_back(static_cast<std::uint8_t>(std::min(values[kind], 255)));
            }
    return s;
}

// Streams and the tables that those of a segment share.
struct Segment {
    Bytes tables;
    std::vector<StreamBytes> streams;
};

struct Coded {
    int coder = 0;
    Segment preview, tiers[kTiers];
    std::array<TierFilters, kTiers> filters{};
};

Segment pack(int coder, std::vector<WrittenStream> written, unsigned contexts) {
    std::vector<WrittenStream*> streams;
    for (WrittenStream& stream : written) streams.push_back(&stream);
    Segment out{pack_streams(coder, streams, contexts), {}};
    out.streams.assign(written.begin(), written.end());
    return out;
}

// Chosen by the encoder in part, if there is one.
void random_filters(Chance& chance, TierFilters& filters, LossyEncoder* encoder, int tier) {
    const int strengths[] = {0, 16, chance.below(256), 255};
    filters.deblocking = strengths[chance.below(4)];
    if (encoder) encoder->fit(tier, filters);
    filters.restores = !chance.one_in(3);
    if (encoder && chance.one_in(2)) return;
    const int most = chance.size(64);
    for (auto& plane : filters.taps)
        for (auto& cell : plane)
            for (std::int16_t& tap : cell) tap = static_cast<std::int16_t>(chance.below(2 * most) - most);
}

Coded encode(const Scene& scene, Chance& chance) {
    Coded out;
    const FrameSettings& f = scene.settings;
    const bool rebuild = chance.one_in(3);
    const BlockEffort blocks{chance.below(3), !chance.one_in(4), chance.one_in(2), rebuild};
    const LevelEffort levels{chance.one_in(4) ? 0.0f : 0.09f, chance.one_in(2)};
    LossyEncoder encoder(f, scene.luma_cells(), scene.chroma_cells(), blocks, levels);
    Frame& frame = encoder.frame();
    const std::ptrdiff_t stride = std::ptrdiff_t{f.width} * scene.colours();
    const auto pixels_of = [&](int row) {
        return View<const std::uint8_t>{scene.pixels.data() + row * kGroup * stride, stride, f.width,
                                        std::min(kGroup, f.height - row * kGroup), scene.colours()};
    };
    for (int row = 0; row < frame.group_rows(); ++row) encoder.sample(row, pixels_of(row));
    if (scene.adapts) encoder.adapt(0.2f);
    for (int g = 0; g < frame.groups(); ++g) encoder.search(g);
    out.coder = chance.one_in(2) ? number_of<AdaptiveCoder> : chance.below(3);
    std::vector<WrittenStream> tiers[kTiers], regions;
    const bool regions_first = chance.one_in(4);
    const auto write_regions = [&] {
        for (int r = 0; r < frame.regions(); ++r) regions.push_back(encoder.encode_region(r, out.coder));
    };
    if (regions_first) write_regions();
    for (int t = 0; t < kTiers; ++t)
        for (int g = 0; g < frame.groups(); ++g)
            tiers[t].push_back(frame.has_tier(g, t) ? encoder.encode_group(g, t, out.coder) : WrittenStream{});
    if (!regions_first) write_regions();
    out.preview = pack(out.coder, std::move(regions), SymbolContexts::kLow);
    for (std::size_t t = 0; t < kTiers; ++t) out.tiers[t] = pack(out.coder, std::move(tiers[t]), SymbolContexts::kHigh);
    if (rebuild)
        for (int row = 0; row < frame.group_rows(); ++row) encoder.sample_again(row, pixels_of(row));
    for (std::size_t t = 0; t < kTiers; ++t)
        random_filters(chance, out.filters[t], rebuild ? &encoder : nullptr, static_cast<int>(t));
    return out;
}

// What a decoder makes of it.
struct Shown {
    std::vector<bool> accepted;
    int channels = 0;
    Bytes pixels, preview;
    bool operator==(const Shown&) const = default;
};

std::unique_ptr<SharedTables> read_tables(const Coded& coded, const Segment& segment, unsigned contexts) {
    return std::make_unique<SharedTables>(coded.coder, exact(segment.tables), contexts);
}

constexpr std::uint8_t kUntouched = 77;

// Chance comes by value: all sets of kernels go the same way.
Shown decode(const Scene& scene, const Coded& coded, Chance chance) {
    Shown out;
    const auto accepts = [&](auto job) {
        bool sound = true;
        try {
            job();
        } catch (const Corrupt&) { sound = false; }
        out.accepted.push_back(sound);
        return sound;
    };
    const FrameSettings& f = scene.settings;
    LossyDecoder decoder(f, scene.luma_cells(), scene.chroma_cells());
    Frame& frame = decoder.frame();
    if (scene.adapts) frame.let_adaptation_vary();
    std::vector<bool> lost(static_cast<std::size_t>(frame.regions()), true);
    std::unique_ptr<SharedTables> tables;
    const auto read = [&](const Segment& segment, int number, auto job) {
        const StreamBytes& s = segment.streams[static_cast<std::size_t>(number)];
        const Bytes raw = exact(s.raw), bytes = exact(s.coded);
        return accepts([&] { job(CodedStream{raw, bytes}); });
    };
    if (accepts([&] { tables = read_tables(coded, coded.preview, SymbolContexts::kLow); }))
        for (int r = 0; r < frame.regions(); ++r)
            lost[static_cast<std::size_t>(r)] =
                !read(coded.preview, r, [&](const CodedStream& s) { decoder.read_region(r, *tables, s); });
    const int log = chance.one_in(3) ? 1 + chance.below(2) : 0;
    decoder.start(log);
    const int first_tier = chance.below(2);
    for (int i = 0; i < kTiers; ++i) {
        const int t = i ^ first_tier;
        const Segment& segment = coded.tiers[t];
        if (!accepts([&] { tables = read_tables(coded, segment, SymbolContexts::kHigh); })) continue;
        std::vector<int> order(static_cast<std::size_t>(frame.groups()));
        for (std::size_t g = 0; g < order.size(); ++g) order[g] = static_cast<int>(g);
        for (std::size_t g = order.size(); g > 1; --g)
            std::swap(order[g - 1], order[static_cast<std::size_t>(chance.below(static_cast<int>(g)))]);
        for (const int g : order)
            if (!lost[static_cast<std::size_t>(frame.region_of(g))] || chance.one_in(3))
                read(segment, g, [&](const CodedStream& s) { decoder.read_group(g, t, *tables, s); });
    }
    const int channels = scene.colours() + chance.below(2), rows = frame.group_rows();
    std::vector<int> cuts = {0};
    while (cuts.back() < rows) cuts.push_back(cuts.back() + 1 + chance.below(rows - cuts.back()));
    for (std::size_t i = cuts.size() - 1; i > 0; --i) decoder.interpolate(cuts[i - 1], cuts[i], {0, f.width});
    out.channels = channels;
    const auto canvas = [&](Bytes& bytes, int scale) {
        const int width = (f.width + scale - 1) / scale, height = (f.height + scale - 1) / scale;
        bytes.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                         static_cast<std::size_t>(channels),
                     kUntouched);
        bytes.shrink_to_fit();
        return View<std::uint8_t>{bytes.data(), std::ptrdiff_t{width} * channels, width, height, channels};
    };
    const auto pixels = canvas(out.pixels, 1 << log);
    const int left = 16 * chance.below((f.width + 15) / 16);
    const Columns columns{left, std::min(f.width, left + 16 * (1 + chance.below((f.width - left + 15) / 16)))};
    for (std::size_t i = cuts.size() - 1; i > 0; --i) {
        const int top = cuts[i - 1] * kGroup, bottom = cuts[i] * kGroup;
        if (log)
            show_planes(decoder.planes(), f.colour, false, top >> log, std::min(bottom >> log, pixels.height), pixels);
        else
            Finisher(frame, decoder.planes(), coded.filters)
                .rows(top / 16, std::min(bottom / 16, (f.height + 15) / 16), columns, pixels);
    }
    const auto preview = canvas(out.preview, 8);
    show_planes(eighth_planes(frame), f.colour, f.subsampled, 0, preview.height, preview);
    return out;
}

bool try_all(Round& round, const Scene& scene, const Coded& coded, unsigned way) {
    std::optional<Shown> first;
    with_all_kernels([&] {
        Shown shown = decode(scene, coded, Chance(way));
        const auto channels = static_cast<std::size_t>(shown.channels);
        for (const Bytes* pixels : {&shown.pixels, &shown.preview})
            for (std::size_t i = static_cast<std::size_t>(scene.colours());
                 i < pixels->size() && channels > static_cast<std::size_t>(scene.colours()); i += channels)
                if ((*pixels)[i] != kUntouched) round.fail("alpha was touched");
        if (!first)
            first = std::move(shown);
        else if (!(shown == *first))
            round.fail("the kernels differ");
    });
    for (const bool accepted : first->accepted) round.note(accepted);
    round.note(first->pixels), round.note(first->preview);
    const bool sound = std::find(first->accepted.begin(), first->accepted.end(), false) == first->accepted.end();
    ++(sound ? round.tally.decoded : round.tally.refused);
    return sound;
}

InputWriter input_of(unsigned seed, unsigned way, const Coded& coded) {
    InputWriter out;
    out.number(seed).number(way).byte(coded.coder);
    for (const Segment* segment : {&coded.preview, &coded.tiers[0], &coded.tiers[1]}) {
        out.chunk(segment->tables);
        for (const StreamBytes& s : segment->streams) out.chunk(s.raw).chunk(s.coded);
    }
    return out;
}

void damage(Coded& coded, const Bytes& other, Chance& chance) {
    Segment* const segments[] = {&coded.preview, &coded.tiers[0], &coded.tiers[1]};
    for (int n = chance.size(3); n > 0; --n) {
        Segment& segment = *segments[chance.below(3)];
        if (chance.one_in(4) && (!segment.tables.empty() || chance.one_in(9))) {
            damage(segment.tables, other, chance);
            continue;
        }
        StreamBytes& stream =
            segment.streams[static_cast<std::size_t>(chance.below(static_cast<int>(segment.streams.size())))];
        damage(chance.one_in(3) ? stream.raw : stream.coded, other, chance);
    }
    if (chance.one_in(8)) coded.coder = chance.below(5);
}

}  // namespace

void decode_lossy(Round& round, Input input) {
    const unsigned seed = input.number(), way = input.number();
    const Scene scene = random_scene(seed);
    Coded coded;
    coded.coder = input.byte() % 5;
    Chance chance(way);
    for (TierFilters& filters : coded.filters) random_filters(chance, filters, nullptr, 0);
    const Frame frame(scene.settings, scene.luma_cells(), scene.chroma_cells());
    for (Segment* segment : {&coded.preview, &coded.tiers[0], &coded.tiers[1]}) {
        segment->tables = input.chunk();
        segment->streams.resize(static_cast<std::size_t>(segment == &coded.preview ? frame.regions() : frame.groups()));
        for (StreamBytes& s : segment->streams) s.raw = input.chunk(), s.coded = input.chunk();
    }
    try_all(round, scene, coded, way);
}

void fuzz_lossy(Round& round) {
    Bytes other;
    for (int i = 0; i < 2; ++i) {
        ++round.tally.pictures;
        const unsigned seed = round.part();
        const Scene scene = random_scene(seed);
        const Coded coded = encode(scene, round.chance);
        for (const Segment* segment : {&coded.preview, &coded.tiers[0], &coded.tiers[1]})
            for (const StreamBytes& s : segment->streams) round.note(s.raw), round.note(s.coded);
        const auto attempt = [&](const Scene& shown, const Coded& bytes, bool keep) {
            const unsigned way = round.part();
            if (keep) round.keep(input_of(seed, way, bytes));
            return try_all(round, shown, bytes, way);
        };
        if (!attempt(scene, coded, true)) round.fail("sound bytes were refused");
        for (int k = 1; k < round.attempts(); ++k) {
            Coded changed = coded;
            damage(changed, other, round.chance);
            attempt(scene, changed, true);
        }
        // The same bytes for a picture that has other steps and other cells.
        Scene wrong = random_scene(round.part());
        wrong.settings.width = scene.settings.width, wrong.settings.height = scene.settings.height;
        wrong.settings.colour = scene.settings.colour, wrong.settings.subsampled = scene.settings.subsampled;
        wrong.luma = random_cells(round.chance, scene.luma_cells().width, scene.luma_cells().height);
        wrong.chroma = random_cells(round.chance, scene.chroma_cells().width, scene.chroma_cells().height);
        wrong.pixels = scene.pixels;
        attempt(wrong, coded, false);
        other = coded.tiers[0].streams[0].coded;
    }
}

}  // namespace fuzz
