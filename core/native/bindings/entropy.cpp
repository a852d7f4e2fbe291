// The Python face of the entropy coders.
#include "bindings/entropy.hpp"

#include <algorithm>

namespace {

using aig::SharedTables;
using aig::WrittenStream;

void require_contexts(unsigned n_contexts) {
    require(n_contexts >= 1 && n_contexts <= aig::kMaxContexts, "1 to 256 contexts");
}

// Those of a stream may be fewer than there are.
void check_contexts(const Bytes& contexts, unsigned n_contexts) {
    require(std::all_of(contexts.begin(), contexts.end(), [=](unsigned c) { return c < n_contexts; }),
            "context outside its range");
}

WrittenStream write_symbols(int coder, const U8In& symbols, const U8In& contexts, unsigned n_contexts,
                            const nb::bytes& raw) {
    require_coder(coder);
    require_contexts(n_contexts);
    require(symbols.ndim() == 1 && contexts.ndim() == 1 && symbols.shape(0) == contexts.shape(0),
            "symbols and contexts must be (n,)");
    const std::size_t n = symbols.shape(0);
    for (std::size_t i = 0; i < n; ++i)
        require(symbols.data()[i] < aig::kAlphabet && contexts.data()[i] < n_contexts,
                "symbol or context outside its range");
    return aig::with_writer(coder, n_contexts, [&](aig::MultiSymbolCoder auto& writer) {
        for (std::size_t i = 0; i < n; ++i) writer.symbol(contexts.data()[i], symbols.data()[i]);
        for (const std::uint8_t byte : as_span(raw)) writer.bits(byte, 8);
    });
}

Result<std::uint8_t> decode_symbols(int coder, const nb::bytes& coded, const nb::bytes& raw, const U8In& contexts,
                                    unsigned n_contexts) {
    require(contexts.ndim() == 1, "contexts must be (n,)");
    require_contexts(n_contexts);
    for (std::size_t i = 0; i < contexts.shape(0); ++i)
        require(contexts.data()[i] < n_contexts, "context outside its range");
    auto out = make_array<std::uint8_t>({contexts.shape(0)});
    const auto stream = payload(coder, coded, raw);
    nb::gil_scoped_release release;
    aig::with_reader(stream, n_contexts, [&](aig::MultiSymbolCoder auto& reader) {
        for (std::size_t i = 0; i < contexts.shape(0); ++i)
            out.data()[i] = static_cast<std::uint8_t>(reader.symbol(contexts.data()[i]));
    });
    return out;
}

nb::tuple pack_streams(int coder, const std::vector<WrittenStream*>& streams, unsigned n_contexts) {
    require_coder(coder);
    require_contexts(n_contexts);
    for (const WrittenStream* stream : streams) {
        require(stream, "streams must be WrittenStream");
        check_contexts(stream->contexts, n_contexts);
    }
    Bytes tables;
    {
        nb::gil_scoped_release release;
        tables = aig::pack_streams(coder, streams, n_contexts);
    }
    nb::list coded;
    for (const WrittenStream* stream : streams)
        coded.append(nb::make_tuple(to_bytes(stream->raw), to_bytes(stream->coded)));
    return nb::make_tuple(to_bytes(tables), coded);
}

// Intervals of symbols, and which of them are those of a context.
nb::tuple rans_lookup(const SharedTables& tables) {
    const aig::RansTables* rans = tables.of<aig::RansCoder>();
    require(rans, "tables of rANS only");
    std::vector<const aig::RansTables::Table*> found;
    auto table_of = make_array<std::uint8_t>({tables.contexts()});
    for (unsigned c = 0; c < tables.contexts(); ++c) {
        auto at = std::find(found.begin(), found.end(), rans->of(c));
        if (at == found.end()) at = found.insert(found.end(), rans->of(c));
        table_of.data()[c] = static_cast<std::uint8_t>(at - found.begin());
    }
    auto intervals = make_array<std::uint16_t>({found.size(), 2, aig::kAlphabet});
    for (std::size_t i = 0; i < found.size(); ++i) {
        std::copy_n(found[i]->frequencies.data(), aig::kAlphabet, intervals.data() + 2 * i * aig::kAlphabet);
        std::copy_n(found[i]->starts.data(), aig::kAlphabet, intervals.data() + (2 * i + 1) * aig::kAlphabet);
    }
    return nb::make_tuple(intervals, table_of);
}

}  // namespace

void bind_entropy(nb::module_& m) {
    nb::class_<WrittenStream>(m, "WrittenStream",
                              "A stream that pack_streams() or pack_payload() completes: raw bits, and symbols that "
                              "are coded already or, by static coders, not yet.")
        .def_prop_ro(
            "symbols", [](const WrittenStream& self) { return bytes_array(self.symbols); }, nb::rv_policy::move)
        .def_prop_ro(
            "contexts", [](const WrittenStream& self) { return bytes_array(self.contexts); }, nb::rv_policy::move)
        .def_prop_ro("raw", [](const WrittenStream& self) { return to_bytes(self.raw); });
    nb::class_<SharedTables>(m, "SharedTables", "What the streams of a segment have in common.")
        .def(
            "__init__",
            [](SharedTables* self, int coder, const nb::bytes& coded, unsigned n_contexts) {
                require_contexts(n_contexts);
                new (self) SharedTables(coder, as_span(coded), n_contexts);
            },
            "coder"_a, "coded"_a, "n_contexts"_a)
        .def("lookup", rans_lookup,
             "(frequency and start of every symbol, uint16 (n, 2, 64); table of every context, uint8), of rANS.");
    m.def("write_symbols", write_symbols, "coder"_a, "symbols"_a.noconvert(), "contexts"_a.noconvert(), "n_contexts"_a,
          "raw"_a = nb::bytes("", 0));
    m.def("decode_symbols", decode_symbols, "coder"_a, "coded"_a, "raw"_a, "contexts"_a.noconvert(), "n_contexts"_a);
    m.def("pack_streams", pack_streams, "coder"_a, "streams"_a, "n_contexts"_a,
          "(tables that all streams have in common, [(raw bits, coded symbols) of each]).");
    m.def(
        "pack_payload",
        [](int coder, const WrittenStream& stream, unsigned n_contexts) {
            require_coder(coder);
            require_contexts(n_contexts);
            check_contexts(stream.contexts, n_contexts);
            Bytes out;
            {
                nb::gil_scoped_release release;
                out = aig::pack_payload(coder, stream, n_contexts);
            }
            return to_bytes(out);
        },
        "coder"_a, "stream"_a, "n_contexts"_a, "The coded symbols of a stream behind tables of its own.");
}
