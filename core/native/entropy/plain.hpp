// One byte per symbol, for a compressor of bytes outside the kernels: Snappy (format.md, 6.3).
#pragma once
#include "entropy/frequencies.hpp"

namespace aig {

// Contexts play no part.
class PlainReader {
  public:
    static constexpr bool kDecodes = true;
    using Context = unsigned;

    PlainReader(const NoTables&, const CodedStream& stream)
        : next_(stream.coded.data()), end_(next_ + stream.coded.size()), raw_(stream.raw) {}
    PlainReader(const CodedStream& stream, unsigned n_contexts) : PlainReader(NoTables({}, n_contexts), stream) {}

    unsigned symbol(unsigned, unsigned = 0) {
        if (next_ == end_ || *next_ >= kAlphabet) {
            sound_ = false;
            return 0;
        }
        return *next_++;
    }
    std::uint32_t bits(std::uint32_t, unsigned count) { return raw_.get(count); }
    bool finished() const { return sound_ && next_ == end_ && raw_.finished(); }

  private:
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    BitReader raw_;
    bool sound_ = true;
};

struct PlainCoder {
    using Tables = NoTables;
    using Writer = SymbolWriter;
    using Reader = PlainReader;
    static Bytes tables(const std::vector<Counts>&) { return {}; }
    static Bytes code(const Tables&, const WrittenStream& stream) { return stream.symbols; }
    static Bytes code_alone(const WrittenStream& stream, unsigned) { return stream.symbols; }
};

}  // namespace aig
