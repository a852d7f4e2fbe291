// Entropy coders as arguments from Python: by their numbers in files.
#pragma once
#include "bindings/arrays.hpp"
#include "entropy/coders.hpp"

namespace {

void require_coder(int number) { require(aig::is_coder(number), "no such entropy coder"); }

[[maybe_unused]] aig::Payload payload(int coder, const nb::bytes& coded, const nb::bytes& raw) {
    return {coder, {as_span(raw), as_span(coded)}};
}

}  // namespace
