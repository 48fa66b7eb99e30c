// An immutable set of windows to count: built once, shared by any number of threads, stored in one file.
//
// The same set of windows gives the same table, whatever their order, repeats and the width they came in (tokens are
// kept as 16 bits where all of them fit). A query's index is its rank by key (see table_view.hpp), so it is the same
// wherever that set is built by this version of the format.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "content_hash.hpp"
#include "kernels.hpp"
#include "memory.hpp"
#include "table_view.hpp"

namespace memtax {

// Part of every file's header and of every digest: raised whenever the layout or a hash changes.
constexpr uint32_t kFormatVersion = 1;

class QueryTable {
  public:
    QueryTable(const TableView& view, Memory memory, Memory filter = {});

    const TableView& view() const { return view_; }
    // Names the set of windows: equal for equal sets. Computed when first asked for (one read of the tokens).
    std::string digest() const;

    // Writes under a temporary name beside `path`, then renames. Throws std::runtime_error.
    void save(const std::string& path, unsigned threads) const;
    // Maps a stored table. Throws std::runtime_error for a file that is foreign, truncated, damaged or of another
    // version. `check_content` reads all of it once; without it only sizes and the header are checked.
    static QueryTable open(const std::string& path, bool check_content, unsigned threads);

    QueryTable(QueryTable&& other) noexcept;

  private:
    TableView view_;
    Memory memory_;  // what the view points to
    Memory filter_;  // of an opened table: the filter, copied where huge pages can hold it
    mutable std::mutex digest_lock_;
    mutable std::optional<std::string> digest_;
};

// Sizes and places of a table's arrays in its image, which is also the file after the header.
struct TableLayout {
    size_t filter = 0, directory = 0, keys = 0, tokens = 0, end = 0;
};
TableLayout layout_of(const TableView& view);

// Sizes the filter and the directory for view.n_queries and points the arrays into `image`.
void choose_sizes(TableView& view);
void point_into(TableView& view, const unsigned char* image);

struct BuildOptions {
    unsigned threads = 0;         // 0: all processors
    std::string instruction_set;  // empty: the fastest
    unsigned hash_bits = 64;      // fewer weaken every hash, so that tests can force collisions
};

// Builds a table from n windows of `length` tokens of 2 or 4 bytes. Throws std::invalid_argument for a length outside
// kMinLength … kMaxLength or for 2^32 - 1 windows or more. Peak memory: the table, and 32 bytes a window.
QueryTable build_query_table(const void* windows, size_t n, uint32_t length, uint32_t token_bytes,
                             const BuildOptions& options);

// index[i] = index of window i, or -1. The windows lie one after the other, of the given width.
void find_windows(const QueryTable& table, const void* windows, size_t n, uint32_t token_bytes, unsigned threads,
                  int64_t* index);

}  // namespace memtax
