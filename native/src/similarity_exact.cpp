#include "similarity_exact.hpp"

#include <cmath>
#include <vector>

namespace memtax::similarity {
namespace {

// The exact sum so far, as numbers of ascending magnitude that do not overlap (Shewchuk 1997).
class ExactSum {
  public:
    void add(double x) {
        size_t kept = 0;
        for (double y : parts_) {
            if (std::fabs(x) < std::fabs(y)) std::swap(x, y);
            const double high = x + y;
            const double low = y - (high - x);
            if (low != 0) parts_[kept++] = low;
            x = high;
        }
        parts_.resize(kept);
        parts_.push_back(x);
    }

    // Rounded to nearest, ties to even.
    double rounded() const {
        if (parts_.empty()) return 0;
        size_t left = parts_.size();
        double high = parts_[--left], low = 0;
        while (left > 0) {
            const double x = high, y = parts_[--left];
            high = x + y;
            low = y - (high - x);
            if (low != 0) break;
        }
        // `low` was just half a unit away, and what is left says to which side of the tie the sum lies.
        if (left > 0 && ((low < 0 && parts_[left - 1] < 0) || (low > 0 && parts_[left - 1] > 0))) {
            const double twice = low * 2, other = high + twice;
            if (twice == other - high) high = other;
        }
        return high;
    }

  private:
    std::vector<double> parts_;
};

}  // namespace

double rounded_dot(const float* a, const float* b, size_t n) {
    ExactSum sum;
    // Products of two float32 numbers are exact in float64.
    for (size_t i = 0; i < n; ++i) sum.add(static_cast<double>(a[i]) * static_cast<double>(b[i]));
    return sum.rounded();
}

double exact_cosine(const float* a, const float* b, size_t n) {
    return rounded_dot(a, b, n) / (std::sqrt(rounded_dot(a, a, n)) * std::sqrt(rounded_dot(b, b, n)));
}

}  // namespace memtax::similarity
