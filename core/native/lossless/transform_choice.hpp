// The encoder's choice among the reversible colour transforms.
#pragma once
#include "lossless/strips.hpp"

namespace aig {

// The one for which the simplest prediction is best, at a thousand places of the band.
template <class Pixel> unsigned choose_transform(View<const Pixel> pixels, Component component, const Band& band);

}  // namespace aig
