// The entropy coders, by their numbers in files (format.md, 6), and everything that depends on which one it is. A coder
// is chosen once per stream, so that loops stay free of branches on it.
#pragma once
#include "entropy/adaptive.hpp"
#include "entropy/plain.hpp"
#include "entropy/rans.hpp"
#include "entropy/rice.hpp"

#include <stdexcept>
#include <tuple>
#include <utility>
#include <variant>

namespace aig {

using EntropyCoders = std::tuple<PlainCoder, RiceCoder, RansCoder, AdaptiveCoder>;

// Codes all symbols of a WrittenStream at the end: tables made of their counts are either common to the streams of a
// segment, or stand before a stream that is alone.
template <class C>
concept StaticCoder = requires(const std::vector<Counts>& counts, const typename C::Tables& tables,
                               const WrittenStream& written, const CodedStream& stream, unsigned n_contexts) {
    { C::tables(counts) } -> std::same_as<Bytes>;
    { C::code(tables, written) } -> std::same_as<Bytes>;
    { C::code_alone(written, n_contexts) } -> std::same_as<Bytes>;
    typename C::Reader;
    requires std::constructible_from<typename C::Reader, const CodedStream&, unsigned>;
};
// Tables throw Corrupt if they are damaged, and know how many bytes they took.
template <class C>
concept EntropyCoder = Writer<typename C::Writer> && Reader<typename C::Reader> &&
                       std::constructible_from<typename C::Writer, WrittenStream&, unsigned> &&
                       std::constructible_from < typename C::Tables,
        std::span<const std::uint8_t>,
unsigned > &&std::constructible_from<typename C::Reader, const typename C::Tables&,
                                     const CodedStream&>&& MultiSymbolCoder<typename C::Writer> ==
        MultiSymbolCoder<typename C::Reader> &&
    (StaticCoder<C> || !std::same_as<typename C::Writer, SymbolWriter>);

namespace detail {

template <class Coders> struct Each;
template <class... C> struct Each<std::tuple<C...>> {
    static_assert((EntropyCoder<C> && ...), "an entropy coder lacks something of the interface");
    using Tables = std::variant<std::monostate, typename C::Tables...>;
    // The place of a coder in the list.
    template <class Wanted>
    static constexpr std::size_t place = [] {
        const bool is[] = {std::same_as<C, Wanted>...};
        std::size_t i = 0;
        while (!is[i]) ++i;
        return i;
    }();
};

}  // namespace detail

// The number of a coder in files.
template <class C> inline constexpr int number_of = static_cast<int>(detail::Each<EntropyCoders>::place<C>);

// Calls use(place) with the coder's place in the list, a constant of its own type. Throws Corrupt if there is no such
// coder.
template <class Use> void with_coder(int number, Use use) {
    const auto try_each = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return ((number == static_cast<int>(I) && (use(std::integral_constant<std::size_t, I>{}), true)) || ...);
    };
    if (!try_each(std::make_index_sequence<std::tuple_size_v<EntropyCoders>>{})) throw Corrupt("unknown entropy coder");
}
template <std::size_t Place> using CoderAt = std::tuple_element_t<Place, EntropyCoders>;
inline constexpr bool is_coder(int number) {
    return number >= 0 && number < static_cast<int>(std::tuple_size_v<EntropyCoders>);
}

// What the streams of a segment have in common: frequency tables, Rice parameters, or nothing.
class SharedTables {
  public:
    // Throws Corrupt, also if bytes are left over.
    SharedTables(int coder, std::span<const std::uint8_t> coded, unsigned n_contexts)
        : coder_(coder), contexts_(n_contexts) {
        with_coder(coder, [&](auto place) {
            const auto& own = tables_.template emplace<place + 1>(coded, n_contexts);
            if (own.size() != coded.size()) throw Corrupt("entropy coding tables have bytes left over");
        });
    }
    int coder() const { return coder_; }
    unsigned contexts() const { return contexts_; }
    // Those of a certain coder, or null if they are another's.
    template <class C> const typename C::Tables* of() const {
        return std::get_if<detail::Each<EntropyCoders>::place<C> + 1>(&tables_);
    }

  private:
    int coder_;
    unsigned contexts_;
    detail::Each<EntropyCoders>::Tables tables_;
};

// Writing: with_writer() for each stream, then pack_streams() for all streams of a segment, or pack_payload() for one
// that is alone.

// What write(writer) wrote. Throws std::invalid_argument if the coder's contexts are of a type that `write` does not
// take.
template <class Write> WrittenStream with_writer(int coder, unsigned n_contexts, Write write) {
    WrittenStream out;
    with_coder(coder, [&](auto place) {
        using Own = typename CoderAt<place>::Writer;
        if constexpr (std::invocable<Write, Own&>) {
            Own writer(out, n_contexts);
            write(writer);
            writer.finish();
        } else {
            throw std::invalid_argument("this entropy coder codes other symbols");
        }
    });
    return out;
}

// Returns the tables that the streams have in common, having set `coded` of each; Snappy's symbols stay as they are.
inline Bytes pack_streams(int coder, std::span<WrittenStream* const> streams, unsigned n_contexts) {
    Bytes tables;
    with_coder(coder, [&](auto place) {
        using Coder = CoderAt<place>;
        if constexpr (StaticCoder<Coder>) {
            std::vector<Counts> counts(n_contexts, Counts{});
            for (const WrittenStream* stream : streams) count_symbols(*stream, counts);
            tables = Coder::tables(counts);
            const typename Coder::Tables shared(tables, n_contexts);
            for (WrittenStream* stream : streams)
                stream->coded = stream->symbols.empty() ? Bytes{} : Coder::code(shared, *stream);
        }
    });
    return tables;
}

// The coded bytes of a stream that is alone, behind tables of its own.
inline Bytes pack_payload(int coder, const WrittenStream& stream, unsigned n_contexts) {
    Bytes out;
    with_coder(coder, [&](auto place) {
        using Coder = CoderAt<place>;
        if constexpr (StaticCoder<Coder>)
            out = Coder::code_alone(stream, n_contexts);
        else
            out = stream.coded;
    });
    return out;
}

namespace detail {

template <class Own, class Read, class... From> void read_all(Read& read, const From&... from) {
    if constexpr (std::invocable<Read&, Own&>) {
        Own reader(from...);
        read(reader);
        if (!reader.finished()) throw Corrupt("entropy-coded data does not end where it should");
    } else {
        throw Corrupt("this entropy coder codes other symbols");
    }
}

}  // namespace detail

// Calls read(reader) for a stream of a segment; throws Corrupt unless it uses the stream up exactly, or if the coder's
// contexts are of a type that `read` does not take.
template <class Read> void with_reader(const SharedTables& tables, const CodedStream& stream, Read read) {
    with_coder(tables.coder(), [&](auto place) {
        using Coder = CoderAt<place>;
        detail::read_all<typename Coder::Reader>(read, *tables.of<Coder>(), stream);
    });
}

// The same for a stream that is alone.
struct Payload {
    int coder;
    CodedStream stream;
};
template <class Read> void with_reader(const Payload& payload, unsigned n_contexts, Read read) {
    with_coder(payload.coder, [&](auto place) {
        using Coder = CoderAt<place>;
        if constexpr (StaticCoder<Coder>)
            detail::read_all<typename Coder::Reader>(read, payload.stream, n_contexts);
        else
            detail::read_all<typename Coder::Reader>(read, typename Coder::Tables({}, n_contexts), payload.stream);
    });
}

}  // namespace aig
