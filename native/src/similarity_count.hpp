// Counts, for each query, the references whose cosine reaches each of some thresholds, without an error.
#pragma once

#include <cstdint>
#include <vector>

#include "similarity_pack.hpp"

namespace memtax::similarity {

struct Pair {
    uint32_t query;
    uint32_t reference;
    uint32_t level;  // how many of the thresholds it reaches, from 1 on
};

struct Matches {
    std::vector<int64_t> counts;  // [queries][thresholds]
    std::vector<Pair> pairs;      // those that reach the lowest threshold, in no order
    bool complete = true;         // false if there were more pairs than asked for, and `pairs` is void
};

// A pair reaches a threshold if exact_cosine() >= threshold; zero vectors reach none. `own` is, for each query, the
// reference that is the query itself and is left out, or -1. Thresholds ascend. The answer does not depend on threads
// or instruction set.
//
// Cost: one byte product per pair and dimension, and a float64 product of vectors for the pairs near a threshold.
// Memory besides the result: some hundred KB a thread, whatever the numbers of queries and references.
Matches count_matches(const References& references, const Queries& queries, const std::vector<double>& thresholds,
                      const int64_t* own, size_t most_pairs, unsigned threads);

}  // namespace memtax::similarity
