// The kernels themselves, included by one file per instruction set, which defines MEMTAX_KERNELS and
// MEMTAX_KERNEL_NAME.
//
// Cost per token of corpus: about ten 16-bit vector operations (order hashes and their sliding minimum by doubling, so
// without any serial chain), and per anchor one hash and one word of the filter. Only what passes the filter costs
// more.
//
// Everything has internal linkage and no standard container is used: see hashes.hpp for why.
#include <cstdint>
#include <cstring>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "hashes.hpp"
#include "kernels.hpp"

namespace memtax {
namespace {

#include "kernel_minimizers.inl"

// Token by token, eight bytes at a time; windows have 16 bytes or more.
inline bool equal_bytes(const unsigned char* a, const unsigned char* b, size_t bytes) {
    uint64_t different = 0;
    if (bytes == 64) {  // 32 tokens of 16 bits: unrolled, one comparison where vectors are that wide
        for (size_t i = 0; i < 64; i += 8) different |= load64(a + i) ^ load64(b + i);
        return different == 0;
    }
    for (size_t i = 0; i + 8 < bytes; i += 8) different |= load64(a + i) ^ load64(b + i);
    return (different | (load64(a + bytes - 8) ^ load64(b + bytes - 8))) == 0;
}

template <typename Token>
inline uint32_t keep_hits(const TableView& table, const Token* tokens, const Candidate* candidates, uint32_t n,
                          Hit* hits) {
    const size_t bytes = window_bytes(table);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; ++i) {
        const unsigned char* const window = reinterpret_cast<const unsigned char*>(tokens + candidates[i].offset);
        hits[count] = candidates[i];
        count += equal_bytes(table.tokens + candidates[i].query * bytes, window, bytes);
    }
    return count;
}

// Buckets up to this size are walked; larger ones (many queries around one common gram) are searched window by window.
constexpr uint32_t kWalk = 12;

template <typename Token, uint32_t Gram>
uint32_t find_hits_of(const TableView& table, const void* corpus, uint32_t n_windows, Scratch& scratch, Hit* hits) {
    constexpr uint32_t gram_bytes = Gram * sizeof(Token);
    const Token* const tokens = static_cast<const Token*>(corpus);
    const unsigned char* const bytes = static_cast<const unsigned char*>(corpus);
    const uint32_t span = table.length - Gram + 1;
    const uint32_t n_anchors = find_anchors<Token, Gram>(tokens, n_windows, table.length, scratch);
    const int16_t* const order = scratch.order + kMargin;
    scratch.starts[n_anchors] = static_cast<uint16_t>(n_windows);

    // Two rounds, so that the filter's words are under way while anchors are hashed.
    const uint64_t* const filter = table.filter;
    const uint64_t filter_words = table.filter_words, gram_mask = table.gram_mask;
    for (uint32_t i = 0; i < n_anchors; ++i) {
        const uint32_t start = scratch.starts[i];
        const uint32_t place = start + first_equal(order + start, scratch.lowest[start], span);
        scratch.places[i] = static_cast<uint16_t>(place);
        const uint64_t gram = gram_hash<gram_bytes>(bytes + place * sizeof(Token)) & gram_mask;
        scratch.grams[i] = gram;
        __builtin_prefetch(filter + filter_word(static_cast<uint32_t>(gram >> 32), filter_words));
    }
    uint32_t n_passed = 0;
    for (uint32_t i = 0; i < n_anchors; ++i) {
        const uint64_t gram = scratch.grams[i];
        const uint64_t bits = filter_bits(static_cast<uint32_t>(gram));
        const uint64_t word = filter[filter_word(static_cast<uint32_t>(gram >> 32), filter_words)];
        scratch.passed[n_passed] = static_cast<uint16_t>(i);
        n_passed += (word & bits) == bits;
    }
    if (n_passed == 0) return 0;

    // What is left is staged, so that memory is fetched for all before it is needed for one.
    for (uint32_t i = 0; i < n_passed; ++i)
        __builtin_prefetch(table.directory +
                           bucket_of(table, static_cast<uint32_t>(scratch.grams[scratch.passed[i]] >> 32)));
    for (uint32_t i = 0; i < n_passed; ++i)
        __builtin_prefetch(
            table.keys +
            table.directory[bucket_of(table, static_cast<uint32_t>(scratch.grams[scratch.passed[i]] >> 32))]);
    uint32_t n_candidates = 0, n_hits = 0;
    const size_t stride = window_bytes(table);
    for (uint32_t i = 0; i < n_passed; ++i) {
        const uint32_t anchor = scratch.passed[i];
        const uint32_t gram_high = static_cast<uint32_t>(scratch.grams[anchor] >> 32);
        const uint32_t place = scratch.places[anchor];
        const uint32_t first = scratch.starts[anchor], end = scratch.starts[anchor + 1];
        const uint32_t bucket = bucket_of(table, gram_high);
        const uint32_t bucket_begin = table.directory[bucket], bucket_end = table.directory[bucket + 1];
        if (n_candidates + kMaxLength > kCandidates) {
            n_hits += keep_hits(table, tokens, scratch.candidates, n_candidates, hits + n_hits);
            n_candidates = 0;
        }
        if (bucket_end - bucket_begin <= kWalk) {
            // Downwards: within one gram the place falls, so the offset rises.
            for (uint32_t query = bucket_end; query-- > bucket_begin;) {
                const uint64_t key = table.keys[query];
                const uint32_t offset = place - key_place(key);
                if (key_gram(key) != gram_high || offset - first >= end - first) continue;
                scratch.candidates[n_candidates++] = {offset, query};
                __builtin_prefetch(table.tokens + query * stride);
            }
            continue;
        }
        for (uint32_t offset = first; offset < end; ++offset) {
            const unsigned char* const window = bytes + offset * sizeof(Token);
            const uint64_t key =
                make_key(scratch.grams[anchor], place - offset, window_hash(window, stride) & table.window_mask);
            const uint64_t query = locate(table, key, window);
            if (query == table.n_queries) continue;
            scratch.candidates[n_candidates++] = {offset, static_cast<uint32_t>(query)};
        }
    }
    return n_hits + keep_hits(table, tokens, scratch.candidates, n_candidates, hits + n_hits);
}

template <typename Token, uint32_t Gram>
void describe_of(const TableView& table, const void* windows, size_t n, uint32_t first_index, Scratch& scratch,
                 WindowRecord* records) {
    const uint32_t length = table.length, span = length - Gram + 1;
    const size_t stride = window_bytes(table);
    const uint32_t per_block = kChunk / length;
    for (size_t done = 0; done < n; done += per_block) {
        const uint32_t here = static_cast<uint32_t>(n - done < per_block ? n - done : per_block);
        const unsigned char* const block = static_cast<const unsigned char*>(windows) + done * stride;
        // One stream of tokens: grams that straddle two windows are computed and never looked at.
        find_anchors<Token, Gram>(reinterpret_cast<const Token*>(block), (here - 1) * length + 1, length, scratch);
        const int16_t* const order = scratch.order + kMargin;
        for (uint32_t i = 0; i < here; ++i) {
            const uint32_t start = i * length;
            const uint32_t place = first_equal(order + start, scratch.lowest[start], span);
            const unsigned char* const window = block + i * stride;
            const uint64_t gram = gram_hash<Gram * sizeof(Token)>(window + place * sizeof(Token)) & table.gram_mask;
            const uint32_t hash = window_hash(window, stride) & table.window_mask;
            records[done + i] = {make_key(gram, place, hash), static_cast<uint32_t>(gram),
                                 static_cast<uint32_t>(first_index + done + i)};
        }
    }
}

uint32_t find_hits(const TableView& table, const void* tokens, uint32_t n_windows, Scratch& scratch, Hit* hits) {
    if (table.token_bytes == 2) {
        return table.gram == 4 ? find_hits_of<uint16_t, 4>(table, tokens, n_windows, scratch, hits)
                               : find_hits_of<uint16_t, 8>(table, tokens, n_windows, scratch, hits);
    }
    return table.gram == 4 ? find_hits_of<uint32_t, 4>(table, tokens, n_windows, scratch, hits)
                           : find_hits_of<uint32_t, 8>(table, tokens, n_windows, scratch, hits);
}

void describe(const TableView& table, const void* windows, size_t n, uint32_t first_index, Scratch& scratch,
              WindowRecord* records) {
    if (table.token_bytes == 2) {
        table.gram == 4 ? describe_of<uint16_t, 4>(table, windows, n, first_index, scratch, records)
                        : describe_of<uint16_t, 8>(table, windows, n, first_index, scratch, records);
    } else {
        table.gram == 4 ? describe_of<uint32_t, 4>(table, windows, n, first_index, scratch, records)
                        : describe_of<uint32_t, 8>(table, windows, n, first_index, scratch, records);
    }
}

// Far apart in memory, so fetched well ahead; written past the caches, which have no use for them yet.
void gather(const unsigned char* windows, const WindowRecord* records, size_t n, size_t bytes, unsigned char* to) {
    constexpr size_t ahead = 24;
    for (size_t i = 0; i < n; ++i) {
        if (i + ahead < n) {
            const unsigned char* const next = windows + records[i + ahead].index * bytes;
            for (size_t line = 0; line < bytes; line += 64) __builtin_prefetch(next + line);
            __builtin_prefetch(next + bytes - 1);
        }
        const unsigned char* const from = windows + records[i].index * bytes;
#ifdef __AVX2__
        if (bytes % sizeof(__m256i) == 0) {
            for (size_t at = 0; at < bytes; at += sizeof(__m256i))
                _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i * bytes + at),
                                    _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at)));
            continue;
        }
#endif
        std::memcpy(to + i * bytes, from, bytes);
    }
#ifdef __AVX2__
    _mm_sfence();
#endif
}

bool narrow(const uint32_t* __restrict from, uint16_t* __restrict to, size_t n) {
    uint32_t seen = 0;
    for (size_t i = 0; i < n; ++i) {
        seen |= from[i];
        to[i] = static_cast<uint16_t>(from[i]);
    }
    return seen <= 0xffff;
}

void widen(const uint16_t* __restrict from, uint32_t* __restrict to, size_t n) {
    for (size_t i = 0; i < n; ++i) to[i] = from[i];
}

}  // namespace

const Kernels MEMTAX_KERNELS = {MEMTAX_KERNEL_NAME, find_hits, describe, gather, narrow, widen};

}  // namespace memtax
