// Vectors as the screening kernels read them.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.hpp"
#include "similarity_kernels.hpp"

namespace memtax::similarity {

// Vectors of the caller's, [n][dims], which must outlive what is made of them.
struct Vectors {
    const float* data;
    size_t n;
    size_t dims;

    const float* row(size_t i) const { return data + i * dims; }
};

// References, packed once: a byte for each dimension (padded to a multiple of 64), and 16 bytes for each vector.
// Throws std::invalid_argument for a number that is not finite.
class References {
  public:
    References(const Vectors& vectors, unsigned threads);

    const Vectors& vectors() const { return vectors_; }
    size_t groups() const { return (vectors_.n + kGroup - 1) / kGroup; }
    Group group(size_t i) const {
        return {codes_.data() + i * kGroup * depth_, scales_.data() + i * kGroup, errors_.data() + i * kGroup};
    }
    size_t depth() const { return depth_; }
    float scale(size_t i) const { return scales_[i]; }
    float error(size_t i) const { return errors_[i]; }
    double norm(size_t i) const { return norms_[i]; }
    size_t bytes() const { return codes_.size() + vectors_.n * 16; }

  private:
    Vectors vectors_;
    size_t depth_;
    Memory codes_;
    std::vector<float> scales_, errors_;
    std::vector<double> norms_;
};

// Queries, packed for one kernel and the lowest threshold. Throws as References does.
class Queries {
  public:
    Queries(const Vectors& vectors, const Kernel& kernel);

    const Vectors& vectors() const { return vectors_; }
    const Kernel& kernel() const { return kernel_; }
    size_t depth() const { return depth_; }
    // Queries with those that fill up the last block.
    size_t n_padded() const { return scales_.size(); }
    const int8_t* codes(size_t first) const { return codes_.data() + first * depth_; }
    const int32_t* corrections(size_t first) const { return corrections_.data() + first; }
    // alphas[i] and betas[i] of QueryBlock, for one threshold.
    void bounds(double threshold, std::vector<float>& alphas, std::vector<float>& betas) const;
    float scale(size_t i) const { return scales_[i]; }
    float error(size_t i) const { return errors_[i]; }
    double norm(size_t i) const { return norms_[i]; }

  private:
    Vectors vectors_;
    const Kernel& kernel_;
    size_t depth_;
    std::vector<int8_t> codes_;
    std::vector<int32_t> corrections_;
    std::vector<float> scales_, errors_;
    std::vector<double> norms_;
};

}  // namespace memtax::similarity
