#include "token_counts.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

#include "hashes.hpp"
#include "parallel.hpp"

namespace memtax {
namespace {

constexpr size_t kBlock = size_t{1} << 18;

template <typename Token>
uint32_t largest(const Token* values, size_t n) {
    Token found = 0;
    for (size_t i = 0; i < n; ++i) found = values[i] > found ? values[i] : found;
    return found;
}

template <typename Token>
uint32_t largest_of(const Token* values, size_t n, unsigned threads) {
    std::atomic<uint32_t> found{0};
    parallel_for((n + kBlock - 1) / kBlock, threads, [&](size_t block) {
        const uint32_t here = largest(values + block * kBlock, std::min(kBlock, n - block * kBlock));
        uint32_t seen = found.load();
        while (here > seen && !found.compare_exchange_weak(seen, here)) {
        }
    });
    return found;
}

// One thread's counts. Bytes, so that most of a vocabulary's counters stay in the first-level cache: wider ones spend
// the time on fetching lines and writing them back. A byte that comes round to zero stands for 256 occurrences.
template <typename Token>
class Counter {
  public:
    Counter(size_t size, std::vector<uint64_t>& totals, std::mutex& lock)
        : low_(size, 0), high_(size, 0), totals_(&totals), lock_(&lock) {}
    Counter(Counter&& other) = default;
    ~Counter() {
        if (low_.empty()) return;
        const std::lock_guard<std::mutex> guard(*lock_);
        for (size_t token = 0; token < low_.size(); ++token) (*totals_)[token] += 256 * high_[token] + low_[token];
    }

    void add(const Token* values, size_t n) {
        uint8_t* const low = low_.data();
        uint64_t* const high = high_.data();
        size_t i = 0;
        for (; i + 8 <= n; i += 8) {
            for (size_t k = 0; k < 8; ++k) {
                const Token token = values[i + k];
                if (__builtin_expect(++low[token] == 0, 0)) ++high[token];
            }
        }
        for (; i < n; ++i)
            if (++low[values[i]] == 0) ++high[values[i]];
    }

  private:
    std::vector<uint8_t> low_;
    std::vector<uint64_t> high_;  // in 256s
    std::vector<uint64_t>* totals_;
    std::mutex* lock_;
};

template <typename Token>
std::vector<uint64_t> count(const Token* values, size_t n, size_t size, unsigned threads) {
    const bool every_token_fits = size > static_cast<Token>(-1);
    if (n > 0 && !every_token_fits) {
        const size_t needed = size_t{largest_of(values, n, threads)} + 1;
        if (size != 0 && needed > size)
            throw std::invalid_argument("token " + std::to_string(needed - 1) + " among those to count, but size is " +
                                        std::to_string(size) + "; give a size above every token");
        if (size == 0) size = needed;
    }
    std::vector<uint64_t> totals(size, 0);
    std::mutex lock;
    for_each_task((n + kBlock - 1) / kBlock, threads, [&] {
        return [&, counter = Counter<Token>(size, totals, lock)](size_t block) mutable {
            counter.add(values + block * kBlock, std::min(kBlock, n - block * kBlock));
        };
    });
    return totals;
}

}  // namespace

std::vector<uint64_t> count_tokens(const void* values, uint32_t token_bytes, size_t n, size_t size, unsigned threads) {
    if (token_bytes == 2) return count(static_cast<const uint16_t*>(values), n, size, threads);
    return count(static_cast<const uint32_t*>(values), n, size, threads);
}

uint64_t read_pass(const void* values, size_t bytes, unsigned threads) {
    const unsigned char* const from = static_cast<const unsigned char*>(values);
    constexpr size_t block_bytes = size_t{4} << 20;
    std::atomic<uint64_t> result{0};
    parallel_for((bytes + block_bytes - 1) / block_bytes, threads, [&](size_t block) {
        const unsigned char* const at = from + block * block_bytes;
        const size_t here = std::min(block_bytes, bytes - block * block_bytes);
        uint64_t words[8] = {};
        size_t i = 0;
        for (; i + 64 <= here; i += 64)
            for (size_t word = 0; word < 8; ++word) words[word] ^= load64(at + i + 8 * word);
        uint64_t mixed = 0;
        for (; i < here; ++i) mixed ^= uint64_t{at[i]} << (i % 8 * 8);
        for (const uint64_t word : words) mixed ^= word;
        result.fetch_xor(mixed);
    });
    return result;
}

}  // namespace memtax
