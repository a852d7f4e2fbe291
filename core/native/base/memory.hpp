// Memory in large pieces, on huge pages where the system has them: without these, page faults take a third of the time
// when planes are allocated anew for every image.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace aig {

// To be given back with std::free. Throws std::bad_alloc. AIG_FRESH_MEMORY is defined under sanitizers, which notice
// what is read or written behind an array only where that ends as asked for.
inline void* allocate(std::size_t bytes) {
    void* data = nullptr;
#if defined(__linux__) && !defined(AIG_FRESH_MEMORY)
    constexpr std::size_t huge = std::size_t{2} << 20;
    if (bytes >= huge / 2) {
        const std::size_t rounded = (bytes + huge - 1) / huge * huge;
        data = std::aligned_alloc(huge, rounded);
        if (data) madvise(data, rounded, MADV_HUGEPAGE);
    }
#endif
    if (!data) data = std::malloc(bytes ? bytes : 1);
    if (!data) throw std::bad_alloc();
    return data;
}

}  // namespace aig
