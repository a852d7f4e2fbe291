// Where symbols come from, chosen once per stream so that the coders' loops stay free of branches on it.
#pragma once
#include "entropy/rans.hpp"
#include "entropy/rice.hpp"

#include <optional>

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

// What streams of static coders have in common in a segment: frequency tables, Rice parameters, or nothing.
class StaticTables {
  public:
    // Throws Corrupt, also if bytes are left over.
    StaticTables(SourceKind kind, std::span<const std::uint8_t> coded, unsigned n_contexts)
        : kind_(kind), contexts_(n_contexts) {
        std::size_t used = 0;
        if (kind == SourceKind::rans) {
            rans_.emplace(coded, n_contexts);
            used = rans_->size();
        } else if (kind == SourceKind::rice) {
            BitReader in(coded);
            rice_ = read_rice_parameters(in, n_contexts);
            if (!in.padding_is_zero()) throw Corrupt("Rice parameters are damaged or cut");
            used = static_cast<std::size_t>(in.position() - coded.data());
        } else if (kind != SourceKind::plain) {
            throw Corrupt("unknown entropy coder");
        }
        if (used != coded.size()) throw Corrupt("entropy coding tables have bytes left over");
    }
    SourceKind kind() const { return kind_; }
    unsigned contexts() const { return contexts_; }
    // The tables of rANS, if it is that.
    const RansTables* rans() const { return rans_ ? &*rans_ : nullptr; }

    // The coded symbols of a stream; those of Snappy's are only gathered here.
    Bytes encode(const SymbolSink& sink) const {
        if (sink.symbols.empty() || kind_ == SourceKind::plain) return sink.symbols;
        if (kind_ == SourceKind::rans) return rans_encode(*rans_, sink.symbols, sink.contexts);
        BitWriter out;
        rice_encode(out, rice_, sink.symbols, sink.contexts);
        return out.finish();
    }
    // Like with_source().
    template <class Decode>
    void decode(std::span<const std::uint8_t> raw, std::span<const std::uint8_t> coded, Decode decode) const {
        auto run = [&](auto source) {
            decode(source);
            if (!source.ok()) throw Corrupt("entropy-coded data does not end where it should");
        };
        switch (kind_) {
        case SourceKind::plain: return run(PlainSource(coded, raw, 0));
        case SourceKind::rice: return run(RiceSource(rice_, coded, raw));
        case SourceKind::rans: return run(RansSource(*rans_, coded, raw));
        }
    }

  private:
    SourceKind kind_;
    unsigned contexts_;
    std::optional<RansTables> rans_;
    RiceParameters rice_{};
};

}  // namespace aig
