// Screening on any processor: the plain loops that the others have to agree with.
#include "similarity_kernels.hpp"

namespace memtax::similarity {
namespace {

size_t screen(const Group& group, const QueryBlock& queries, Candidate* found) {
    size_t n_found = 0;
    for (size_t q = 0; q < queries.n; ++q) {
        int32_t products[kGroup];
        for (int32_t& product : products) product = queries.corrections[q];
        const int8_t* const query = queries.codes + q * queries.depth;
        for (size_t k = 0; k < queries.depth; k += 4) {
            const uint8_t* const codes = group.codes + k * kGroup;
            for (size_t r = 0; r < kGroup; ++r)
                for (size_t i = 0; i < 4; ++i) products[r] += query[k + i] * codes[4 * r + i];
        }
        for (size_t r = 0; r < kGroup; ++r) {
            const float bound = static_cast<float>(products[r]) * group.scales[r] + queries.alphas[q] * group.errors[r];
            if (bound >= queries.betas[q])
                found[n_found++] = {static_cast<uint32_t>(q), static_cast<uint32_t>(r), products[r]};
        }
    }
    return n_found;
}

double dot(const float* a, const float* b, size_t n) {
    double sums[4] = {};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(a[i + j]) * b[i + j];
    for (; i < n; ++i) sums[0] += static_cast<double>(a[i]) * b[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

const Kernel kPortable = {"portable", 127, screen, dot};

}  // namespace memtax::similarity
