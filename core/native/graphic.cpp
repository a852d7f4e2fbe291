#include "graphic.hpp"
namespace aig {
Bytes graphic_encode(View<const std::uint8_t> p, const Region& r) {
    Bytes out;
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < p.width; ++x)
            if (r.contains(x, y)) out.insert(out.end(), p.row(y) + x * p.channels, p.row(y) + (x + 1) * p.channels);
    return out;
}
void graphic_decode(std::span<const std::uint8_t> c, View<std::uint8_t> p, const Region& r) {
    std::size_t i = 0;
    for (int y = 0; y < p.height; ++y)
        for (int x = 0; x < p.width; ++x)
            if (r.contains(x, y))
                for (int k = 0; k < p.channels; ++k) {
                    if (i >= c.size()) throw Corrupt("cut");
                    p.row(y)[x * p.channels + k] = c[i++];
                }
    if (i != c.size()) throw Corrupt("rest");
}
}  // namespace aig
