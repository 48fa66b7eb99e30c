#include "content_hash.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "hashes.hpp"
#include "parallel.hpp"

namespace memtax {
namespace {

constexpr size_t kBlock = size_t{1} << 20;
constexpr size_t kLanes = 4;

// One block, in lanes of 16 bytes that do not wait for each other.
Hash128 hash_block(const unsigned char* data, size_t bytes) {
    uint64_t lanes[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = kSecret[lane] ^ bytes;
    const auto absorb = [&lanes](const unsigned char* stripe) {
        for (size_t lane = 0; lane < kLanes; ++lane) {
            const unsigned char* const at = stripe + 16 * lane;
            lanes[lane] = fold_multiply(load64(at) ^ lanes[lane], load64(at + 8) ^ kSecret[lane]) + lanes[lane];
        }
    };
    constexpr size_t stripe = 16 * kLanes;
    size_t done = 0;
    for (; done + stripe <= bytes; done += stripe) absorb(data + done);
    if (done < bytes) {
        unsigned char rest[stripe] = {};
        std::memcpy(rest, data + done, bytes - done);
        absorb(rest);
    }
    Hash128 result;
    result.low = fold_multiply(lanes[0] ^ kSecret[1], lanes[1] ^ kSecret[2]) + fold_multiply(lanes[2], lanes[3] | 1);
    result.high = fold_multiply(lanes[0] ^ kSecret[3], lanes[2] ^ kSecret[0]) + fold_multiply(lanes[3], lanes[1] | 1);
    return result;
}

}  // namespace

std::string Hash128::hex() const {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (const uint64_t half : {high, low})
        for (int shift = 60; shift >= 0; shift -= 4) text += digits[half >> shift & 15];
    return text;
}

Hash128 content_hash(const void* data, size_t bytes, unsigned threads) {
    const unsigned char* const from = static_cast<const unsigned char*>(data);
    const size_t n_blocks = (bytes + kBlock - 1) / kBlock;
    std::vector<Hash128> blocks(n_blocks);
    parallel_for(n_blocks, threads, [&](size_t block) {
        const size_t begin = block * kBlock;
        blocks[block] = hash_block(from + begin, std::min(kBlock, bytes - begin));
    });
    return hash_block(reinterpret_cast<const unsigned char*>(blocks.data()), blocks.size() * sizeof(Hash128));
}

}  // namespace memtax
