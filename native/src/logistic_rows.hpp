// Rows to fit logistic regressions on, and the sums that one Newton step of many regressions needs, in one scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "logistic_kernels.hpp"

namespace memtax::logistic {

// Fastest first; "portable" is always the last.
std::vector<std::string> instruction_sets();

// A choice of rows: those for which every literal holds. A literal is k + 1 for "indicator k holds", -(k + 1) for "it
// does not", 0 for nothing.
struct Choices {
    const int32_t* literals;  // n × width
    size_t n, width;
};

// Numbers of n rows in any order of memory: that of row i and feature j lies at values[i * row_step + j *
// feature_step], and stands for (it - shift[j]) / scale[j]; both null: for itself.
struct Values {
    const double* values;
    ptrdiff_t row_step, feature_step;
    size_t n, features;
    const double *shift, *scale;
};

class Rows {
  public:
    // labels: n of 0 or 1. Copies all, with a column of ones after the features.
    Rows(const Values& values, const uint8_t* labels, unsigned threads);

    // Adds an indicator, n of 0 or 1, and returns its number.
    size_t add_indicator(const uint8_t* holds);
    size_t size() const { return n_; }
    size_t columns() const { return columns_; }
    size_t indicators() const { return indicators_.size(); }

    // Rows and rows of label 1 of each choice: counts is n × 2.
    void count(const Choices& choices, unsigned threads, uint64_t* counts) const;

    // For choice k with coefficients k (columns each; the intercept last) and the weights k of the two classes:
    // loss[k], gradient[k] (columns), and hessian[k] (columns × columns) unless null.
    void derive(const Choices& choices, const double* coefficients, const double* weights, unsigned threads,
                const std::string& instruction_set, double* loss, double* errors, double* gradient,
                double* hessian) const;

  private:
    void copy(const Values& values, size_t block);
    size_t choose(const Choices& choices, size_t choice, size_t block, uint16_t* rows, size_t* positive) const;
    size_t blocks() const { return (n_ + kBlockRows - 1) / kBlockRows; }

    size_t n_, columns_, vectors_;
    std::unique_ptr<double[], void (*)(void*)> values_;
    std::vector<uint8_t> labels_;
    std::vector<std::vector<uint64_t>> indicators_;  // a bit per row
};

}  // namespace memtax::logistic
