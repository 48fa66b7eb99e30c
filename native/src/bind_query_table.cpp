#include <cstring>

#include "bind_arrays.hpp"
#include "query_table.hpp"
#include "scan.hpp"

namespace memtax {
namespace {

QueryTable build(const py::array& windows, int threads, const std::string& instruction_set, unsigned hash_bits) {
    if (windows.ndim() != 2)
        throw py::value_error("windows must have two dimensions (one row per window), not " +
                              std::to_string(windows.ndim()));
    const uint32_t token_bytes = token_bytes_of(windows, "windows");
    const py::ssize_t length = windows.shape(1);
    if (length > UINT16_MAX) throw py::value_error("windows of " + std::to_string(length) + " tokens are too long");
    BuildOptions options;
    options.threads = thread_count(threads);
    options.instruction_set = instruction_set;
    options.hash_bits = hash_bits;
    const void* const data = windows.data();
    const size_t n = static_cast<size_t>(windows.shape(0));
    const py::gil_scoped_release released;
    return build_query_table(data, n, static_cast<uint32_t>(length), token_bytes, options);
}

py::tuple scan_arrays(const QueryTable& table, const py::array& values, const py::array& offsets, int threads,
                      const std::string& instruction_set) {
    const uint32_t token_bytes = check_tokens(values, "values");
    const Offsets rows(offsets, static_cast<size_t>(values.size()));
    const Sequences sequences{values.data(), token_bytes, rows.data(), rows.rows()};
    const unsigned n_threads = thread_count(threads);
    ScanResult result;
    {
        const py::gil_scoped_release released;
        result = scan(table, sequences, n_threads, instruction_set);
    }
    const py::ssize_t n = result.row_offsets.back();
    py::array_t<int64_t> query_index(n);
    py::array_t<int32_t> occurrences(n), first_offset(n);
    int64_t* const queries = query_index.mutable_data();
    int32_t* const counts = occurrences.mutable_data();
    int32_t* const firsts = first_offset.mutable_data();
    size_t at = 0;
    for (const std::vector<Count>& block : result.blocks)
        for (const Count& count : block) {
            queries[at] = count.query;
            counts[at] = static_cast<int32_t>(count.occurrences);
            firsts[at++] = static_cast<int32_t>(count.first_offset);
        }
    return py::make_tuple(to_array(std::move(result.row_offsets)), query_index, occurrences, first_offset);
}

py::array_t<int64_t> find(const QueryTable& table, const py::array& values, const py::array& offsets, int threads) {
    const uint32_t token_bytes = check_tokens(values, "values");
    const Offsets rows(offsets, static_cast<size_t>(values.size()));
    const int64_t length = table.view().length;
    for (size_t i = 0; i < rows.rows(); ++i)
        if (rows.data()[i + 1] - rows.data()[i] != length)
            throw py::value_error("row " + std::to_string(i) + " has " +
                                  std::to_string(rows.data()[i + 1] - rows.data()[i]) +
                                  " tokens; this table holds windows of " + std::to_string(length));
    const unsigned n_threads = thread_count(threads);
    py::array_t<int64_t> index(static_cast<py::ssize_t>(rows.rows()));
    int64_t* const to = index.mutable_data();
    const unsigned char* const from = static_cast<const unsigned char*>(values.data()) + rows.data()[0] * token_bytes;
    const py::gil_scoped_release released;
    find_windows(table, from, rows.rows(), token_bytes, n_threads, to);
    return index;
}

py::array window(const QueryTable& table, int64_t index) {
    const TableView& view = table.view();
    if (index < 0 || static_cast<uint64_t>(index) >= view.n_queries)
        throw py::index_error("query " + std::to_string(index) + " of a table of " + std::to_string(view.n_queries));
    const py::dtype type = view.token_bytes == 2 ? py::dtype::of<uint16_t>() : py::dtype::of<uint32_t>();
    const size_t bytes = size_t{view.length} * view.token_bytes;
    return py::array(type, static_cast<py::ssize_t>(view.length), view.tokens + static_cast<size_t>(index) * bytes);
}

}  // namespace

void bind_query_table(py::module_& module) {
    py::class_<QueryTable>(module, "QueryTable", "An immutable set of windows of tokens to count; see memtax_native.")
        .def_static("build", &build, py::arg("windows"), py::arg("threads") = 0, py::kw_only(),
                    py::arg("instruction_set") = "", py::arg("_hash_bits") = 64,
                    "Build a table from the rows of a 2-D uint16 or uint32 array; repeats count once.")
        .def_static(
            "open",
            [](const std::string& path, bool verify, int threads) {
                const unsigned n_threads = thread_count(threads);
                const py::gil_scoped_release released;
                return QueryTable::open(path, verify, n_threads);
            },
            py::arg("path"), py::arg("verify") = true, py::arg("threads") = 0,
            "Map a stored table read-only; `verify` reads all of it once to check that it is undamaged.")
        .def(
            "save",
            [](const QueryTable& table, const std::string& path, int threads) {
                const unsigned n_threads = thread_count(threads);
                const py::gil_scoped_release released;
                table.save(path, n_threads);
            },
            py::arg("path"), py::arg("threads") = 0, "Write under a temporary name in the same folder, then rename.")
        .def("scan", &scan_arrays, py::arg("values"), py::arg("offsets"), py::arg("threads") = 0,
             py::arg("instruction_set") = "",
             "Count the queries in each sequence: (row_offsets, query_index, occurrences, first_offset).")
        .def("find", &find, py::arg("values"), py::arg("offsets"), py::arg("threads") = 0,
             "Index of each window (rows of exactly `length` tokens), -1 where the table does not hold it.")
        .def("window", &window, py::arg("index"), "A copy of the tokens of one query.")
        .def_property_readonly(
            "length", [](const QueryTable& table) { return table.view().length; }, "Tokens in a window.")
        .def_property_readonly(
            "n_queries", [](const QueryTable& table) { return table.view().n_queries; }, "Distinct windows.")
        .def_property_readonly(
            "digest",
            [](const QueryTable& table) {
                const py::gil_scoped_release released;
                return table.digest();
            },
            "A hash of the set of windows, as 32 hexadecimal digits.")
        .def_property_readonly(
            "nbytes",
            [](const QueryTable& table) {
                const TableLayout layout = layout_of(table.view());
                py::dict sizes;
                sizes["filter"] = layout.directory - layout.filter;
                sizes["index"] = layout.tokens - layout.directory;
                sizes["tokens"] = layout.end - layout.tokens;
                return sizes;
            },
            "Bytes of the filter, the index and the tokens.")
        .def("__len__", [](const QueryTable& table) { return table.view().n_queries; })
        .def("__repr__", [](const QueryTable& table) {
            return "<memtax_native.QueryTable of " + std::to_string(table.view().n_queries) + " windows of " +
                   std::to_string(table.view().length) + " tokens>";
        });
}

}  // namespace memtax
