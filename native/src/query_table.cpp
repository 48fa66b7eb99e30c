#include "query_table.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "hashes.hpp"
#include "instruction_set.hpp"
#include "parallel.hpp"

namespace memtax {
namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

QueryTable::QueryTable(const TableView& view, Memory memory, Memory filter)
    : view_(view), memory_(std::move(memory)), filter_(std::move(filter)) {}

QueryTable::QueryTable(QueryTable&& other) noexcept
    : view_(other.view_),
      memory_(std::move(other.memory_)),
      filter_(std::move(other.filter_)),
      digest_(std::move(other.digest_)) {}

std::string QueryTable::digest() const {
    const std::lock_guard<std::mutex> guard(digest_lock_);
    if (!digest_) {
        const size_t bytes = view_.n_queries * window_bytes(view_);
        const Hash128 tokens = content_hash(view_.tokens, bytes, available_threads());
        const uint64_t described[] = {kFormatVersion,  view_.length,      view_.token_bytes, view_.n_queries,
                                      view_.gram_mask, view_.window_mask, tokens.low,        tokens.high};
        digest_ = content_hash(described, sizeof described, 1).hex();
    }
    return *digest_;
}

void choose_sizes(TableView& view) {
    // Between one and two queries a bucket.
    uint32_t bits = 0;
    while (bits < 31 && (uint64_t{2} << bits) <= view.n_queries) ++bits;
    view.directory_bits = bits;
    // 32 bits a query let one anchor in 2,000 through by chance; beyond what the caches hold, 16 (one in 150) cost
    // less.
    const uint64_t bits_per_query = view.n_queries <= (uint64_t{3} << 20) ? 32 : 16;
    // A multiple of 2^11, so that each part of a parallel build fills whole words of its own.
    const uint64_t words = (view.n_queries * bits_per_query + 63) / 64;
    view.filter_words = std::max<uint64_t>(1, (words + 2047) / 2048) * 2048;
}

TableLayout layout_of(const TableView& view) {
    TableLayout layout;
    layout.directory = layout.filter + aligned(view.filter_words * sizeof(uint64_t));
    layout.keys = layout.directory + aligned(((size_t{1} << view.directory_bits) + 1) * sizeof(uint32_t));
    layout.tokens = layout.keys + aligned(view.n_queries * sizeof(uint64_t));
    layout.end = layout.tokens + aligned(view.n_queries * window_bytes(view));
    return layout;
}

void point_into(TableView& view, const unsigned char* image) {
    const TableLayout layout = layout_of(view);
    view.filter = reinterpret_cast<const uint64_t*>(image + layout.filter);
    view.directory = reinterpret_cast<const uint32_t*>(image + layout.directory);
    view.keys = reinterpret_cast<const uint64_t*>(image + layout.keys);
    view.tokens = image + layout.tokens;
}

void find_windows(const QueryTable& table, const void* windows, size_t n, uint32_t token_bytes, unsigned threads,
                  int64_t* index) {
    const TableView& view = table.view();
    const Kernels& kernel = kernels("");
    constexpr size_t block = 256;
    const auto make_worker = [&] {
        auto scratch = std::make_unique<Scratch>();
        std::vector<unsigned char> converted(token_bytes == view.token_bytes ? 0 : block * window_bytes(view));
        std::vector<WindowRecord> records(block);
        std::vector<char> fits(block);
        return [&, scratch = std::move(scratch), converted = std::move(converted), records = std::move(records),
                fits = std::move(fits)](size_t task) mutable {
            const size_t begin = task * block, here = std::min(block, n - begin);
            const unsigned char* from = static_cast<const unsigned char*>(windows) + begin * view.length * token_bytes;
            std::fill(fits.begin(), fits.end(), 1);
            if (token_bytes < view.token_bytes) {
                kernel.widen(reinterpret_cast<const uint16_t*>(from), reinterpret_cast<uint32_t*>(converted.data()),
                             here * view.length);
                from = converted.data();
            } else if (token_bytes > view.token_bytes) {
                for (size_t i = 0; i < here; ++i)
                    fits[i] =
                        kernel.narrow(reinterpret_cast<const uint32_t*>(from) + i * view.length,
                                      reinterpret_cast<uint16_t*>(converted.data()) + i * view.length, view.length);
                from = converted.data();
            }
            kernel.describe(view, from, here, 0, *scratch, records.data());
            for (size_t i = 0; i < here; ++i) {
                const uint64_t found =
                    fits[i] ? locate(view, records[i].key, from + i * window_bytes(view)) : view.n_queries;
                index[begin + i] = found == view.n_queries ? -1 : static_cast<int64_t>(found);
            }
        };
    };
    for_each_task((n + block - 1) / block, threads, make_worker);
}

}  // namespace memtax
