// One row of logits in one pass over memory, included by one file per instruction set, which defines MEMTAX_LOGITS,
// MEMTAX_LOGITS_NAME and MEMTAX_LANES (floats to a vector).
//
// The exponentials are added up below the largest logit so far, which is the target's to begin with, and the sum is
// scaled where a block brings a larger one; so each logit is loaded once for both. What limits this is how many
// operations a logit takes, and how many of them the processor finds to do at a time: vectors go through the
// exponential side by side. Vectors are the compiler's own, so that one source serves every instruction set; their sums
// differ in the last bits, as lanes do.
#include <cmath>
#include <cstring>
#include <limits>

#include "logits.hpp"

namespace memtax {
namespace {

constexpr size_t kLanes = MEMTAX_LANES;
constexpr size_t kSide = 4;  // vectors side by side: more would not fit into the registers
constexpr size_t kStep = kSide * kLanes;
constexpr size_t kBlock = 4096;
// Hardware fetches ahead within a page only; this many logits ahead is in the next one.
constexpr size_t kAhead = 1024;
constexpr size_t kLogitsPerLine = 64 / sizeof(float);

typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef uint32_t Bits __attribute__((vector_size(kLanes * sizeof(float))));

constexpr float kLowest = -std::numeric_limits<float>::infinity();
// A logit may be so far above the one that exponentials are taken below: e^64 times a block is far from overflow.
constexpr float kReach = 64.0f;

inline Floats load(const float* from) {
    Floats vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
}

// `b` where one of them is NaN, as the processor's own maximum has it.
inline Floats larger(Floats a, Floats b) {
    return a > b ? a : b;
}

inline float highest_lane(Floats vector) {
    float found = vector[0];
    for (size_t lane = 1; lane < kLanes; ++lane) found = vector[lane] > found ? vector[lane] : found;
    return found;
}

// e^t in place for t <= kReach, within 2 units in the last place and exactly 1 for 0; below -87 it stays at e^-87,
// which adds nothing to a sum that holds a 1. NaN stays NaN.
//
// 2^(t / log 2) = 2^whole * 2^rest with |rest| <= 1/2. The polynomial is 1 + rest * q(rest), q of degree 4, with the
// least largest relative error there (9e-8), and `whole` is added to its exponent.
inline void exponentials(Floats (&t)[kSide]) {
    constexpr float kPerLog2 = 1.44269504f;
    constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves a whole number in the low bits
    Floats shifted[kSide], power[kSide];
    for (size_t k = 0; k < kSide; ++k) t[k] = larger(Floats{} - 87.0f, t[k]);
    for (size_t k = 0; k < kSide; ++k) shifted[k] = t[k] * kPerLog2 + kRound;
    for (size_t k = 0; k < kSide; ++k) power[k] = shifted[k] - kRound;
    for (size_t k = 0; k < kSide; ++k) t[k] = t[k] * kPerLog2 - power[k];
    for (size_t k = 0; k < kSide; ++k) power[k] = t[k] * 1.3264730332e-3f + 9.6715137255e-3f;
    for (size_t k = 0; k < kSide; ++k) power[k] = power[k] * t[k] + 5.5507337457e-2f;
    for (size_t k = 0; k < kSide; ++k) power[k] = power[k] * t[k] + 2.4022242069e-1f;
    for (size_t k = 0; k < kSide; ++k) power[k] = power[k] * t[k] + 6.9314697759e-1f;
    for (size_t k = 0; k < kSide; ++k) power[k] = power[k] * t[k] + 1.0f;
    for (size_t k = 0; k < kSide; ++k) t[k] = (Floats)((Bits)power[k] + ((Bits)shifted[k] << 23));
}

inline float largest(const float* logits, size_t n) {
    Floats found[kSide];
    for (size_t k = 0; k < kSide; ++k) found[k] = Floats{} + kLowest;
    size_t i = 0;
    for (; i + kStep <= n; i += kStep)
        for (size_t k = 0; k < kSide; ++k) found[k] = larger(load(logits + i + k * kLanes), found[k]);
    float highest = highest_lane(larger(larger(found[0], found[1]), larger(found[2], found[3])));
    for (; i < n; ++i) highest = logits[i] > highest ? logits[i] : highest;
    return highest;
}

struct Block {
    float highest;  // of its logits, NaN left out
    double sum;     // of e^(logit - below); NaN where a logit is, or is an infinity above `below`
};

inline Block add_up(const float* logits, size_t n, float below) {
    Floats highest[kSide], sums[kSide];
    for (size_t k = 0; k < kSide; ++k) {
        highest[k] = Floats{} + kLowest;
        sums[k] = Floats{};
    }
    const auto add = [&](const float* from) {
        Floats t[kSide];
        for (size_t k = 0; k < kSide; ++k) t[k] = load(from + k * kLanes);
        for (size_t k = 0; k < kSide; ++k) highest[k] = larger(t[k], highest[k]);
        for (size_t k = 0; k < kSide; ++k) t[k] -= below;
        exponentials(t);
        for (size_t k = 0; k < kSide; ++k) sums[k] += t[k];
    };
    size_t i = 0;
    for (; i + kStep <= n; i += kStep) {
        for (size_t ahead = 0; ahead < kStep; ahead += kLogitsPerLine) __builtin_prefetch(logits + i + kAhead + ahead);
        add(logits + i);
    }
    if (i < n) {
        // What fills the last step up is as if it were not there.
        float rest[kStep];
        for (float& logit : rest) logit = kLowest;
        std::memcpy(rest, logits + i, (n - i) * sizeof(float));
        add(rest);
    }
    Block found{highest_lane(larger(larger(highest[0], highest[1]), larger(highest[2], highest[3]))), 0.0};
    const Floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (size_t lane = 0; lane < kLanes; ++lane) found.sum += static_cast<double>(sum[lane]);
    return found;
}

bool has_nan(const float* logits, size_t n) {
    for (size_t i = 0; i < n; ++i)
        if (logits[i] != logits[i]) return true;
    return false;
}

inline double scale(float from, float to) {
    return std::exp(static_cast<double>(from) - static_cast<double>(to));
}

LogitScore score_row(const float* logits, size_t size, size_t target) {
    // To begin below the target: where it is the largest, its own exponential is 1 without rounding, and no probability
    // above 1 comes of the sum.
    float highest = logits[target] > kLowest ? logits[target] : kLowest;
    double sum = 0;
    for (size_t begin = 0; begin < size; begin += kBlock) {
        const float* const block = logits + begin;
        const size_t n = size - begin < kBlock ? size - begin : kBlock;
        if (highest == kLowest) {
            highest = largest(block, n);
            if (highest == kLowest) {
                if (has_nan(block, n)) sum = std::numeric_limits<double>::quiet_NaN();
                continue;
            }
        }
        Block found = add_up(block, n, highest);
        if (found.highest > highest + kReach) {
            sum *= scale(highest, found.highest);
            highest = found.highest;
            found = add_up(block, n, highest);
        }
        sum += found.sum;
        if (found.highest > highest) {
            sum *= scale(highest, found.highest);
            highest = found.highest;
        }
    }
    const double score = static_cast<double>(logits[target]) - static_cast<double>(highest) - std::log(sum);
    const bool greedy = score == score && logits[target] == highest && largest(logits, target) < highest;
    return {score, greedy};
}

}  // namespace

const LogitKernel MEMTAX_LOGITS = {MEMTAX_LOGITS_NAME, &score_row};

}  // namespace memtax
