// The hot loops, once per instruction set, behind one table of functions.
//
// Every set gives the same answers bit for bit. A kernel keeps its state in a Scratch of the caller's, reads no token
// outside the given range and allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "table_view.hpp"

namespace memtax {

// Windows per call of find_hits: the scratch arrays of that many stay in the first-level cache.
constexpr uint32_t kChunk = 2048;
// Room for whole vectors before an array's first element and past its last.
constexpr uint32_t kMargin = 256;
constexpr uint32_t kSlack = 128;
constexpr uint32_t kScratchTokens = kMargin + kChunk + kMaxLength + kSlack;
// Candidates that are verified together, so that their windows arrive while others are compared.
constexpr uint32_t kCandidates = 1024;

struct Candidate {
    uint32_t offset;
    uint32_t query;
};

// A window of the corpus that equals a query: where it begins, and which one it is.
using Hit = Candidate;

struct alignas(64) Scratch {
    int16_t order[kScratchTokens];       // from kMargin on: order hash of the gram at each position
    int16_t runs[kScratchTokens];        // likewise: the lowest of several from there on
    int16_t other_runs[kScratchTokens];  // likewise
    int16_t lowest[kChunk + kSlack];     // the lowest of each window
    uint16_t starts[kChunk + kSlack];    // first window of each anchor
    uint16_t places[kChunk + kSlack];    // position of each anchor
    uint16_t passed[kChunk + kSlack];    // anchors that the filter lets through
    uint64_t grams[kChunk + kSlack];     // hash of each anchor
    Candidate candidates[kCandidates + kSlack];
};

// One window, as the builder sorts it.
struct WindowRecord {
    uint64_t key;       // as in TableView::keys
    uint32_t gram_low;  // the part of the anchor's hash that chooses the filter's bits
    uint32_t index;     // its place in the input
};

struct Kernels {
    const char* name;
    // Writes every hit among the windows that begin at 0 … n_windows - 1 (at most kChunk) of `tokens`, ascending, to
    // `hits` (room for n_windows + 1) and returns how many. Tokens are of the table's own type.
    uint32_t (*find_hits)(const TableView& table, const void* tokens, uint32_t n_windows, Scratch& scratch, Hit* hits);
    // Fills key and gram_low for n windows of `table.length` tokens that lie one after the other; index counts from
    // `first_index`.
    void (*describe)(const TableView& table, const void* windows, size_t n, uint32_t first_index, Scratch& scratch,
                     WindowRecord* records);
    // Copies the windows of n records, in their order, to `to` (aligned to 64 bytes), `bytes` each.
    void (*gather)(const unsigned char* windows, const WindowRecord* records, size_t n, size_t bytes,
                   unsigned char* to);
    // Copies 32-bit tokens as 16-bit ones; false if one does not fit (the copy is then void).
    bool (*narrow)(const uint32_t* from, uint16_t* to, size_t n);
    void (*widen)(const uint16_t* from, uint32_t* to, size_t n);
};

extern const Kernels kPortableKernels;
#ifdef MEMTAX_X86_KERNELS
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace memtax
