// The cosine that decides: in float64, from sums of products that are rounded once.
#pragma once

#include <cstddef>

namespace memtax::similarity {

// The sum of a[i] b[i], correctly rounded: as Python's math.fsum gives it, whatever the order.
double rounded_dot(const float* a, const float* b, size_t n);

// rounded_dot(a, b) / (sqrt(rounded_dot(a, a)) sqrt(rounded_dot(b, b))), each operation in float64. Not for zero
// vectors.
double exact_cosine(const float* a, const float* b, size_t n);

}  // namespace memtax::similarity
