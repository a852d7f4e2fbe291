// Where symbols come from, chosen once per stream so that the coders' loops stay free of branches on it.
#pragma once
#include "rans.hpp"
#include "rice.hpp"

namespace aig {

// One byte per symbol, as Snappy unpacks them.
class PlainSource {
  public:
    PlainSource(std::span<const std::uint8_t> coded, std::span<const std::uint8_t> raw, unsigned)
        : next_(coded.data()), end_(next_ + coded.size()), raw_(raw) {}
    using Handle = unsigned;  // contexts play no part

    Handle handle(unsigned context) const { return context; }
    unsigned get(unsigned context) { return symbol(context); }
    unsigned symbol(Handle) {
        if (next_ == end_ || *next_ >= kAlphabet) {
            sound_ = false;
            return 0;
        }
        return *next_++;
    }
    std::uint32_t bits(unsigned count) { return raw_.get(count); }
    bool ok() const { return sound_ && next_ == end_ && raw_.finished(); }

  private:
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    BitReader raw_;
    bool sound_ = true;
};

enum class SourceKind : int { plain = 0, rice = 1, rans = 2 };

// A symbol stream as read from a segment: entropy-coded symbols and raw bits.
struct Stream {
    SourceKind kind;
    std::span<const std::uint8_t> coded, raw;
};

// Run `decode(source)` over the stream; throws Corrupt unless it uses the stream up exactly.
template <class Decode> void with_source(const Stream& stream, unsigned n_contexts, Decode decode) {
    auto run = [&](auto source) {
        decode(source);
        if (!source.ok()) throw Corrupt("entropy-coded data does not end where it should");
    };
    switch (stream.kind) {
    case SourceKind::plain: return run(PlainSource(stream.coded, stream.raw, n_contexts));
    case SourceKind::rice: return run(RiceSource(stream.coded, stream.raw, n_contexts));
    case SourceKind::rans: return run(RansSource(stream.coded, stream.raw, n_contexts));
    }
    throw Corrupt("unknown entropy coder");
}

}  // namespace aig
