#include "simd/dispatch.hpp"

#include <atomic>
#include <cstring>
#include <optional>

namespace aig {

const Kernels& plain_kernels();
const Kernels& vector_kernels();
#ifdef AIG_HAVE_AVX2_BUILD
const Kernels& avx2_kernels();
#endif

namespace {

bool is_available(InstructionSet set) {
    switch (set) {
    case InstructionSet::plain:
    case InstructionSet::vector: return true;
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2: return __builtin_cpu_supports("avx2");
    case InstructionSet::avx512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
    default: return false;
    }
}

// The first available one of this name, or of any name for "auto".
std::optional<InstructionSet> find(const char* name) {
    const bool any = !std::strcmp(name, "auto");
    for (InstructionSet set :
         {InstructionSet::avx512, InstructionSet::avx2, InstructionSet::vector, InstructionSet::plain})
        if ((any || !std::strcmp(name, name_of(set))) && is_available(set)) return set;
    return std::nullopt;
}

std::atomic<InstructionSet>& current() {
    static std::atomic<InstructionSet> chosen{find("auto").value_or(InstructionSet::plain)};
    return chosen;
}

}  // namespace

InstructionSet instruction_set() { return current().load(std::memory_order_relaxed); }

const char* name_of(InstructionSet set) {
    switch (set) {
    case InstructionSet::vector: return "vector";
    case InstructionSet::avx2: return "avx2";
    case InstructionSet::avx512: return "avx512";
    default: return "plain";
    }
}

bool choose_kernels(const char* name) {
    const auto found = find(name);
    if (found) current().store(*found, std::memory_order_relaxed);
    return found.has_value();
}

const Kernels& kernels() {
    switch (instruction_set()) {
    case InstructionSet::plain: return plain_kernels();
#ifdef AIG_HAVE_AVX2_BUILD
    case InstructionSet::avx2:
    // For these estimates wider registers bring nothing.
    case InstructionSet::avx512: return avx2_kernels();
#endif
    default: return vector_kernels();
    }
}

}  // namespace aig
