#include "logistic_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "parallel.hpp"

namespace memtax::logistic {
namespace {

constexpr size_t kWords = kBlockRows / 64;

std::vector<const Kernel*> available() {
    std::vector<const Kernel*> found;
#ifdef MEMTAX_X86_KERNELS
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        found.push_back(&kAvx512);
    if (avx2) found.push_back(&kAvx2);
#endif
    found.push_back(&kPortable);
    return found;
}

const Kernel& kernel(const std::string& name) {
    const std::vector<const Kernel*> kernels = available();
    if (name.empty()) return *kernels.front();
    for (const Kernel* one : kernels)
        if (name == one->name) return *one;
    throw std::invalid_argument("instruction set '" + name + "' is not available here");
}

double* allocate(size_t doubles) {
    void* const memory = std::aligned_alloc(64, std::max<size_t>(doubles, 8) * sizeof(double));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<double*>(memory);
}

// A share of the blocks, whole and the same for the same number of threads, so that sums are reproducible.
struct Share {
    size_t from, to;
};

Share share_of(size_t blocks, size_t part, size_t parts) {
    return {blocks * part / parts, blocks * (part + 1) / parts};
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernel* one : available()) names.emplace_back(one->name);
    return names;
}

Rows::Rows(const Values& values, const uint8_t* labels, unsigned threads)
    : n_(values.n),
      columns_(values.features + 1),
      vectors_((columns_ + kLanes - 1) / kLanes),
      values_(nullptr, std::free),
      labels_(labels, labels + values.n) {
    if (vectors_ > kMaxVectors) throw std::invalid_argument("at most 63 features can be fitted at once");
    values_.reset(allocate(n_ * vectors_ * kLanes));
    parallel_for(blocks(), threads, [&](size_t block) { copy(values, block); });
}

// Feature after feature, as frames have them: the rows of a block stay in the cache meanwhile.
void Rows::copy(const Values& values, size_t block) {
    const size_t stride = vectors_ * kLanes, first = block * kBlockRows, n = std::min(n_ - first, kBlockRows);
    double* const to = values_.get() + first * stride;
    for (size_t feature = 0; feature < values.features; ++feature) {
        const double* const from = values.values + static_cast<ptrdiff_t>(first) * values.row_step +
                                   static_cast<ptrdiff_t>(feature) * values.feature_step;
        const double shift = values.shift == nullptr ? 0.0 : values.shift[feature];
        const double scale = values.scale == nullptr ? 1.0 : values.scale[feature];
        for (size_t row = 0; row < n; ++row)
            to[row * stride + feature] = (from[static_cast<ptrdiff_t>(row) * values.row_step] - shift) / scale;
    }
    for (size_t row = 0; row < n; ++row) {
        to[row * stride + columns_ - 1] = 1;
        std::fill(to + row * stride + columns_, to + (row + 1) * stride, 0.0);
    }
}

size_t Rows::add_indicator(const uint8_t* holds) {
    std::vector<uint64_t> bits(blocks() * kWords);
    for (size_t row = 0; row < n_; ++row) bits[row / 64] |= static_cast<uint64_t>(holds[row] != 0) << (row % 64);
    indicators_.push_back(std::move(bits));
    return indicators_.size() - 1;
}

// The chosen rows of a block, by their place in it.
size_t Rows::choose(const Choices& choices, size_t choice, size_t block, uint16_t* rows, size_t* positive) const {
    const size_t begin = block * kBlockRows, end = std::min(n_, begin + kBlockRows);
    size_t n = 0;
    for (size_t word = 0; word * 64 < end - begin; ++word) {
        const size_t left = end - begin - word * 64;
        uint64_t bits = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
        for (size_t i = 0; i < choices.width; ++i) {
            const int32_t literal = choices.literals[choice * choices.width + i];
            if (literal == 0) continue;
            const uint64_t holds = indicators_[static_cast<size_t>(std::abs(literal)) - 1][block * kWords + word];
            bits &= literal > 0 ? holds : ~holds;
        }
        for (; bits != 0; bits &= bits - 1) {
            rows[n] = static_cast<uint16_t>(word * 64 + static_cast<size_t>(__builtin_ctzll(bits)));
            if (positive != nullptr) *positive += labels_[begin + rows[n]];
            ++n;
        }
    }
    return n;
}

void Rows::count(const Choices& choices, unsigned threads, uint64_t* counts) const {
    parallel_for(choices.n, threads, [&](size_t choice) {
        uint16_t rows[kBlockRows];
        size_t n = 0, positive = 0;
        for (size_t block = 0; block < blocks(); ++block) n += choose(choices, choice, block, rows, &positive);
        counts[choice * 2] = n;
        counts[choice * 2 + 1] = positive;
    });
}

void Rows::derive(const Choices& choices, const double* coefficients, const double* weights, unsigned threads,
                  const std::string& instruction_set, double* loss, double* errors, double* gradient,
                  double* hessian) const {
    const AddRows add_rows = kernel(instruction_set).add_rows;
    const size_t stride = vectors_ * kLanes, hessian_doubles = hessian == nullptr ? 0 : hessian_size(vectors_);
    const size_t doubles =
        kLanes + stride + hessian_doubles;  // of one regression: loss and errors, padded, and the sums
    const size_t parts = std::clamp<size_t>(threads, 1, std::max<size_t>(blocks(), 1));
    std::vector<double> padded(choices.n * stride, 0.0);
    for (size_t k = 0; k < choices.n; ++k)
        std::copy_n(coefficients + k * columns_, columns_, padded.data() + k * stride);
    std::vector<std::vector<double>> sums(parts);
    parallel_for(parts, static_cast<unsigned>(parts), [&](size_t part) {
        std::vector<double>& own = sums[part];
        own.assign(choices.n * doubles, 0.0);
        const Share share = share_of(blocks(), part, parts);
        uint16_t rows[kBlockRows];
        for (size_t block = share.from; block < share.to; ++block) {
            const double* const values = values_.get() + block * kBlockRows * stride;
            const uint8_t* const labels = labels_.data() + block * kBlockRows;
            for (size_t k = 0; k < choices.n; ++k) {
                const size_t n = choose(choices, k, block, rows, nullptr);
                if (n == 0) continue;
                double* const to = own.data() + k * doubles;
                Sums one{to[0], to[1], to + kLanes, hessian_doubles != 0 ? to + kLanes + stride : nullptr};
                add_rows(values, labels, rows, n, vectors_, padded.data() + k * stride, weights + k * 2, one);
                to[0] = one.loss;
                to[1] = one.errors;
            }
        }
    });
    for (size_t part = 1; part < parts; ++part)
        for (size_t i = 0; i < sums[0].size(); ++i) sums[0][i] += sums[part][i];
    for (size_t k = 0; k < choices.n; ++k) {
        const double* const from = sums[0].data() + k * doubles;
        loss[k] = from[0];
        errors[k] = from[1];
        std::copy_n(from + kLanes, columns_, gradient + k * columns_);
        if (hessian == nullptr) continue;
        const double* block = from + kLanes + stride;
        double* const to = hessian + k * columns_ * columns_;
        for (size_t i = 0; i < vectors_; ++i)
            for (size_t j = 0; j <= i; ++j, block += kLanes * kLanes)
                for (size_t a = 0; a < kLanes; ++a)
                    for (size_t b = 0; b < kLanes; ++b) {
                        const size_t row = i * kLanes + b, column = j * kLanes + a;
                        if (row < columns_ && column < columns_)
                            to[row * columns_ + column] = to[column * columns_ + row] = block[a * kLanes + b];
                    }
    }
}

}  // namespace memtax::logistic
