// A 128-bit hash of a block of memory, for digests and checksums: against accidents, not against an adversary.
//
// Cost: about the speed of reading the memory. The value depends on the bytes alone, not on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace memtax {

struct Hash128 {
    uint64_t low = 0, high = 0;
    bool operator==(const Hash128& other) const { return low == other.low && high == other.high; }
    std::string hex() const;
};

Hash128 content_hash(const void* data, size_t bytes, unsigned threads);

}  // namespace memtax
