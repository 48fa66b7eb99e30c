// One row of logits in one pass over memory, included by one file per instruction set, which defines MEMTAX_LOGITS,
// MEMTAX_LOGITS_NAME and MEMTAX_LANES (floats to a vector).
//
// A block of logits is brought into the first-level cache once: its maximum is found, then the exponentials below the
// largest logit so far are added up, and the sum so far is scaled whenever a larger one appears. Vectors are the
// compiler's own, so that one source serves every instruction set; their sums differ in the last bits, as lanes do.
#include <cmath>
#include <cstring>
#include <limits>

#include "logits.hpp"

namespace memtax {
namespace {

constexpr size_t kLanes = MEMTAX_LANES;
constexpr size_t kBlock = 2048;
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(float))));

constexpr float kLowest = -std::numeric_limits<float>::infinity();

inline Floats load(const float* from) {
    Floats vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
}

// e^t for t <= 0, within 2 units in the last place; below -87 it stays at e^-87, which adds nothing to a sum that holds
// a 1. NaN stays NaN.
inline Floats exponential(Floats t) {
    constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves a whole number in the low bits
    t = t < -87.0f ? Floats{} - 87.0f : t;
    const Floats shifted = t * 1.44269504f + kRound;
    const Floats whole = shifted - kRound;
    const Floats rest = (t - whole * 0.693359375f) + whole * 2.12194440e-4f;  // t - whole * log 2, in two parts
    Floats power = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    power = power * rest + 8.3334519073e-3f;
    power = power * rest + 4.1665795894e-2f;
    power = power * rest + 1.6666665459e-1f;
    power = power * rest + 5.0000001201e-1f;
    power = power * rest * rest + rest + 1.0f;
    const Ints scale = ((Ints)shifted + 127) << 23;  // 2^whole
    return power * (Floats)scale;
}

inline float largest(const float* logits, size_t n) {
    Floats a = Floats{} + kLowest, b = a, c = a, d = a;
    size_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
        const Floats w = load(logits + i), x = load(logits + i + kLanes);
        const Floats y = load(logits + i + 2 * kLanes), z = load(logits + i + 3 * kLanes);
        a = w > a ? w : a;
        b = x > b ? x : b;
        c = y > c ? y : c;
        d = z > d ? z : d;
    }
    a = b > a ? b : a;
    c = d > c ? d : c;
    a = c > a ? c : a;
    float found = kLowest;
    for (size_t lane = 0; lane < kLanes; ++lane) found = a[lane] > found ? a[lane] : found;
    for (; i < n; ++i) found = logits[i] > found ? logits[i] : found;
    return found;
}

inline double sum_of_exponentials(const float* logits, size_t n, float below) {
    Floats a{}, b{};
    size_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
        a += exponential(load(logits + i) - below);
        b += exponential(load(logits + i + kLanes) - below);
    }
    a += b;
    double sum = 0;
    for (size_t lane = 0; lane < kLanes; ++lane) sum += static_cast<double>(a[lane]);
    for (; i < n; ++i) sum += std::exp(static_cast<double>(logits[i]) - static_cast<double>(below));
    return sum;
}

bool has_nan(const float* logits, size_t n) {
    for (size_t i = 0; i < n; ++i)
        if (logits[i] != logits[i]) return true;
    return false;
}

LogitScore score_row(const float* logits, size_t size, size_t target) {
    float highest = kLowest;
    double sum = 0;
    for (size_t begin = 0; begin < size; begin += kBlock) {
        const float* const block = logits + begin;
        const size_t n = size - begin < kBlock ? size - begin : kBlock;
        const float here = largest(block, n);
        if (here > highest) {
            sum *= std::exp(static_cast<double>(highest) - static_cast<double>(here));
            highest = here;
        }
        if (highest > kLowest)
            sum += sum_of_exponentials(block, n, highest);
        else if (has_nan(block, n))
            sum = std::numeric_limits<double>::quiet_NaN();
    }
    const double score = static_cast<double>(logits[target]) - static_cast<double>(highest) - std::log(sum);
    bool greedy = score == score && logits[target] == highest;
    for (size_t i = 0; greedy && i < target; ++i) greedy = logits[i] != highest;
    return {score, greedy};
}

}  // namespace

const LogitKernel MEMTAX_LOGITS = {MEMTAX_LOGITS_NAME, &score_row};

}  // namespace memtax
