#include "simd/dispatch.hpp"

#include "dct/filters.hpp"
#include "dct/transforms.hpp"
#include "lossless/wavefront.hpp"

#include <atomic>
#include <cstring>

namespace aig {

const Kernels& plain_kernels();
const Kernels& vector_kernels();
#ifdef AIG_HAVE_AVX2_BUILD
const Kernels& avx2_kernels();

namespace {

// For the estimates of the search wider registers bring nothing; the coders have kernels of their own.
const Kernels& avx512_kernels() {
    static const Kernels kernels = [] {
        Kernels k = avx2_kernels();
        k.name = "avx512";
        return k;
    }();
    return kernels;
}

bool has_avx512() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

}  // namespace
#endif

namespace {

const Kernels* find(const char* name) {
    if (!std::strcmp(name, "plain")) return &plain_kernels();
    if (!std::strcmp(name, "vector")) return &vector_kernels();
#ifdef AIG_HAVE_AVX2_BUILD
    const bool any = !std::strcmp(name, "auto");
    if ((any || !std::strcmp(name, "avx512")) && has_avx512()) return &avx512_kernels();
    if ((any || !std::strcmp(name, "avx2")) && __builtin_cpu_supports("avx2")) return &avx2_kernels();
#endif
    return !std::strcmp(name, "auto") ? &vector_kernels() : nullptr;
}

std::atomic<const Kernels*>& current() {
    static std::atomic<const Kernels*> chosen{find("auto")};
    return chosen;
}

}  // namespace

const Kernels& kernels() { return *current().load(std::memory_order_relaxed); }

const WavefrontKernels& wavefront_kernels() {
#ifdef AIG_HAVE_AVX2_BUILD
    if (&kernels() == &avx512_kernels()) return avx512_wavefront();
    if (&kernels() == &avx2_kernels()) return avx2_wavefront();
#endif
    return plain_wavefront();
}

const SampleKernels& sample_kernels() {
#ifdef AIG_HAVE_AVX2_BUILD
    if (&kernels() == &avx512_kernels()) return avx512_samples();
    if (&kernels() == &avx2_kernels()) return avx2_samples();
#endif
    return plain_samples();
}

const TransformKernels& transform_kernels() {
#ifdef AIG_HAVE_AVX2_BUILD
    if (&kernels() == &avx512_kernels()) return avx512_transforms();
    if (&kernels() == &avx2_kernels()) return avx2_transforms();
#endif
    return plain_transforms();
}

bool choose_kernels(const char* name) {
    const Kernels* found = find(name);
    if (found) current().store(found, std::memory_order_relaxed);
    return found != nullptr;
}

}  // namespace aig
