#include "similarity_pack.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "parallel.hpp"

namespace memtax::similarity {
namespace {

constexpr int kReferenceLevels = 127;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

size_t padded(size_t n, size_t step) {
    return (n + step - 1) / step * step;
}

struct Code {
    double norm;  // 0 for a zero vector, which has no codes
    float scale;
    float error;
};

// The codes of a vector, and what they are off by; see similarity_kernels.hpp.
Code encode(const float* x, size_t dims, int levels, int8_t* codes, size_t row) {
    double square = 0, largest = 0;
    for (size_t i = 0; i < dims; ++i) {
        square += static_cast<double>(x[i]) * x[i];
        largest = std::fmax(largest, std::fabs(static_cast<double>(x[i])));
    }
    if (!std::isfinite(square))
        throw std::invalid_argument("row " + std::to_string(row) + " holds a number that is not finite");
    if (largest == 0) return {0, 0, 0};
    const double norm = std::sqrt(square);
    const auto scale = static_cast<float>(largest / norm / levels);
    const double to_codes = 1 / (norm * scale);
    double residue = 0;
    for (size_t i = 0; i < dims; ++i) {
        // Rounding of the scale may put the largest a hair above `levels`, and never half a unit.
        const double code = std::nearbyint(x[i] * to_codes);
        codes[i] = static_cast<int8_t>(code);
        const double off = x[i] / norm - code * scale;
        residue += off * off;
    }
    // Rounding upwards, by more than the float64 operations before may have lost.
    const double bound = std::sqrt(residue) * (1 + 1e-6) + 1e-9;
    return {norm, scale, std::nextafter(static_cast<float>(bound), kInfinity)};
}

}  // namespace

References::References(const Vectors& vectors, unsigned threads)
    : vectors_(vectors),
      depth_(padded(vectors.dims, kDepthStep)),
      codes_(Memory::zeroed(groups() * kGroup * depth_)),
      scales_(groups() * kGroup, 0.0F),
      errors_(groups() * kGroup, -kInfinity),
      norms_(vectors.n) {
    parallel_for(groups(), threads, [this](size_t group) {
        std::vector<int8_t> codes(depth_);
        uint8_t* const to = codes_.data() + group * kGroup * depth_;
        for (size_t lane = 0; lane < kGroup; ++lane) {
            const size_t row = group * kGroup + lane;
            if (row < vectors_.n) {
                const Code code = encode(vectors_.row(row), vectors_.dims, kReferenceLevels, codes.data(), row);
                norms_[row] = code.norm;
                if (code.norm > 0) {
                    scales_[row] = code.scale;
                    errors_[row] = code.error;
                }
            }
            for (size_t k = 0; k < depth_; ++k)
                to[k / 4 * 4 * kGroup + 4 * lane + k % 4] = static_cast<uint8_t>(codes[k] + 128);
        }
    });
}

Queries::Queries(const Vectors& vectors, const Kernel& kernel)
    : vectors_(vectors),
      kernel_(kernel),
      depth_(padded(vectors.dims, kDepthStep)),
      codes_(padded(vectors.n, kQueryStep) * depth_),
      corrections_(padded(vectors.n, kQueryStep)),
      scales_(corrections_.size()),
      errors_(corrections_.size()),
      norms_(vectors.n) {
    for (size_t row = 0; row < vectors.n; ++row) {
        int8_t* const codes = codes_.data() + row * depth_;
        const Code code = encode(vectors.row(row), vectors.dims, kernel.query_levels, codes, row);
        norms_[row] = code.norm;
        scales_[row] = code.scale;
        errors_[row] = code.error;
        for (size_t k = 0; k < depth_; ++k) corrections_[row] -= 128 * codes[k];
    }
}

void Queries::bounds(double threshold, std::vector<float>& alphas, std::vector<float>& betas) const {
    alphas.assign(scales_.size(), 0.0F);
    betas.assign(scales_.size(), kInfinity);
    for (size_t row = 0; row < vectors_.n; ++row) {
        if (norms_[row] == 0) continue;
        const double scale = scales_[row], error = errors_[row];
        alphas[row] = static_cast<float>((1 + error) / scale);
        betas[row] = static_cast<float>((threshold - error - kSlack) / scale);
    }
}

}  // namespace memtax::similarity
