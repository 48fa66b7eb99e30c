// What the kernels with 512-bit vectors share; only for files that are compiled for AVX-512.
#pragma once

#include <immintrin.h>

#include "similarity_kernels.hpp"

namespace memtax::similarity {
namespace {

// Adds the pairs of one query and 16 references that pass to found[n_found …]; returns the new n_found.
inline size_t keep_passed(__m512i products, __m512 scales, __m512 errors, const QueryBlock& queries, size_t query,
                          size_t first, Candidate* found, size_t n_found) {
    const __m512 error = _mm512_mul_ps(_mm512_set1_ps(queries.alphas[query]), errors);
    const __m512 bound = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), scales, error);
    unsigned passed = _mm512_cmp_ps_mask(bound, _mm512_set1_ps(queries.betas[query]), _CMP_GE_OQ);
    if (__builtin_expect(passed == 0, 1)) return n_found;
    alignas(64) int32_t values[16];
    _mm512_store_si512(values, products);
    for (; passed != 0; passed &= passed - 1) {
        const auto lane = static_cast<size_t>(__builtin_ctz(passed));
        found[n_found++] = {static_cast<uint32_t>(query), static_cast<uint32_t>(first + lane), values[lane]};
    }
    return n_found;
}

inline double dot_avx512(const float* a, const float* b, size_t n) {
    __m512d sums[4] = {_mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd()};
    size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (size_t j = 0; j < 4; ++j)
            sums[j] = _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_loadu_ps(a + i + 8 * j)),
                                      _mm512_cvtps_pd(_mm256_loadu_ps(b + i + 8 * j)), sums[j]);
    double sum = _mm512_reduce_add_pd(_mm512_add_pd(_mm512_add_pd(sums[0], sums[1]), _mm512_add_pd(sums[2], sums[3])));
    for (; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

}  // namespace
}  // namespace memtax::similarity
