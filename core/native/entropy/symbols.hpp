// The writer of static entropy coders, which see all symbols before they code any.
#pragma once
#include "entropy/coding.hpp"

#include <utility>

namespace aig {

class SymbolWriter {
  public:
    static constexpr bool kDecodes = false;
    using Context = unsigned;

    SymbolWriter(WrittenStream& out, unsigned) : out_(out) {}
    unsigned symbol(unsigned context, unsigned symbol) {
        symbols_.push_back(static_cast<std::uint8_t>(symbol));
        contexts_.push_back(static_cast<std::uint8_t>(context));
        return symbol;
    }
    std::uint32_t bits(std::uint32_t value, unsigned count) {
        bits_.put(value, count);
        return value;
    }
    void finish() {
        out_.symbols = std::move(symbols_);
        out_.contexts = std::move(contexts_);
        out_.raw = bits_.finish();
    }

  private:
    WrittenStream& out_;
    Bytes symbols_, contexts_;
    BitWriter bits_;
};

}  // namespace aig
