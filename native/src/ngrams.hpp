// Hash and comparison of single runs of tokens, for SQL joins. Not the hashes of query tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtax {

// A stable 64-bit hash of n tokens; the same for 16-bit and 32-bit tokens, and on every machine:
//   h = n; for each token: h = (h xor token) * 0x9e3779b97f4a7c15 mod 2^64, then h = h xor (h >> 32);
//   at the end h = h * 0xd6e8feb86659fd93 mod 2^64, then h = h xor (h >> 32).
// Equal runs have equal hashes; unequal ones may, so compare the tokens of those that match.
template <typename Token>
inline uint64_t ngram_hash(const Token* tokens, size_t n) {
    uint64_t h = n;
    for (size_t i = 0; i < n; ++i) {
        h = (h ^ tokens[i]) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

template <typename A, typename B>
inline bool ngram_equal(const A* a, size_t n_a, const B* b, size_t n_b) {
    if (n_a != n_b) return false;
    for (size_t i = 0; i < n_a; ++i)
        if (a[i] != b[i]) return false;
    return true;
}

}  // namespace memtax
