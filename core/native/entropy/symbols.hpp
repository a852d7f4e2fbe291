// The writer of static entropy coders, which see all symbols before they code any.
#pragma once
#include "entropy/coding.hpp"

namespace aig {

class SymbolWriter {
  public:
    static constexpr bool kDecodes = false;
    using Context = unsigned;

    SymbolWriter(WrittenStream& out, unsigned) : out_(out) {}
    unsigned symbol(unsigned context, unsigned symbol) {
        out_.symbols.push_back(static_cast<std::uint8_t>(symbol));
        out_.contexts.push_back(static_cast<std::uint8_t>(context));
        return symbol;
    }
    std::uint32_t bits(std::uint32_t value, unsigned count) {
        bits_.put(value, count);
        return value;
    }
    void finish() { out_.raw = bits_.finish(); }

  private:
    WrittenStream& out_;
    BitWriter bits_;
};

}  // namespace aig
