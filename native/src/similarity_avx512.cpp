// Screening for x86-64 with AVX-512 and its products of four 8-bit codes: 64 references by 6 queries at a time, which
// keeps 24 sums, 4 vectors of references and a query's codes in registers.
#include "similarity_avx512.hpp"

#include <cstring>

namespace memtax::similarity {
namespace {

constexpr size_t kRows = 6;
constexpr size_t kQuarters = 4;  // vectors of 16 references
static_assert(kQueryStep % kRows == 0 && kGroup == 16 * kQuarters);

inline __m512i four_codes(const int8_t* codes) {
    int32_t four;
    std::memcpy(&four, codes, sizeof four);
    return _mm512_set1_epi32(four);
}

// The empty statement keeps the sum in its register: GCC 12 would copy it about, and spill.
inline void add_products(__m512i& sum, __m512i references, __m512i four) {
    sum = _mm512_dpbusd_epi32(sum, references, four);
    asm("" : "+v"(sum));
}

size_t screen(const Group& group, const QueryBlock& queries, Candidate* found) {
    size_t n_found = 0;
    __m512 scales[kQuarters], errors[kQuarters];
#pragma GCC unroll 8
    for (size_t j = 0; j < kQuarters; ++j) {
        scales[j] = _mm512_loadu_ps(group.scales + 16 * j);
        errors[j] = _mm512_loadu_ps(group.errors + 16 * j);
    }
    for (size_t q = 0; q < queries.n; q += kRows) {
        __m512i sums[kRows][kQuarters];
#pragma GCC unroll 8
        for (size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 8
            for (auto& sum : sums[i]) sum = _mm512_set1_epi32(queries.corrections[q + i]);
        const int8_t* query = queries.codes + q * queries.depth;
        const uint8_t* codes = group.codes;
        for (size_t k = 0; k < queries.depth; k += 4, query += 4, codes += 4 * kGroup) {
            __m512i references[kQuarters];
#pragma GCC unroll 8
            for (size_t j = 0; j < kQuarters; ++j) references[j] = _mm512_load_si512(codes + 64 * j);
#pragma GCC unroll 8
            for (size_t i = 0; i < kRows; ++i) {
                const __m512i four = four_codes(query + i * queries.depth);
#pragma GCC unroll 8
                for (size_t j = 0; j < kQuarters; ++j) add_products(sums[i][j], references[j], four);
            }
        }
#pragma GCC unroll 8
        for (size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 8
            for (size_t j = 0; j < kQuarters; ++j)
                n_found = keep_passed(sums[i][j], scales[j], errors[j], queries, q + i, 16 * j, found, n_found);
    }
    return n_found;
}

}  // namespace

const Kernel kAvx512Vnni = {"avx512vnni", 127, screen, dot_avx512};

}  // namespace memtax::similarity
