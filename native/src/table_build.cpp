// Builds a query table: describe every window, sort by key, drop repeats, lay out.
//
// Sorting is a partition by the topmost bits of the anchor's hash, so that each part fits in a core's cache, and a
// counting sort within it down to one or two windows a bucket. As filter and directory ascend with the same hash, each
// part then fills its own range of every array, in order: no atomic operations and no random writes.
#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "hashes.hpp"
#include "instruction_set.hpp"
#include "parallel.hpp"
#include "query_table.hpp"

namespace memtax {
namespace {

constexpr size_t kSlice = size_t{1} << 15;  // windows described by one task
constexpr unsigned kMaxPartBits = 11;       // choose_sizes() relies on it
constexpr unsigned kInnerBits = 12;

class Builder {
  public:
    Builder(TableView view, const unsigned char* windows, size_t n, const Kernels& kernel, unsigned threads)
        : view_(view), windows_(windows), n_(n), kernel_(kernel), threads_(threads) {
        while (part_bits_ < kMaxPartBits && (n_ >> part_bits_) > 4096) ++part_bits_;
        n_parts_ = size_t{1} << part_bits_;
        n_slices_ = (n_ + kSlice - 1) / kSlice;
    }

    QueryTable run() {
        describe();
        partition();
        sort_parts();
        return lay_out();
    }

  private:
    size_t part_of(uint64_t key) const { return part_bits_ == 0 ? 0 : key >> (64 - part_bits_); }

    const unsigned char* window(const WindowRecord& record) const {
        return windows_ + size_t{record.index} * window_bytes(view_);
    }

    void describe() {
        described_ = Memory::zeroed(n_ * sizeof(WindowRecord));
        counts_.assign(n_slices_ * n_parts_, 0);
        WindowRecord* const records = reinterpret_cast<WindowRecord*>(described_.data());
        for_each_task(n_slices_, threads_, [&] {
            return [&, scratch = std::make_unique<Scratch>()](size_t slice) {
                const size_t begin = slice * kSlice, here = std::min(kSlice, n_ - begin);
                kernel_.describe(view_, windows_ + begin * window_bytes(view_), here, static_cast<uint32_t>(begin),
                                 *scratch, records + begin);
                uint32_t* const counts = counts_.data() + slice * n_parts_;
                for (size_t i = begin; i < begin + here; ++i) ++counts[part_of(records[i].key)];
            };
        });
    }

    // Moves every record to its part. The places are reckoned beforehand, so slices do not meet.
    void partition() {
        part_begin_.assign(n_parts_ + 1, 0);
        size_t total = 0;
        for (size_t part = 0; part < n_parts_; ++part) {
            part_begin_[part] = total;
            for (size_t slice = 0; slice < n_slices_; ++slice)
                total += std::exchange(counts_[slice * n_parts_ + part], static_cast<uint32_t>(total));
        }
        part_begin_[n_parts_] = total;
        parted_ = Memory::zeroed(n_ * sizeof(WindowRecord));
        const WindowRecord* const from = reinterpret_cast<const WindowRecord*>(described_.data());
        WindowRecord* const to = reinterpret_cast<WindowRecord*>(parted_.data());
        parallel_for(n_slices_, threads_, [&](size_t slice) {
            uint32_t* const places = counts_.data() + slice * n_parts_;
            const size_t begin = slice * kSlice, end = std::min(begin + kSlice, n_);
            for (size_t i = begin; i < end; ++i) to[places[part_of(from[i].key)]++] = from[i];
        });
        described_ = Memory();
        counts_ = {};
    }

    void sort_parts() {
        distinct_.assign(n_parts_ + 1, 0);
        for_each_task(n_parts_, threads_, [&] {
            return [&, buffer = std::vector<WindowRecord>(), ends = std::vector<uint32_t>()](size_t part) mutable {
                WindowRecord* const records = reinterpret_cast<WindowRecord*>(parted_.data()) + part_begin_[part];
                const size_t size = part_begin_[part + 1] - part_begin_[part];
                buffer.resize(size);
                sort_part(records, size, buffer.data(), ends);
                distinct_[part + 1] = drop_repeats(records, size);
            };
        });
        for (size_t part = 0; part < n_parts_; ++part) distinct_[part + 1] += distinct_[part];
    }

    void sort_part(WindowRecord* records, size_t size, WindowRecord* buffer, std::vector<uint32_t>& ends) const {
        const unsigned shift = 64 - part_bits_ - kInnerBits;
        const auto bucket_of_key = [shift](uint64_t key) { return key >> shift & ((1u << kInnerBits) - 1); };
        ends.assign((size_t{1} << kInnerBits) + 1, 0);
        for (size_t i = 0; i < size; ++i) ++ends[bucket_of_key(records[i].key) + 1];
        for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
        // Afterwards ends[b] is where bucket b ends and b + 1 begins.
        for (size_t i = 0; i < size; ++i) buffer[ends[bucket_of_key(records[i].key)]++] = records[i];
        size_t begin = 0;
        for (size_t bucket = 0; bucket + 1 < ends.size(); ++bucket) {
            const size_t end = ends[bucket];
            if (end - begin > 1) sort_bucket(buffer + begin, end - begin);
            begin = end;
        }
        std::copy(buffer, buffer + size, records);
    }

    // By key, and where hashes collide by the tokens themselves: a total order, whatever order the windows came in.
    void sort_bucket(WindowRecord* records, size_t size) const {
        const auto by_key = [](const WindowRecord& a, const WindowRecord& b) { return a.key < b.key; };
        if (size > 16) {
            std::sort(records, records + size, by_key);
        } else {
            for (size_t i = 1; i < size; ++i) {
                const WindowRecord moving = records[i];
                size_t at = i;
                for (; at > 0 && moving.key < records[at - 1].key; --at) records[at] = records[at - 1];
                records[at] = moving;
            }
        }
        const size_t bytes = window_bytes(view_);
        for (size_t begin = 0, end; begin < size; begin = end) {
            for (end = begin + 1; end < size && records[end].key == records[begin].key;) ++end;
            if (end - begin == 1) continue;
            std::sort(records + begin, records + end, [&](const WindowRecord& a, const WindowRecord& b) {
                return std::memcmp(window(a), window(b), bytes) < 0;
            });
        }
    }

    size_t drop_repeats(WindowRecord* records, size_t size) const {
        size_t kept = 0;
        for (size_t i = 0; i < size; ++i) {
            if (kept > 0 && records[kept - 1].key == records[i].key &&
                std::memcmp(window(records[kept - 1]), window(records[i]), window_bytes(view_)) == 0)
                continue;
            records[kept++] = records[i];
        }
        return kept;
    }

    QueryTable lay_out() {
        view_.n_queries = distinct_[n_parts_];
        choose_sizes(view_);
        const TableLayout layout = layout_of(view_);
        Memory image = Memory::zeroed(layout.end);
        point_into(view_, image.data());
        parallel_for(n_parts_, threads_, [&](size_t part) { lay_out_part(part, image.data(), layout); });
        return QueryTable(view_, std::move(image));
    }

    void lay_out_part(size_t part, unsigned char* image, const TableLayout& layout) const {
        uint64_t* const filter = reinterpret_cast<uint64_t*>(image + layout.filter);
        uint32_t* const directory = reinterpret_cast<uint32_t*>(image + layout.directory);
        uint64_t* const keys = reinterpret_cast<uint64_t*>(image + layout.keys);
        const WindowRecord* const records = reinterpret_cast<const WindowRecord*>(parted_.data()) + part_begin_[part];
        const size_t begin = distinct_[part], size = distinct_[part + 1] - begin;
        const size_t bytes = window_bytes(view_);
        // Buckets whose range of hashes begins in this part's: with fewer buckets than parts, some parts have none.
        const uint64_t hashes = uint64_t{1} << 32, buckets = uint64_t{1} << view_.directory_bits;
        const auto first_bucket = [&](uint64_t hash) { return ((hash << view_.directory_bits) + hashes - 1) >> 32; };
        uint64_t bucket = first_bucket(uint64_t{part} << (32 - part_bits_));
        const uint64_t end_bucket = first_bucket((uint64_t{part} + 1) << (32 - part_bits_));
        for (size_t i = 0; i < size; ++i) {
            const WindowRecord& record = records[i];
            const uint32_t gram = key_gram(record.key);
            for (; bucket < end_bucket && bucket <= bucket_of(view_, gram); ++bucket)
                directory[bucket] = static_cast<uint32_t>(begin + i);
            filter[filter_word(gram, view_.filter_words)] |= filter_bits(record.gram_low);
            keys[begin + i] = record.key;
        }
        for (; bucket < end_bucket; ++bucket) directory[bucket] = static_cast<uint32_t>(begin + size);
        kernel_.gather(windows_, records, size, bytes, image + layout.tokens + begin * bytes);
        if (part + 1 == n_parts_) directory[buckets] = static_cast<uint32_t>(begin + size);
    }

    TableView view_;
    const unsigned char* windows_;
    size_t n_;
    const Kernels& kernel_;
    unsigned threads_;
    unsigned part_bits_ = 0;
    size_t n_parts_ = 1, n_slices_ = 0;
    Memory described_, parted_;
    std::vector<uint32_t> counts_;    // by slice and part: how many, later where the next one goes
    std::vector<size_t> part_begin_;  // in parted_
    std::vector<size_t> distinct_;    // in the table
};

// The windows as 16-bit tokens, if all of them fit.
bool try_narrow(const void* windows, size_t n_tokens, const Kernels& kernel, unsigned threads, Memory& narrowed) {
    narrowed = Memory::zeroed(n_tokens * sizeof(uint16_t));
    constexpr size_t block = size_t{1} << 16;
    std::atomic<bool> fits{true};
    parallel_for((n_tokens + block - 1) / block, threads, [&](size_t task) {
        if (!fits.load(std::memory_order_relaxed)) return;
        const size_t begin = task * block;
        if (!kernel.narrow(static_cast<const uint32_t*>(windows) + begin,
                           reinterpret_cast<uint16_t*>(narrowed.data()) + begin, std::min(block, n_tokens - begin)))
            fits = false;
    });
    return fits;
}

}  // namespace

QueryTable build_query_table(const void* windows, size_t n, uint32_t length, uint32_t token_bytes,
                             const BuildOptions& options) {
    if (length < kMinLength || length > kMaxLength)
        throw std::invalid_argument("windows of " + std::to_string(length) + " tokens: a query table takes " +
                                    std::to_string(kMinLength) + " to " + std::to_string(kMaxLength));
    if (n >= UINT32_MAX)
        throw std::invalid_argument(std::to_string(n) +
                                    " windows: a query table takes fewer than 2^32 - 1; split them");
    if (options.hash_bits > 64) throw std::invalid_argument("hash_bits must be 0 to 64");
    const Kernels& kernel = kernels(options.instruction_set);
    const unsigned threads = options.threads == 0 ? available_threads() : options.threads;
    TableView view;
    view.length = length;
    view.gram = gram_of(length);
    view.gram_mask = options.hash_bits == 0 ? 0 : ~uint64_t{0} << (64 - options.hash_bits);
    view.window_mask = (1u << std::min(options.hash_bits, kWindowHashBits)) - 1;
    Memory narrowed;
    if (token_bytes == 4 && try_narrow(windows, n * length, kernel, threads, narrowed)) {
        windows = narrowed.data();
        token_bytes = 2;
    }
    view.token_bytes = token_bytes;
    return Builder(view, static_cast<const unsigned char*>(windows), n, kernel, threads).run();
}

}  // namespace memtax
