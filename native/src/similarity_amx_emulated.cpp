// The kernel for AMX over tiles that are arrays, as Intel's manual defines the operations: it lets the tests run every
// line of similarity_amx.inl on a processor without tiles.
#include <cstring>

#include "similarity_kernels.hpp"

namespace memtax::similarity {
namespace {

struct Tiles {
    uint8_t bytes[8][16][64];
};
thread_local Tiles tiles;

void load(int tile, const void* from, size_t stride) {
    for (size_t row = 0; row < 16; ++row)
        std::memcpy(tiles.bytes[tile][row], static_cast<const uint8_t*>(from) + row * stride, 64);
}

void store(int tile, void* to, size_t stride) {
    for (size_t row = 0; row < 16; ++row)
        std::memcpy(static_cast<uint8_t*>(to) + row * stride, tiles.bytes[tile][row], 64);
}

// TDPBSUD: sums[m][n] += the sum over k and i of signed a[m][4 k + i] * unsigned b[k][4 n + i].
void product(int sums, int a, int b) {
    for (size_t m = 0; m < 16; ++m)
        for (size_t n = 0; n < 16; ++n) {
            int32_t sum;
            std::memcpy(&sum, &tiles.bytes[sums][m][4 * n], 4);
            for (size_t k = 0; k < 16; ++k)
                for (size_t i = 0; i < 4; ++i)
                    sum += static_cast<int8_t>(tiles.bytes[a][m][4 * k + i]) * tiles.bytes[b][k][4 * n + i];
            std::memcpy(&tiles.bytes[sums][m][4 * n], &sum, 4);
        }
}

size_t keep_row(const int32_t* sums, const Group& group, size_t first, const QueryBlock& queries, size_t query,
                Candidate* found, size_t n_found) {
    for (size_t lane = 0; lane < 16; ++lane) {
        const int32_t dot = sums[lane] + queries.corrections[query];
        const float error = queries.alphas[query] * group.errors[first + lane];
        if (static_cast<float>(dot) * group.scales[first + lane] + error >= queries.betas[query])
            found[n_found++] = {static_cast<uint32_t>(query), static_cast<uint32_t>(first + lane), dot};
    }
    return n_found;
}

}  // namespace
}  // namespace memtax::similarity

#define MEMTAX_TILE_CONFIGURE(configuration) static_cast<void>(configuration)
#define MEMTAX_TILE_ZERO(tile) std::memset(tiles.bytes[tile], 0, sizeof tiles.bytes[tile])
#define MEMTAX_TILE_LOAD(tile, from, stride) load(tile, from, stride)
#define MEMTAX_TILE_PRODUCT(sums, queries, references) product(sums, queries, references)
#define MEMTAX_TILE_STORE(tile, to, stride) store(tile, to, stride)
#define MEMTAX_TILE_RELEASE() static_cast<void>(0)
#include "similarity_amx.inl"

namespace memtax::similarity {

const Kernel kAmxEmulated = {"amx_emulated", 127, screen,
                             [](const float* a, const float* b, size_t n) { return kPortable.dot(a, b, n); }};

}  // namespace memtax::similarity
