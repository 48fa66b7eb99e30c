// Sums over the rows of a block for one regression, once per instruction set, behind one table of functions.
//
// The sets differ in rounding alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtax::logistic {

constexpr size_t kLanes = 8;       // of a vector of doubles; rows are padded to whole vectors
constexpr size_t kMaxVectors = 8;  // so that a row has at most 63 features and the intercept
constexpr size_t kBlockRows =
    512;  // of 16 values each they fill 64 KiB: read from the second-level cache by each regression

// Doubles of a regression's Hessian: the blocks of 8 × 8 on and below the diagonal.
constexpr size_t hessian_size(size_t vectors) {
    return vectors * (vectors + 1) / 2 * kLanes * kLanes;
}

// What is summed for one regression.
struct Sums {
    double loss;       // weighted negative log-likelihood
    double errors;     // rows on the wrong side of an even chance
    double* gradient;  // vectors × 8
    double* hessian;   // blocks (i, j), j ≤ i, in the order of i, then j; element (j's lane, i's lane); 0: not wanted
};

// Adds the rows `chosen[0 … n - 1]` of a block. Row r is rows + r × vectors × 8, with its label (0 or 1) at labels[r];
// weights[label] is the weight of a row.
using AddRows = void (*)(const double* rows, const uint8_t* labels, const uint16_t* chosen, size_t n, size_t vectors,
                         const double* coefficients, const double* weights, Sums& sums);

struct Kernel {
    const char* name;
    AddRows add_rows;
};

extern const Kernel kPortable, kAvx2, kAvx512;

}  // namespace memtax::logistic
