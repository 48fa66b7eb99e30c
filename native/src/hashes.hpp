// The hashes that a query table is built on. They are part of the file format: changing one changes kFormatVersion.
//
// Everything here has internal linkage on purpose: this header is compiled for several instruction sets, and the linker
// must not let one file's copy, with instructions that the processor may lack, stand in for another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "table_view.hpp"

namespace memtax {
namespace {

constexpr uint64_t kSecret[4] = {0x8bb84b93962eacc9u, 0x4b33a62ed433d4a3u, 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu};

inline size_t window_bytes(const TableView& table) {
    return size_t{table.length} * table.token_bytes;
}

inline uint64_t load64(const void* from) {
    uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

// The two halves of a 128-bit product, folded.
inline uint64_t fold_multiply(uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Hash of a gram of `Bytes` bytes (8, 16 or 32).
template <uint32_t Bytes>
inline uint64_t gram_hash(const unsigned char* at) {
    static_assert(Bytes == 8 || Bytes == 16 || Bytes == 32, "grams are 4 or 8 tokens of 2 or 4 bytes");
    uint64_t h;
    if (Bytes == 8) {
        h = fold_multiply(load64(at) ^ kSecret[0], kSecret[1]);
    } else {
        h = fold_multiply(load64(at) ^ kSecret[0], load64(at + 8) ^ kSecret[1]);
        if (Bytes == 32) h += fold_multiply(load64(at + 16) ^ kSecret[2], load64(at + 24) ^ kSecret[3]);
    }
    h ^= h >> 32;
    h *= kSecret[2];
    return h ^ (h >> 29);
}

// Hash of a whole window of 16 bytes or more, kWindowHashBits of it.
inline uint32_t window_hash(const unsigned char* at, size_t bytes) {
    uint64_t h = kSecret[3];
    for (size_t i = 0; i + 16 < bytes; i += 16) h = fold_multiply(load64(at + i) ^ h, load64(at + i + 8) ^ kSecret[1]);
    // The last 16 bytes, which may overlap the ones before.
    h = fold_multiply(load64(at + bytes - 16) ^ h, load64(at + bytes - 8) ^ kSecret[2]);
    return static_cast<uint32_t>(h >> (64 - kWindowHashBits));
}

inline uint64_t make_key(uint64_t gram, uint32_t place, uint32_t window) {
    return (gram >> 32 << 32) | (uint64_t{place} << kWindowHashBits) | window;
}

inline uint32_t key_gram(uint64_t key) {
    return static_cast<uint32_t>(key >> 32);
}

inline uint32_t key_place(uint64_t key) {
    return static_cast<uint32_t>(key >> kWindowHashBits) & ((1u << kPlaceBits) - 1);
}

// The filter: a word by the upper half of the anchor's hash, ascending with it, and four bits of it by the lower half.
inline uint64_t filter_word(uint32_t gram_high, uint64_t words) {
    return (uint64_t{gram_high} * words) >> 32;
}

inline uint64_t filter_bits(uint32_t gram_low) {
    return (uint64_t{1} << (gram_low & 63)) | (uint64_t{1} << (gram_low >> 6 & 63)) |
           (uint64_t{1} << (gram_low >> 12 & 63)) | (uint64_t{1} << (gram_low >> 18 & 63));
}

inline uint32_t bucket_of(const TableView& table, uint32_t gram_high) {
    return static_cast<uint32_t>(uint64_t{gram_high} >> (32 - table.directory_bits));
}

// The index of the query with this key and these tokens, or n_queries. Binary search: for buckets of any size.
inline uint64_t locate(const TableView& table, uint64_t key, const unsigned char* tokens) {
    const uint32_t bucket = bucket_of(table, key_gram(key));
    const size_t bytes = window_bytes(table);
    uint64_t low = table.directory[bucket], high = table.directory[bucket + 1];
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        int order = table.keys[middle] < key ? -1 : table.keys[middle] > key ? 1 : 0;
        if (order == 0) order = std::memcmp(table.tokens + middle * bytes, tokens, bytes);
        if (order == 0) return middle;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return table.n_queries;
}

}  // namespace
}  // namespace memtax
