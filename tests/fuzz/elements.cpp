// Fuzzes the syntax elements of high frequencies with every entropy coder, and with one that the kernels have not: an
// adaptive coder of symbols, which needs nothing but a writer and a reader to be searched for and coded with.
#include "dct/rdoq.hpp"
#include "entropy/coders.hpp"
#include "fuzzing.hpp"

namespace fuzz {
namespace {

using namespace aig;

// Symbols of 6 bits, of which each has a probability by its context and the bits before.
struct Tree {
    std::array<AdaptiveBit, kAlphabet> nodes;
    Tree() { nodes.fill(1 << 15); }
};
template <class Coder> class TreeCoder {
  public:
    static constexpr bool kDecodes = Coder::kDecodes;
    using Context = unsigned;

    TreeCoder(WrittenStream& out, unsigned n_contexts) : coder_(out), trees_(n_contexts) {}
    TreeCoder(const NoTables& tables, const CodedStream& stream) : coder_(tables, stream), trees_(tables.contexts()) {}

    unsigned symbol(unsigned context, unsigned symbol = 0) {
        unsigned node = 1;
        for (int bit = 5; bit >= 0; --bit)
            node = 2 * node + coder_.symbol(trees_[context].nodes[node], symbol >> bit & 1);
        return node - kAlphabet;
    }
    std::uint32_t bits(std::uint32_t value, unsigned count) { return coder_.bits(value, count); }
    float cost(unsigned context, unsigned symbol) const {
        float sum = 0;
        unsigned node = 1;
        for (int bit = 5; bit >= 0; --bit) {
            const bool one = symbol >> bit & 1;
            sum += bits_of(trees_[context].nodes[node], one);
            node = 2 * node + one;
        }
        return sum;
    }
    void finish() { coder_.finish(); }
    bool finished() const { return coder_.finished(); }

  private:
    Coder coder_;
    std::vector<Tree> trees_;
};
struct LearningTrees {
    using Tables = NoTables;
    using Writer = TreeCoder<AdaptiveWriter>;
    using Reader = TreeCoder<AdaptiveReader>;
};
static_assert(EntropyCoder<LearningTrees> && LearningCoder<LearningTrees::Writer>);
static_assert(HighSyntax<SymbolSyntax<LearningTrees::Writer, HighModel>> &&
              LowSyntax<SymbolSyntax<LearningTrees::Reader, LowModel>>);
constexpr int kLearningTrees = static_cast<int>(std::tuple_size_v<EntropyCoders>);

struct Coded {
    int coder;
    Bytes tables, raw, coded;
};

// Blocks of one plane class, coded one after the other as if each had one with more or less activity around.
struct Blocks {
    struct Own {
        Shape shape;
        int plane, around;
        std::array<std::int16_t, kMaxBlockSamples> coefficients;
    };
    std::vector<Own> all;
    float lambda;

    explicit Blocks(unsigned seed) {
        Chance chance(seed);
        lambda = chance.one_in(4) ? 0.0f : 0.09f;
        const int large = chance.size(4000);
        for (int n = chance.size(12); n > 0; --n) {
            Own own{Shape::of_index(chance.below(kShapes)), chance.below(2), chance.below(ActivityMap::kMost + 1), {}};
            const int frequent = chance.size(30);
            for (std::int16_t& c : own.coefficients)
                c = static_cast<std::int16_t>(chance.one_in(frequent) ? chance.below(2 * large) - large : 0);
            all.push_back(own);
        }
    }
    // Chooses levels, writes them, and notes them behind each other.
    template <HighSyntax Syntax> void write(Syntax& syntax, std::vector<int>& levels) const {
        static constexpr std::array<float, kMaxBlockSamples> inverse = [] {
            std::array<float, kMaxBlockSamples> out{};
            for (float& one : out) one = 1 / 64.0f;
            return out;
        }();
        const LevelSearch search(LevelEffort{lambda, true});
        BlockLevels chosen;
        for (const Own& own : all) {
            search.choose(syntax, own.plane, own.shape, own.around, own.coefficients.data(), inverse.data(), chosen);
            encode_levels(syntax, own.plane, own.shape, own.around, chosen);
            for (unsigned k = 0; k < chosen.count; ++k)
                levels.push_back(scan_of(own.shape)[chosen.levels[k].position].coefficient),
                    levels.push_back(chosen.levels[k].level);
            levels.push_back(-1);
        }
    }
    template <HighSyntax Syntax> void read(Syntax& syntax, std::vector<int>& levels) const {
        for (const Own& own : all) {
            decode_levels(syntax, own.plane, own.shape, own.around, [&](const ScanEntry& e, int level) {
                levels.push_back(e.coefficient), levels.push_back(level);
            });
            levels.push_back(-1);
        }
    }
};

Coded encode(const Blocks& blocks, int coder, std::vector<int>& levels) {
    const auto write = [&](Writer auto& writer) {
        auto syntax = syntax_of(writer, trained_high());
        blocks.write(syntax, levels);
    };
    WrittenStream out;
    if (coder == kLearningTrees) {
        LearningTrees::Writer writer(out, SymbolContexts::kHigh);
        write(writer);
        writer.finish();
        return {coder, {}, out.raw, out.coded};
    }
    out = with_writer(coder, SymbolContexts::kHigh, write);
    WrittenStream* const streams[] = {&out};
    Bytes tables = pack_streams(coder, streams, SymbolContexts::kHigh);
    return {coder, std::move(tables), out.raw, out.coded};
}

bool decode(Round& round, const Blocks& blocks, const Coded& bytes, std::vector<int>& levels) {
    const Bytes raw = exact(bytes.raw), coded = exact(bytes.coded);
    const CodedStream stream{raw, coded};
    const auto read = [&](Reader auto& reader) {
        auto syntax = syntax_of(reader, trained_high());
        blocks.read(syntax, levels);
    };
    bool sound = true;
    try {
        if (bytes.coder == kLearningTrees) {
            LearningTrees::Reader reader(NoTables({}, SymbolContexts::kHigh), stream);
            read(reader);
            if (!reader.finished()) throw Corrupt("bytes are left over");
        } else {
            with_reader(SharedTables(bytes.coder, exact(bytes.tables), SymbolContexts::kHigh), stream, read);
        }
    } catch (const Corrupt&) { sound = false; }
    ++(sound ? round.tally.decoded : round.tally.refused);
    round.note(sound);
    if (sound) round.note(levels);
    return sound;
}

}  // namespace

void decode_elements(Round& round, Input input) {
    const Blocks blocks(input.number());
    Coded coded{input.byte() % (kLearningTrees + 1), input.chunk(), {}, {}};
    coded.raw = input.chunk();
    coded.coded = input.rest();
    std::vector<int> levels;
    decode(round, blocks, coded, levels);
}

void fuzz_elements(Round& round) {
    Bytes other;
    for (int coder = 0; coder <= kLearningTrees; ++coder) {
        ++round.tally.pictures;
        const unsigned seed = round.part();
        const Blocks blocks(seed);
        std::vector<int> wanted;
        const Coded coded = encode(blocks, coder, wanted);
        round.note(coded.raw), round.note(coded.coded);
        for (int i = 0; i < round.attempts(); ++i) {
            Coded changed = coded;
            if (i) damage(round.chance.one_in(3) ? changed.raw : changed.coded, other, round.chance);
            if (i && round.chance.one_in(8)) changed.coder = round.chance.below(kLearningTrees + 1);
            std::vector<int> levels;
            const bool sound = decode(round, blocks, changed, levels);
            if (!i && !sound) round.fail("sound levels were refused");
            if (!i && levels != wanted) round.fail("levels came back otherwise");
            round.keep(InputWriter()
                           .number(seed)
                           .byte(changed.coder)
                           .chunk(changed.tables)
                           .chunk(changed.raw)
                           .rest(changed.coded));
        }
        other = coded.coded;
    }
}

}  // namespace fuzz
