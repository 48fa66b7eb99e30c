// Counts of the queries found in one sequence: a small open-addressing hash table that is emptied in constant time.
#pragma once

#include <cstdint>
#include <vector>

#include "scan.hpp"

namespace memtax {

class Tally {
  public:
    Tally() : slots_(kFirstSlots, 0) {}

    // Counts in order of their first addition.
    const std::vector<Count>& counts() const { return counts_; }

    void clear() {
        counts_.clear();
        last_ = 0;
        if (++epoch_ == 0) {  // the stamps have come round: those of 2^32 sequences ago must not look current
            slots_.assign(slots_.size(), 0);
            epoch_ = 1;
        }
    }

    void add(uint32_t query, uint32_t occurrences, uint32_t offset) {
        // Runs of one query (a repeated token, say) come in a row.
        if (last_ < counts_.size() && counts_[last_].query == query) {
            counts_[last_].occurrences += occurrences;
            return;
        }
        const uint64_t stamp = uint64_t{epoch_} << 32;
        size_t slot = first_slot(query);
        while ((slots_[slot] & ~uint64_t{UINT32_MAX}) == stamp) {
            const uint32_t at = static_cast<uint32_t>(slots_[slot]);
            if (counts_[at].query == query) {
                counts_[at].occurrences += occurrences;
                last_ = at;
                return;
            }
            slot = (slot + 1) & (slots_.size() - 1);
        }
        last_ = counts_.size();
        slots_[slot] = stamp | last_;
        counts_.push_back({query, occurrences, offset});
        if (2 * counts_.size() > slots_.size()) grow();
    }

  private:
    static constexpr size_t kFirstSlots = 1024;

    size_t first_slot(uint32_t query) const { return (query * 0x9e3779b97f4a7c15u >> 32) & (slots_.size() - 1); }

    void grow() {
        slots_.assign(2 * slots_.size(), 0);
        for (size_t at = 0; at < counts_.size(); ++at) {
            size_t slot = first_slot(counts_[at].query);
            while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = uint64_t{epoch_} << 32 | at;
        }
    }

    std::vector<uint64_t> slots_;  // epoch in the upper half, index into counts_ in the lower
    std::vector<Count> counts_;
    size_t last_ = 0;
    uint32_t epoch_ = 1;
};

}  // namespace memtax
