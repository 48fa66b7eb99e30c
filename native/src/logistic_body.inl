// The sums for one regression, in the compiler's vectors, as wide as the file's flags allow.
//
// Three passes over the chosen rows of a block: log-odds; probabilities and with them loss, residuals and curvatures;
// gradient and Hessian. A row is read as it lies in memory, so that a choice of rows costs no copying.
#include <cmath>
#include <cstring>

#include "logistic_kernels.hpp"

namespace memtax::logistic {
namespace {

#if defined(__AVX512F__)
constexpr size_t kWidth = 8;
#elif defined(__AVX2__)
constexpr size_t kWidth = 4;
#else
constexpr size_t kWidth = 2;
#endif
// Sums that stay in registers at once: half of the registers that there are.
constexpr size_t kSumsAtOnce = kWidth == 2 ? 4 : 8;

typedef double Doubles __attribute__((vector_size(kWidth * 8)));
typedef int64_t Integers __attribute__((vector_size(kWidth * 8)));

inline Doubles load(const double* at) {
    Doubles value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

inline void store(double* at, Doubles value) {
    std::memcpy(at, &value, sizeof value);
}

inline Doubles choose(Integers condition, Doubles yes, Doubles no) {
    return (Doubles)(((Integers)yes & condition) | ((Integers)no & ~condition));
}

// exp(x) for -700 ≤ x ≤ 0: 2^k × exp(r) with |r| ≤ ln 2 / 2, and a Taylor polynomial of degree 12 (error below 1e-16).
inline Doubles exponential(Doubles x) {
    constexpr double kShift = 0x1.8p52;  // adding it rounds to a whole number in the lowest bits
    const Doubles shifted = x * 1.4426950408889634 + kShift;
    const Doubles whole = shifted - kShift;
    const Doubles r = (x - whole * 0x1.62e42feep-1) - whole * 0x1.a39ef35793c76p-33;
    Doubles sum = r * (1.0 / 479001600) + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    return (Doubles)((Integers)sum + ((Integers)shifted << 52));
}

struct alignas(64) Scratch {
    double log_odds[kBlockRows + kLanes];
    double labels[kBlockRows + kLanes];
    double residuals[kBlockRows + kLanes];
    double curvatures[kBlockRows + kLanes];
};

template <size_t Vectors>
void find_log_odds(const double* rows, const uint16_t* chosen, size_t n, const double* coefficients, double* log_odds) {
    constexpr size_t kSteps = Vectors * kLanes / kWidth;
    for (size_t i = 0; i < n; ++i) {
        const double* const row = rows + chosen[i] * Vectors * kLanes;
        Doubles sum = {};
        for (size_t v = 0; v < kSteps; ++v) sum += load(row + v * kWidth) * load(coefficients + v * kWidth);
        double total = sum[0];
        for (size_t lane = 1; lane < kWidth; ++lane) total += sum[lane];
        log_odds[i] = total;
    }
}

// Loss of n rows, and their residuals and curvatures, all weighted. Products of 1 + e keep logarithms out of the loop:
// a block's have at most 512 / 2 factors of at most 2 in each lane.
void find_residuals(Scratch& scratch, size_t n, const double* weights, Sums& sums) {
    Integers lanes;
    for (size_t lane = 0; lane < kWidth; ++lane) lanes[lane] = (int64_t)lane;
    const Integers sign_bits = Integers{} + INT64_MIN;
    Doubles products[2] = {Doubles{} + 1.0, Doubles{} + 1.0}, linear = {}, errors = {};
    for (size_t i = 0; i < n; i += kWidth) {
        const Doubles z = load(scratch.log_odds + i), label = load(scratch.labels + i);
        const Integers positive = label != 0.0, beyond = lanes >= (int64_t)(n - i);
        Doubles weight = choose(positive, Doubles{} + weights[1], Doubles{} + weights[0]);
        weight = choose(beyond, Doubles{}, weight);
        const Doubles magnitude = (Doubles)((Integers)z & ~sign_bits);
        const Doubles bounded = choose(magnitude > 700.0, Doubles{} + 700.0, magnitude);
        const Doubles e = exponential(-bounded), one_more = e + 1.0, inverse = 1.0 / one_more;
        const Doubles likelier = inverse, rarer = e * inverse;
        const Doubles p = choose(z >= 0.0, likelier, rarer);
        // log(1 + exp(∓z)) = max(0, ∓z) + log(1 + exp(-|z|))
        const Doubles against = choose(positive, -z, z);
        linear += weight * choose(against > 0.0, against, Doubles{});
        errors += choose((against > 0.0) & ~beyond, Doubles{} + 1.0, Doubles{});
        const Doubles factor = choose(beyond, Doubles{} + 1.0, one_more);
        products[0] *= choose(positive, Doubles{} + 1.0, factor);
        products[1] *= choose(positive, factor, Doubles{} + 1.0);
        store(scratch.residuals + i, weight * (p - label));
        store(scratch.curvatures + i, weight * (likelier * rarer));
    }
    for (size_t lane = 0; lane < kWidth; ++lane) {
        sums.loss += linear[lane] + weights[0] * std::log(products[0][lane]) + weights[1] * std::log(products[1][lane]);
        sums.errors += errors[lane];
    }
}

template <size_t Vectors>
void add_gradient(const double* rows, const uint16_t* chosen, size_t n, const double* residuals, double* gradient) {
    constexpr size_t kSteps = Vectors * kLanes / kWidth;
    Doubles sums[kSteps];
    for (size_t v = 0; v < kSteps; ++v) sums[v] = load(gradient + v * kWidth);
    for (size_t i = 0; i < n; ++i) {
        const double* const row = rows + chosen[i] * Vectors * kLanes;
        for (size_t v = 0; v < kSteps; ++v) sums[v] += load(row + v * kWidth) * residuals[i];
    }
    for (size_t v = 0; v < kSteps; ++v) store(gradient + v * kWidth, sums[v]);
}

// Sums at hessian[lane of j × 8 + lane of i], for kSumsAtOnce lanes of j and kWidth of i: they stay in registers while
// the rows pass by.
template <size_t Vectors>
void add_tile(const double* rows, const uint16_t* chosen, size_t n, const double* curvatures, size_t i, size_t j,
              double* hessian) {
    Doubles sums[kSumsAtOnce];
    for (size_t lane = 0; lane < kSumsAtOnce; ++lane) sums[lane] = load(hessian + lane * kLanes);
    for (size_t k = 0; k < n; ++k) {
        const double* const row = rows + chosen[k] * Vectors * kLanes;
        const Doubles weighted = load(row + i) * curvatures[k];
        for (size_t lane = 0; lane < kSumsAtOnce; ++lane) sums[lane] += weighted * row[j + lane];
    }
    for (size_t lane = 0; lane < kSumsAtOnce; ++lane) store(hessian + lane * kLanes, sums[lane]);
}

template <size_t Vectors>
void add_hessian(const double* rows, const uint16_t* chosen, size_t n, const double* curvatures, double* hessian) {
    for (size_t i = 0; i < Vectors; ++i)
        for (size_t j = 0; j <= i; ++j, hessian += kLanes * kLanes)
            for (size_t a = 0; a < kLanes; a += kWidth)
                for (size_t b = 0; b < kLanes; b += kSumsAtOnce)
                    add_tile<Vectors>(rows, chosen, n, curvatures, i * kLanes + a, j * kLanes + b,
                                      hessian + b * kLanes + a);
}

template <size_t Vectors>
void add(const double* rows, const uint8_t* labels, const uint16_t* chosen, size_t n, const double* coefficients,
         const double* weights, Sums& sums) {
    Scratch scratch;
    find_log_odds<Vectors>(rows, chosen, n, coefficients, scratch.log_odds);
    for (size_t i = 0; i < n; ++i) scratch.labels[i] = labels[chosen[i]];
    for (size_t i = n; i % kWidth != 0; ++i) scratch.log_odds[i] = scratch.labels[i] = 0;
    find_residuals(scratch, n, weights, sums);
    add_gradient<Vectors>(rows, chosen, n, scratch.residuals, sums.gradient);
    if (sums.hessian != nullptr) add_hessian<Vectors>(rows, chosen, n, scratch.curvatures, sums.hessian);
}

void add_rows(const double* rows, const uint8_t* labels, const uint16_t* chosen, size_t n, size_t vectors,
              const double* coefficients, const double* weights, Sums& sums) {
    constexpr decltype(&add<1>) by_vectors[kMaxVectors] = {add<1>, add<2>, add<3>, add<4>,
                                                           add<5>, add<6>, add<7>, add<8>};
    by_vectors[vectors - 1](rows, labels, chosen, n, coefficients, weights, sums);
}

}  // namespace

const Kernel MEMTAX_KERNEL = {MEMTAX_KERNEL_NAME, add_rows};

}  // namespace memtax::logistic
