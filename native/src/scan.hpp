// Counts the queries of a table in sequences of tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query_table.hpp"

namespace memtax {

// One query found in one sequence.
struct Count {
    uint32_t query;
    uint32_t occurrences;
    uint32_t first_offset;
};

// Sequences that lie in one array: sequence i is values[offsets[i] … offsets[i + 1] - 1].
struct Sequences {
    const void* values;
    uint32_t token_bytes;  // 2 or 4, whatever the table's own
    const int64_t* offsets;
    size_t n;
};

struct ScanResult {
    std::vector<int64_t> row_offsets;        // n + 1: sequence i has counts row_offsets[i] … row_offsets[i + 1] - 1
    std::vector<std::vector<Count>> blocks;  // one after the other they are the counts, sequence by sequence
};

// Within a sequence counts ascend by first_offset. The answer does not depend on threads or instruction set.
//
// Cost: one pass over the tokens. Memory besides the result: about 100 KB a thread, whatever the size of the input.
// Throws std::invalid_argument for a sequence of 2^31 tokens or more, or an unknown instruction set.
ScanResult scan(const QueryTable& table, const Sequences& sequences, unsigned threads,
                const std::string& instruction_set);

}  // namespace memtax
