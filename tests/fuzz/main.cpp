// Fuzzes the decoders by chance; `python tests/fuzz` builds this with sanitizers and runs it. WHAT is "all" or a
// target's name.
//
//   harness WHAT SECONDS SEED STEP    this seed and every STEPth from there on, until the time is over
//   harness WHAT SEED                 one seed again
//   harness WHAT record FOLDER COUNT  COUNT seeds, and their inputs as files into a folder, for guided fuzzing and for
//   replays harness WHAT replay FILE...       decode these inputs
//
// The last two print a checksum of all that was coded and decoded for each target.
#include "fuzzing.hpp"

#include <chrono>
#include <cinttypes>
#include <cstring>
#include <iterator>
#include <memory>

namespace {

using namespace fuzz;

// Not a stream: the memory sanitizer knows what C's functions set, and not what the standard library's code for streams
// does.
struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

bool wanted(const char* what, const Target& target) {
    return !std::strcmp(what, "all") || !std::strcmp(what, target.name);
}

void print(const Target& target, const Tally& tally) {
    std::printf("%s: %ld decoded, %ld refused, checksum %016" PRIx64 "\n", target.name, tally.decoded, tally.refused,
                tally.digest);
}

int record(const char* what, const char* folder, unsigned count) {
    for (std::size_t t = 0; t < std::size(kTargets); ++t) {
        if (!wanted(what, kTargets[t])) continue;
        Tally tally;
        std::vector<Bytes> inputs;
        for (unsigned seed = 1; seed <= count; ++seed) {
            Round round{.seed = seed, .tally = tally, .inputs = &inputs};
            kTargets[t].fuzz(round);
        }
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            char path[4096];
            std::snprintf(path, sizeof path, "%s/%s-%zu", folder, kTargets[t].name, i);
            const File file(std::fopen(path, "wb"));
            if (!file || std::fputc(static_cast<int>(t), file.get()) == EOF ||
                std::fwrite(inputs[i].data(), 1, inputs[i].size(), file.get()) != inputs[i].size())
                return 1;
        }
        print(kTargets[t], tally);
    }
    return 0;
}

int replay(const char* what, char** files, int count) {
    Tally tallies[std::size(kTargets)];
    for (int i = 0; i < count; ++i) {
        const File file(std::fopen(files[i], "rb"));
        Bytes bytes(1 << 20);
        if (file) bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
        if (!file || bytes.empty()) return 1;
        const std::size_t t = bytes[0] % std::size(kTargets);
        Round round{.seed = 0, .tally = tallies[t]};
        kTargets[t].decode(round, Input(std::span(bytes).subspan(1)));
    }
    for (std::size_t t = 0; t < std::size(kTargets); ++t)
        if (wanted(what, kTargets[t])) print(kTargets[t], tallies[t]);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const char* what = argv[1];
    if (argc == 5 && !std::strcmp(argv[2], "record"))
        return record(what, argv[3], static_cast<unsigned>(std::atoi(argv[4])));
    if (!std::strcmp(argv[2], "replay")) return replay(what, argv + 3, argc - 3);
    if (argc != 3 && argc != 5) return 2;
    const bool once = argc == 3;
    const double seconds = once ? 0 : std::atof(argv[2]);
    auto seed = static_cast<unsigned>(std::atoi(argv[once ? 2 : 3]));
    const auto step = static_cast<unsigned>(once ? 1 : std::atoi(argv[4]));
    const auto begin = std::chrono::steady_clock::now();
    const auto elapsed = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    Tally tally;
    const auto report = [&] {
        std::printf("%ld %ld %ld\n", tally.pictures, tally.decoded, tally.refused), std::fflush(stdout);
    };
    double reported = 0;
    do {
        if (once) std::printf("seed %u\n", seed);
        for (const Target& target : kTargets)
            // What one does must not change what the other meets.
            if (Round round{.seed = seed, .tally = tally}; wanted(what, target)) target.fuzz(round);
        seed += step;
        if (elapsed() > reported + 1) reported = elapsed(), report();
    } while (!once && elapsed() < seconds);
    report();
}
