// Earlier occurrences of the neighbourhood of a pixel, at any distance, for the screen-content coder (format.md,
// 7.1.7).
#pragma once
#include "screen/neighbours.hpp"

namespace aig::screen {

// A displacement at which pixels have been found again.
struct Match {
    int up = 0, right = 0;  // rows and columns
    unsigned trust = 0;     // grows with every recent hit; 0 where there is no match

    bool holds(const Match& m) const { return trust >= m.trust && up == m.up && right == m.right; }
};

inline constexpr unsigned kMostTrust = 15;

// The pixel that a match predicts, and the evidence for it.
struct Expected {
    uint32_t pixel = 0;
    unsigned trust = 0, alike = 0;  // how many of six neighbours are alike

    bool exists() const { return trust > 0; }
};

// Matches go from pixel to pixel, and begin where all six neighbours are found again.
class Matches {
  public:
    // `bits` is the logarithm of the number of places.
    Matches(int width, unsigned bits)
        : width_(width), here_(static_cast<size_t>(width) + 2), above_(here_), places_(size_t{1} << bits),
          shift_(32 - bits) {}

    // The best of W's, N's and NE's match and the place of this hash.
    Expected find(const Window& window, const Neighbours& near, int x, uint32_t hash) {
        score_ = 0, match_ = {}, expected_ = {};
        const auto i = static_cast<size_t>(x) + 1;
        const Match &w = here_[i - 1], &n = above_[i], &ne = above_[i + 1];
        if (w.trust) consider(window, near, x, w, 0);
        // A match already considered with as much trust cannot win again.
        if (n.trust && !w.holds(n)) consider(window, near, x, n, 0);
        if (ne.trust && !w.holds(ne) && !n.holds(ne)) consider(window, near, x, ne, 0);
        const Place& place = places_[hash >> shift_];
        if (place.row && window.row() - place.row < static_cast<uint32_t>(window.reach()))
            consider(window, near, x, {static_cast<int>(window.row() - place.row), place.x - x, 1}, kSix);
        return expected_;
    }
    // After find(): what the pixel is.
    void learn(const Window& window, int x, uint32_t hash, uint32_t pixel) {
        if (match_.trust)
            match_.trust = expected_.pixel == pixel ? std::min(match_.trust + 1, kMostTrust) : match_.trust / 2;
        here_[static_cast<size_t>(x) + 1] = match_;
        places_[hash >> shift_] = {window.row(), x};
    }
    // Instead of both, where a flat place goes on.
    void go_on(int x) { here_[static_cast<size_t>(x) + 1] = here_[static_cast<size_t>(x)]; }
    void next_row() {
        std::swap(here_, above_);
        std::fill(here_.begin(), here_.end(), Match{});
    }

  private:
    static constexpr unsigned kSix = 6;

    struct Place {
        uint32_t row = 0;  // as Window counts them; 0 for none
        int x = 0;
    };

    // All that lies within the box and the window was coded before: a place by its making, other matches by that of
    // theirs.
    void consider(const Window& window, const Neighbours& near, int x, const Match& match, unsigned least) {
        const int column = x + match.right;
        if (column < 0 || column >= width_ || match.up >= window.reach()) return;
        const uint32_t *here = window.above(match.up) + column, *above = window.above(match.up + 1) + column;
        const unsigned alike = (here[-1] == near.w) + (above[0] == near.n) + (above[-1] == near.nw) +
                               (above[1] == near.ne) + (here[-2] == near.ww) +
                               (window.above(match.up + 2)[column] == near.nn);
        const unsigned score = (kMostTrust + 1) * alike + match.trust;
        if (alike < least || score <= score_) return;
        score_ = score, match_ = match, expected_ = {here[0], match.trust, alike};
    }

    int width_;
    std::vector<Match> here_, above_;  // of columns -1 .. width
    std::vector<Place> places_;
    unsigned shift_;
    unsigned score_ = 0;
    Match match_;
    Expected expected_;
};

}  // namespace aig::screen
