// Screening with 256-bit vectors: 16 references by 4 queries at a time. Whoever includes this has defined MEMTAX_DOT4,
// MEMTAX_KERNEL, MEMTAX_KERNEL_NAME and MEMTAX_QUERY_LEVELS.
#include <immintrin.h>

#include <cstring>

#include "similarity_kernels.hpp"

namespace memtax::similarity {
namespace {

constexpr size_t kRows = 4;
constexpr size_t kHalves = 2;  // vectors of 8 references

inline __m256i four_codes(const int8_t* codes) {
    int32_t four;
    std::memcpy(&four, codes, sizeof four);
    return _mm256_set1_epi32(four);
}

// The empty statement keeps the sum in its register: GCC 12 would copy it about, and spill.
inline void add_products(__m256i& sum, __m256i references, __m256i four) {
    sum = MEMTAX_DOT4(sum, references, four);
    asm("" : "+x"(sum));
}

size_t screen(const Group& group, const QueryBlock& queries, Candidate* found) {
    size_t n_found = 0;
    for (size_t q = 0; q < queries.n; q += kRows) {
        for (size_t r = 0; r < kGroup; r += 8 * kHalves) {
            __m256i sums[kRows][kHalves];
#pragma GCC unroll 8
            for (size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 8
                for (auto& sum : sums[i]) sum = _mm256_set1_epi32(queries.corrections[q + i]);
            const int8_t* const query = queries.codes + q * queries.depth;
            const uint8_t* const codes = group.codes + 4 * r;
            for (size_t k = 0; k < queries.depth; k += 4) {
                const auto* const from = reinterpret_cast<const __m256i*>(codes + k * kGroup);
                const __m256i references[kHalves] = {_mm256_load_si256(from), _mm256_load_si256(from + 1)};
#pragma GCC unroll 8
                for (size_t i = 0; i < kRows; ++i) {
                    const __m256i four = four_codes(query + i * queries.depth + k);
#pragma GCC unroll 8
                    for (size_t half = 0; half < kHalves; ++half) add_products(sums[i][half], references[half], four);
                }
            }
#pragma GCC unroll 8
            for (size_t i = 0; i < kRows; ++i) {
                const __m256 alpha = _mm256_set1_ps(queries.alphas[q + i]);
                const __m256 beta = _mm256_set1_ps(queries.betas[q + i]);
#pragma GCC unroll 8
                for (size_t half = 0; half < kHalves; ++half) {
                    const size_t first = r + 8 * half;
                    const __m256 error = _mm256_mul_ps(alpha, _mm256_loadu_ps(group.errors + first));
                    const __m256 bound = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i][half]),
                                                         _mm256_loadu_ps(group.scales + first), error);
                    auto passed = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(bound, beta, _CMP_GE_OQ)));
                    if (passed == 0) continue;
                    alignas(32) int32_t products[8];
                    _mm256_store_si256(reinterpret_cast<__m256i*>(products), sums[i][half]);
                    for (; passed != 0; passed &= passed - 1) {
                        const auto lane = static_cast<size_t>(__builtin_ctz(passed));
                        found[n_found++] = {static_cast<uint32_t>(q + i), static_cast<uint32_t>(first + lane),
                                            products[lane]};
                    }
                }
            }
        }
    }
    return n_found;
}

double dot(const float* a, const float* b, size_t n) {
    __m256d sums[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t j = 0; j < 4; ++j)
            sums[j] = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4 * j)),
                                      _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4 * j)), sums[j]);
    alignas(32) double lanes[4];
    _mm256_store_pd(lanes, _mm256_add_pd(_mm256_add_pd(sums[0], sums[1]), _mm256_add_pd(sums[2], sums[3])));
    double sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    for (; i < n; ++i) sum += static_cast<double>(a[i]) * b[i];
    return sum;
}

}  // namespace

const Kernel MEMTAX_KERNEL = {MEMTAX_KERNEL_NAME, MEMTAX_QUERY_LEVELS, screen, dot};

}  // namespace memtax::similarity
