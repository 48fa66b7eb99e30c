// What a row of logits says of one token: its log-softmax, and whether it is the most likely one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace memtax {

struct LogitScore {
    double log_probability;  // NaN where a logit is NaN or +infinity, or all are -infinity
    bool greedy;             // the target is the first of the largest logits; false where log_probability is NaN
};

struct LogitKernel {
    const char* name;
    // One row of `size` logits (at least 1), target < size.
    LogitScore (*score)(const float* logits, size_t size, size_t target);
};

extern const LogitKernel kPortableLogits;
#ifdef MEMTAX_X86_KERNELS
extern const LogitKernel kAvx2Logits;
extern const LogitKernel kAvx512Logits;
#endif

// The kernel of an instruction set, the fastest for "". Throws std::invalid_argument for one that is not available.
const LogitKernel& logit_kernel(const std::string& name);

// Scores n rows, one after the other in memory.
void score_logits(const LogitKernel& kernel, const float* logits, const int64_t* targets, size_t n, size_t size,
                  unsigned threads, double* log_probabilities, bool* greedy);

}  // namespace memtax
