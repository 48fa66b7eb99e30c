// Screening: which pairs of a query and a reference may be as similar as a threshold asks, by products of 8-bit codes.
//
// A vector x becomes the unit vector a = x / |x|, and that the codes k = round(a / s), s = max|a| / levels. With
// e = |a - s k| for each of the two, Cauchy and Schwarz bound what the codes may be off by:
//
//     |cos - s_q s_r (k_q . k_r)| = |e_q . a_r + s_q k_q . e_r| <= |e_q| + (1 + |e_q|) |e_r|
//
// k_q . k_r is a whole number and computed without any error, so that every instruction set finds the same one. A pair
// whose upper bound is below the threshold is dropped here; what is left is decided by similarity_count.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtax::similarity {

// References come in groups of this many; the last is filled up with ones that pass no threshold.
constexpr size_t kGroup = 64;
// Queries come in multiples of this many, likewise.
constexpr size_t kQueryStep = 96;
// Codes are padded with zeros to a multiple of this many: the depth of a tile of AMX.
constexpr size_t kDepthStep = 64;
// Added to every bound, in cosines: more than all float32 and float64 rounding in bounds and comparisons can come to.
constexpr double kSlack = 1e-6;

// A group of references. Codes are k + 128, four dimensions of each reference together: [depth / 4][kGroup][4].
struct Group {
    const uint8_t* codes;
    const float* scales;  // s
    const float* errors;  // an upper bound of |a - s k|; infinitely negative where nothing may pass
};

// A block of queries, n of them, a multiple of kQueryStep. Codes are k itself: [n][depth].
struct QueryBlock {
    const int8_t* codes;
    const int32_t* corrections;  // -128 times the sum of a query's codes, which undoes the + 128 of the references
    const float* alphas;         // (1 + e) / s
    const float* betas;          // (threshold - e - kSlack) / s; infinite where nothing may pass
    size_t n;
    size_t depth;
};

struct Candidate {
    uint32_t query;      // within the block
    uint32_t reference;  // within the group
    int32_t product;     // k_q . k_r
};

struct Kernel {
    const char* name;
    int query_levels;  // codes of queries go from -levels to levels
    // Writes every pair with product * scale + alpha * error >= beta to `found` (room for n * kGroup), in any order,
    // and returns how many.
    size_t (*screen)(const Group& group, const QueryBlock& queries, Candidate* found);
    // The product of two vectors in float64, off by no more than (n + 8) 2^-53 |a| |b|.
    double (*dot)(const float* a, const float* b, size_t n);
};

extern const Kernel kPortable;
// AMX as written, with tiles that are arrays: what the tests run where no processor has any.
extern const Kernel kAmxEmulated;
#ifdef MEMTAX_X86_KERNELS
extern const Kernel kAvx2;
extern const Kernel kAvx512Vnni;
#endif
#ifdef MEMTAX_HAS_AVX_VNNI
extern const Kernel kAvxVnni;
#endif
#ifdef MEMTAX_HAS_AMX
extern const Kernel kAmx;
#endif

}  // namespace memtax::similarity
