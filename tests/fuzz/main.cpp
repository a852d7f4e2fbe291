// Fuzzes the decoders by chance; `python tests/fuzz` builds this with sanitizers and runs it. WHAT is "all" or a target's name.
//
//   harness WHAT SECONDS SEED STEP    this seed and every STEPth from there on, until the time is over
//   harness WHAT SEED                 one seed again
//   harness WHAT record FOLDER COUNT  COUNT seeds, and their inputs as files into a folder, for guided fuzzing and for replays
//   harness WHAT replay FILE...       decode these inputs
//
// The last two print a checksum of all that was coded and decoded for each target.
#include "fuzzing.hpp"

#include <chrono>
#include <cinttypes>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace fuzz;

bool wanted(const char* what, const Target& target) { return !std::strcmp(what, "all") || !std::strcmp(what, target.name); }

void print(const Target& target, const Tally& tally) {
    std::printf("%s: %ld decoded, %ld refused, checksum %016" PRIx64 "\n", target.name, tally.decoded, tally.refused, tally.digest);
}

int record(const char* what, const std::string& folder, unsigned count) {
    for (std::size_t t = 0; t < std::size(kTargets); ++t) {
        if (!wanted(what, kTargets[t])) continue;
        Tally tally;
        std::vector<Bytes> inputs;
        for (unsigned seed = 1; seed <= count; ++seed) {
            Round round{.seed = seed, .tally = tally, .inputs = &inputs};
            kTargets[t].fuzz(round);
        }
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            std::ofstream file(folder + "/" + kTargets[t].name + "-" + std::to_string(i), std::ios::binary);
            file.put(static_cast<char>(t)).write(reinterpret_cast<const char*>(inputs[i].data()), static_cast<std::streamsize>(inputs[i].size()));
            if (!file) return 1;
        }
        print(kTargets[t], tally);
    }
    return 0;
}

int replay(const char* what, char** files, int count) {
    Tally tallies[std::size(kTargets)];
    for (int i = 0; i < count; ++i) {
        std::ifstream file(files[i], std::ios::binary);
        const std::string read{std::istreambuf_iterator<char>(file), {}};
        const Bytes bytes(read.begin(), read.end());
        if (bytes.empty()) return 1;
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
    if (argc == 5 && !std::strcmp(argv[2], "record")) return record(what, argv[3], static_cast<unsigned>(std::atoi(argv[4])));
    if (!std::strcmp(argv[2], "replay")) return replay(what, argv + 3, argc - 3);
    if (argc != 3 && argc != 5) return 2;
    const bool once = argc == 3;
    const double seconds = once ? 0 : std::atof(argv[2]);
    auto seed = static_cast<unsigned>(std::atoi(argv[once ? 2 : 3]));
    const auto step = static_cast<unsigned>(once ? 1 : std::atoi(argv[4]));
    const auto begin = std::chrono::steady_clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
    Tally tally;
    const auto report = [&] { std::printf("%ld %ld %ld\n", tally.pictures, tally.decoded, tally.refused), std::fflush(stdout); };
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
