// What a query table is made of: plain sizes and pointers, so that kernels of every instruction set can share it.
//
// A query table holds n distinct windows of `length` tokens. Each window has one *anchor*: of its grams (runs of `gram`
// tokens) the one with the smallest order hash, the leftmost if several tie (a minimizer). A window of the corpus that
// equals a query has its anchor at the same place, so only anchors, about one position in (length - gram + 2) / 2, are
// looked up.
//
//   filter     one 64-bit word per few queries; four bits of a word are set for each query's anchor
//   directory  by the top bits of the anchor's hash: where in `keys` that bucket begins (a last entry holds n)
//   keys       ascending, one per query: anchor's hash (32 bits), anchor's place (7), hash of the window (25)
//   tokens     the windows, in the order of the keys; equal keys in byte order. The rank is the query's index.
//
// Every array but `tokens` and `filter` together takes at most 12 bytes a query (16 for fewer than a handful).
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtax {

constexpr uint32_t kMinLength = 8;
constexpr uint32_t kMaxLength = 128;

// Bits of a key below the anchor's hash.
constexpr uint32_t kPlaceBits = 7;
constexpr uint32_t kWindowHashBits = 25;

struct TableView {
    uint32_t length = 0;
    uint32_t gram = 0;
    uint32_t token_bytes = 0;  // 2 or 4
    uint32_t directory_bits = 0;
    uint64_t n_queries = 0;
    uint64_t filter_words = 0;
    uint64_t gram_mask = 0;    // of an anchor's 64-bit hash; tests keep few bits, to force collisions
    uint32_t window_mask = 0;  // of a window's hash, likewise
    const uint64_t* filter = nullptr;
    const uint32_t* directory = nullptr;
    const uint64_t* keys = nullptr;
    const unsigned char* tokens = nullptr;
};

// Tokens in a gram: long enough to be rare in text, short enough to leave many places in a window.
constexpr uint32_t gram_of(uint32_t length) {
    return length < 16 ? 4 : 8;
}

}  // namespace memtax
