// Screening with tiles: 32 queries by 32 references at a time, in four tiles of sums. Whoever includes this has defined
// the MEMTAX_TILE_… operations and keep_row().
//
// Tiles 0 … 3 are sums of 16 queries (rows) by 16 references (columns), 4 and 5 codes of 16 queries by 64 dimensions, 6
// and 7 codes of 16 references by 64 dimensions, four of each reference together.

namespace memtax::similarity {
namespace {

constexpr size_t kTile = 16;
static_assert(kQueryStep % (2 * kTile) == 0 && kGroup % (2 * kTile) == 0 && kDepthStep == 4 * kTile);

// As the processor reads it: palette 1, then the bytes of a row and the rows of each tile.
struct alignas(64) TileConfiguration {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {kTile, kTile, kTile, kTile, kTile, kTile, kTile, kTile};
};

size_t screen(const Group& group, const QueryBlock& queries, Candidate* found) {
    static const TileConfiguration configuration;
    MEMTAX_TILE_CONFIGURE(&configuration);
    alignas(64) int32_t sums[2][2][kTile][kTile];
    size_t n_found = 0;
    for (size_t q = 0; q < queries.n; q += 2 * kTile) {
        const int8_t* const query = queries.codes + q * queries.depth;
        for (size_t r = 0; r < kGroup; r += 2 * kTile) {
            const uint8_t* const codes = group.codes + 4 * r;
            MEMTAX_TILE_ZERO(0);
            MEMTAX_TILE_ZERO(1);
            MEMTAX_TILE_ZERO(2);
            MEMTAX_TILE_ZERO(3);
            for (size_t k = 0; k < queries.depth; k += kDepthStep) {
                MEMTAX_TILE_LOAD(4, query + k, queries.depth);
                MEMTAX_TILE_LOAD(6, codes + k * kGroup, 4 * kGroup);
                MEMTAX_TILE_LOAD(7, codes + k * kGroup + 4 * kTile, 4 * kGroup);
                MEMTAX_TILE_PRODUCT(0, 4, 6);
                MEMTAX_TILE_PRODUCT(1, 4, 7);
                MEMTAX_TILE_LOAD(5, query + kTile * queries.depth + k, queries.depth);
                MEMTAX_TILE_PRODUCT(2, 5, 6);
                MEMTAX_TILE_PRODUCT(3, 5, 7);
            }
            MEMTAX_TILE_STORE(0, sums[0][0], 4 * kTile);
            MEMTAX_TILE_STORE(1, sums[0][1], 4 * kTile);
            MEMTAX_TILE_STORE(2, sums[1][0], 4 * kTile);
            MEMTAX_TILE_STORE(3, sums[1][1], 4 * kTile);
            for (size_t i = 0; i < 2; ++i)
                for (size_t row = 0; row < kTile; ++row)
                    for (size_t j = 0; j < 2; ++j)
                        n_found = keep_row(sums[i][j][row], group, r + j * kTile, queries, q + i * kTile + row, found,
                                           n_found);
        }
    }
    MEMTAX_TILE_RELEASE();
    return n_found;
}

}  // namespace
}  // namespace memtax::similarity
