// The entrance for libFuzzer. The first byte of an input names the target, unless AIG_FUZZ_ONLY in the environment
// does; the target knows the rest.
#include "fuzzing.hpp"

#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fuzz;
    static const Target* const only = [] {
        const char* name = std::getenv("AIG_FUZZ_ONLY");
        const auto found = std::find_if(std::begin(kTargets), std::end(kTargets),
                                        [&](const Target& t) { return name && !std::strcmp(t.name, name); });
        return found == std::end(kTargets) ? nullptr : found;
    }();
    if (!size) return 0;
    const Target& target = only ? *only : kTargets[data[0] % std::size(kTargets)];
    Tally tally;
    Round round{.seed = data[0], .tally = tally};
    target.decode(round, Input({data + 1, size - 1}));
    return 0;
}
