#include "scan.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "instruction_set.hpp"
#include "parallel.hpp"
#include "tally.hpp"

namespace memtax {
namespace {

// A task has about this many tokens: enough to hide its start, few enough to share out evenly.
constexpr int64_t kTaskTokens = int64_t{1} << 17;
// Windows of one part of a sequence that is too long for one task.
constexpr int64_t kPartWindows = int64_t{1} << 18;

// Whole sequences first … last - 1, or the windows begin … end - 1 of one.
struct Task {
    size_t first, last;
    int64_t begin, end;
    bool part() const { return end > begin; }
};

std::vector<Task> make_tasks(const Sequences& sequences, uint32_t length) {
    std::vector<Task> tasks;
    size_t first = 0;
    const int64_t* const offsets = sequences.offsets;
    for (size_t i = 0; i < sequences.n; ++i) {
        const int64_t size = offsets[i + 1] - offsets[i];
        if (size > INT32_MAX)
            throw std::invalid_argument("sequence " + std::to_string(i) + " has " + std::to_string(size) +
                                        " tokens; a scan takes fewer than 2^31 a sequence: cut it up");
        const int64_t windows = size - length + 1;
        if (windows > kPartWindows) {
            if (i > first) tasks.push_back({first, i, 0, 0});
            for (int64_t begin = 0; begin < windows; begin += kPartWindows)
                tasks.push_back({i, i + 1, begin, std::min(windows, begin + kPartWindows)});
            first = i + 1;
        } else if (offsets[i + 1] - offsets[first] >= kTaskTokens) {
            tasks.push_back({first, i + 1, 0, 0});
            first = i + 1;
        }
    }
    if (sequences.n > first) tasks.push_back({first, sequences.n, 0, 0});
    return tasks;
}

// Finds the queries in one thread's share.
class Scanner {
  public:
    Scanner(const QueryTable& table, const Sequences& sequences, const Kernels& kernel)
        : view_(table.view()), sequences_(sequences), kernel_(kernel), memory_(std::make_unique<Buffers>()) {}

    // Adds the hits among windows begin … end - 1 of a sequence to the tally.
    void scan_windows(size_t sequence, int64_t begin, int64_t end) {
        const int64_t base = sequences_.offsets[sequence];
        for (int64_t at = begin; at < end; at += kChunk) {
            const uint32_t windows = static_cast<uint32_t>(std::min<int64_t>(kChunk, end - at));
            const uint32_t tokens = windows + view_.length - 1;
            if (sequences_.token_bytes == view_.token_bytes) {
                const unsigned char* const from = static_cast<const unsigned char*>(sequences_.values);
                find(from + (base + at) * view_.token_bytes, windows, static_cast<uint32_t>(at));
            } else if (sequences_.token_bytes == 2) {
                kernel_.widen(static_cast<const uint16_t*>(sequences_.values) + base + at, memory_->wide, tokens);
                find(memory_->wide, windows, static_cast<uint32_t>(at));
            } else {
                find_narrow(static_cast<const uint32_t*>(sequences_.values) + base + at, tokens,
                            static_cast<uint32_t>(at));
            }
        }
    }

    Tally tally;

  private:
    struct Buffers {
        Scratch scratch;
        Hit hits[kChunk + 1];
        uint32_t wide[kScratchTokens];
        uint16_t narrow[kScratchTokens];
    };

    void find(const void* tokens, uint32_t windows, uint32_t offset) {
        const uint32_t n = kernel_.find_hits(view_, tokens, windows, memory_->scratch, memory_->hits);
        for (uint32_t i = 0; i < n; ++i) tally.add(memory_->hits[i].query, 1, offset + memory_->hits[i].offset);
    }

    // 32-bit tokens against a table of 16-bit ones: no query holds a token that does not fit, so such tokens part the
    // sequence into stretches, each of which is scanned by itself.
    void find_narrow(const uint32_t* tokens, uint32_t n, uint32_t offset) {
        if (kernel_.narrow(tokens, memory_->narrow, n)) {
            find(memory_->narrow, n - view_.length + 1, offset);
            return;
        }
        for (uint32_t begin = 0; begin < n;) {
            uint32_t end = begin;
            while (end < n && tokens[end] <= UINT16_MAX) ++end;
            if (end - begin >= view_.length)
                find(memory_->narrow + begin, end - begin - view_.length + 1, offset + begin);
            begin = end + 1;
        }
    }

    const TableView& view_;
    const Sequences& sequences_;
    const Kernels& kernel_;
    std::unique_ptr<Buffers> memory_;
};

// The parts of one long sequence as one, in order of first offset: a query of an earlier part comes first.
std::vector<Count> merge(const std::vector<std::vector<Count>>& parts, size_t begin, size_t end) {
    Tally tally;
    for (size_t part = begin; part < end; ++part)
        for (const Count& count : parts[part]) tally.add(count.query, count.occurrences, count.first_offset);
    return tally.counts();
}

}  // namespace

ScanResult scan(const QueryTable& table, const Sequences& sequences, unsigned threads,
                const std::string& instruction_set) {
    const Kernels& kernel = kernels(instruction_set);
    const uint32_t length = table.view().length;
    const std::vector<Task> tasks = make_tasks(sequences, length);
    ScanResult result;
    result.row_offsets.assign(sequences.n + 1, 0);
    if (table.view().n_queries == 0) return result;
    result.blocks.resize(tasks.size());

    for_each_task(tasks.size(), threads, [&] {
        return [&, scanner = Scanner(table, sequences, kernel)](size_t number) mutable {
            const Task& task = tasks[number];
            std::vector<Count>& counts = result.blocks[number];
            for (size_t i = task.first; i < task.last; ++i) {
                const int64_t windows = sequences.offsets[i + 1] - sequences.offsets[i] - length + 1;
                if (windows <= 0) continue;
                scanner.tally.clear();
                scanner.scan_windows(i, task.begin, task.part() ? task.end : windows);
                const std::vector<Count>& found = scanner.tally.counts();
                counts.insert(counts.end(), found.begin(), found.end());
                if (!task.part()) result.row_offsets[i + 1] = static_cast<int64_t>(found.size());
            }
        };
    });

    for (size_t begin = 0, end; begin < tasks.size(); begin = end) {
        end = begin + 1;
        if (!tasks[begin].part()) continue;
        while (end < tasks.size() && tasks[end].part() && tasks[end].first == tasks[begin].first) ++end;
        std::vector<Count> merged = merge(result.blocks, begin, end);
        for (size_t part = begin; part < end; ++part) result.blocks[part] = {};
        result.row_offsets[tasks[begin].first + 1] = static_cast<int64_t>(merged.size());
        result.blocks[begin] = std::move(merged);
    }
    for (size_t i = 0; i < sequences.n; ++i) result.row_offsets[i + 1] += result.row_offsets[i];
    return result;
}

}  // namespace memtax
