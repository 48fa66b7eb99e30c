// Screening for x86-64 with AMX: products of tiles of 8-bit codes, 16,384 of them an instruction.
#include "similarity_avx512.hpp"

#define MEMTAX_TILE_CONFIGURE(configuration) _tile_loadconfig(configuration)
#define MEMTAX_TILE_ZERO(tile) _tile_zero(tile)
#define MEMTAX_TILE_LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
#define MEMTAX_TILE_PRODUCT(sums, queries, references) _tile_dpbsud(sums, queries, references)
#define MEMTAX_TILE_STORE(tile, to, stride) _tile_stored(tile, to, stride)
#define MEMTAX_TILE_RELEASE() _tile_release()

namespace memtax::similarity {
namespace {

inline size_t keep_row(const int32_t* sums, const Group& group, size_t first, const QueryBlock& queries, size_t query,
                       Candidate* found, size_t n_found) {
    const __m512i products = _mm512_add_epi32(_mm512_load_si512(sums), _mm512_set1_epi32(queries.corrections[query]));
    return keep_passed(products, _mm512_loadu_ps(group.scales + first), _mm512_loadu_ps(group.errors + first), queries,
                       query, first, found, n_found);
}

}  // namespace
}  // namespace memtax::similarity

#include "similarity_amx.inl"

namespace memtax::similarity {

const Kernel kAmx = {"amx", 127, screen, dot_avx512};

}  // namespace memtax::similarity
