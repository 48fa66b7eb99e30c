// Histogram of token ids, and the plain reading pass that everything here is measured against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace memtax {

// counts[t] = how often t occurs among n tokens of 2 or 4 bytes, for t < size; with size 0, as many entries as the
// largest token needs. Throws std::invalid_argument for a token of `size` or more. Memory: 8 bytes an entry, and 8 or
// 16 a thread.
std::vector<uint64_t> count_tokens(const void* values, uint32_t token_bytes, size_t n, size_t size, unsigned threads);

// Reads every byte once and returns the exclusive or of its 64-bit words: the physical limit of any pass over tokens.
uint64_t read_pass(const void* values, size_t bytes, unsigned threads);

}  // namespace memtax
