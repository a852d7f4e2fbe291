// Memory that a thread keeps from one band to the next: to fault fresh pages in takes time.
#pragma once
#include "base/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

namespace aig {

// An array whose elements are not set. Its memory comes from earlier ones of the same thread where it can.
template <class T> class Scratch {
  public:
    explicit Scratch(std::size_t size) : block_(Cache::mine().take(size * sizeof(T))) {}
    ~Scratch() {
        if (block_.data) Cache::mine().give(block_);
    }
    Scratch(Scratch&& other) noexcept : block_(std::exchange(other.block_, {})) {}
    Scratch& operator=(Scratch&& other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }

    T* get() const { return static_cast<T*>(block_.data); }
    T& operator[](std::size_t i) const { return get()[i]; }

  private:
    struct Block {
        void* data = nullptr;
        std::size_t size = 0;
    };
    class Cache {
      public:
        static Cache& mine() {
            static thread_local Cache cache;
            return cache;
        }
        ~Cache() {
            for (const Block& b : blocks_) std::free(b.data);
        }
        Block take(std::size_t size) {
            const auto fits = [size](const Block& b) { return b.size >= size && b.size / 2 <= size; };
            if (const auto found = std::find_if(blocks_.begin(), blocks_.end(), fits); found != blocks_.end()) {
                const Block block = *found;
                kept_ -= block.size;
                blocks_.erase(found);
                return block;
            }
            return {allocate(size), size};
        }
        // What was given back longest ago makes room, so that sizes no longer in use go.
        void give(Block block) noexcept {
#ifdef AIG_FRESH_MEMORY
            constexpr std::size_t most = 0;
#else
            constexpr std::size_t most = std::size_t{48} << 20;
#endif
            try {
                blocks_.push_back(block);
            } catch (const std::bad_alloc&) {
                std::free(block.data);
                return;
            }
            kept_ += block.size;
            auto last = blocks_.begin();
            for (; kept_ > most; ++last) {
                kept_ -= last->size;
                std::free(last->data);
            }
            blocks_.erase(blocks_.begin(), last);
        }

      private:
        std::vector<Block> blocks_;
        std::size_t kept_ = 0;
    };

    Block block_;
};

}  // namespace aig
