// Analysis for the encoder: how often an image repeats itself, at any distance, and how many colours it has.
#pragma once
#include "base/region.hpp"

namespace aig {

struct Recurrence {
    int places = 0;               // sampled by content, so that repeated parts of an image have the same ones
    int right = 0;                // of them, those whose six neighbours occurred before with the same pixel
    int pixels = 0, colours = 0;  // of a coarse grid: its pixels, and how many different colours are among them
    bool grey = true;             // whether R, G and B of all of these are equal, if there are such channels
};

// Takes far less time than coding: it samples some 2048 pixels of a grid, and every place whose left neighbour has one
// certain byte, which is neither frequent nor rare.
Recurrence recurrence(View<const std::uint8_t> pixels, const Region& region);

}  // namespace aig
