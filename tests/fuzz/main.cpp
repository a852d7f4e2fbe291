// Fuzzes the decoders: the lossless core's, the lossy tiers', and those of maps. `python tests/fuzz MINUTES` builds this with
// sanitizers and runs it. Arguments: what ("all", "lossless", "lossy" or "maps"), seconds, first seed, step between seeds; or what, and one seed to
// run again.
#include "fuzzing.hpp"

#include <chrono>
#include <string_view>

int main(int argc, char** argv) {
    using namespace fuzz;
    if (argc != 3 && argc != 5) return 2;
    const std::string_view what = argv[1];
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
        // What one does must not change what the other meets.
        const auto fuzzed = [&](std::string_view name) { return what == "all" || what == name; };
        if (Round round{.seed = seed, .tally = tally}; fuzzed("lossless")) fuzz_lossless(round);
        if (Round round{.seed = seed, .tally = tally}; fuzzed("lossy")) fuzz_lossy(round);
        if (Round round{.seed = seed, .tally = tally}; fuzzed("maps")) fuzz_maps(round);
        seed += step;
        if (elapsed() > reported + 1) reported = elapsed(), report();
    } while (!once && elapsed() < seconds);
    report();
}
