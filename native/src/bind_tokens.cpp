#include <pybind11/stl.h>

#include <optional>

#include "bind_arrays.hpp"
#include "ngrams.hpp"
#include "token_counts.hpp"

namespace memtax {
namespace {

py::array_t<uint64_t> count(const py::array& values, std::optional<int64_t> size, int threads) {
    const uint32_t token_bytes = check_tokens(values, "values");
    if (size && *size < 1) throw py::value_error("size must be 1 or more, or None; got " + std::to_string(*size));
    const unsigned n_threads = thread_count(threads);
    const void* const data = values.data();
    const size_t n = static_cast<size_t>(values.size());
    std::vector<uint64_t> counts;
    {
        const py::gil_scoped_release released;
        counts = count_tokens(data, token_bytes, n, size ? static_cast<size_t>(*size) : 0, n_threads);
    }
    return to_array(std::move(counts));
}

// One integer for all rows, or an array of one per row.
class PerRow {
  public:
    PerRow(const py::object& given, size_t rows, const char* name) {
        if (py::isinstance<py::int_>(given)) {
            same_ = given.cast<int64_t>();
            return;
        }
        array_ = py::array_t<int64_t, py::array::c_style | py::array::forcecast>::ensure(given);
        if (!array_ || array_.ndim() != 1 || static_cast<size_t>(array_.size()) != rows)
            throw py::value_error(std::string(name) + " must be an integer, or an array of one per row");
        each_ = array_.data();
    }
    int64_t operator[](size_t row) const { return each_ == nullptr ? same_ : each_[row]; }

  private:
    py::array_t<int64_t, py::array::c_style | py::array::forcecast> array_;
    const int64_t* each_ = nullptr;
    int64_t same_ = 0;
};

py::array_t<uint64_t> hash_rows(const py::array& values, const py::array& offsets, const py::object& start,
                                const py::object& length) {
    const uint32_t token_bytes = check_tokens(values, "values");
    const Offsets rows(offsets, static_cast<size_t>(values.size()));
    const PerRow starts(start, rows.rows(), "start"), lengths(length, rows.rows(), "length");
    py::array_t<uint64_t> hashes(static_cast<py::ssize_t>(rows.rows()));
    uint64_t* const to = hashes.mutable_data();
    const void* const data = values.data();
    const py::gil_scoped_release released;
    for (size_t i = 0; i < rows.rows(); ++i) {
        const int64_t begin = rows.data()[i], size = rows.data()[i + 1] - begin;
        to[i] = 0;
        if (starts[i] < 0 || lengths[i] < 0 || starts[i] > size || lengths[i] > size - starts[i]) continue;
        const size_t n = static_cast<size_t>(lengths[i]);
        to[i] = token_bytes == 2 ? ngram_hash(static_cast<const uint16_t*>(data) + begin + starts[i], n)
                                 : ngram_hash(static_cast<const uint32_t*>(data) + begin + starts[i], n);
    }
    return hashes;
}

template <typename A, typename B>
void compare_rows(const void* a, const Offsets& rows_a, const void* b, const Offsets& rows_b, bool* to) {
    for (size_t i = 0; i < rows_a.rows(); ++i) {
        const int64_t at_a = rows_a.data()[i], at_b = rows_b.data()[i];
        to[i] = ngram_equal(static_cast<const A*>(a) + at_a, static_cast<size_t>(rows_a.data()[i + 1] - at_a),
                            static_cast<const B*>(b) + at_b, static_cast<size_t>(rows_b.data()[i + 1] - at_b));
    }
}

py::array_t<bool> equal_rows(const py::array& a, const py::array& a_offsets, const py::array& b,
                             const py::array& b_offsets) {
    const uint32_t bytes_a = check_tokens(a, "a"), bytes_b = check_tokens(b, "b");
    const Offsets rows_a(a_offsets, static_cast<size_t>(a.size())), rows_b(b_offsets, static_cast<size_t>(b.size()));
    if (rows_a.rows() != rows_b.rows())
        throw py::value_error("a has " + std::to_string(rows_a.rows()) + " rows and b " +
                              std::to_string(rows_b.rows()));
    py::array_t<bool> equal(static_cast<py::ssize_t>(rows_a.rows()));
    bool* const to = equal.mutable_data();
    const void* const from_a = a.data();
    const void* const from_b = b.data();
    const py::gil_scoped_release released;
    if (bytes_a == 2 && bytes_b == 2) compare_rows<uint16_t, uint16_t>(from_a, rows_a, from_b, rows_b, to);
    if (bytes_a == 2 && bytes_b == 4) compare_rows<uint16_t, uint32_t>(from_a, rows_a, from_b, rows_b, to);
    if (bytes_a == 4 && bytes_b == 2) compare_rows<uint32_t, uint16_t>(from_a, rows_a, from_b, rows_b, to);
    if (bytes_a == 4 && bytes_b == 4) compare_rows<uint32_t, uint32_t>(from_a, rows_a, from_b, rows_b, to);
    return equal;
}

uint64_t read_array(const py::array& values, int threads) {
    if (!(values.flags() & py::array::c_style)) throw py::type_error("values must be contiguous");
    const unsigned n_threads = thread_count(threads);
    const void* const data = values.data();
    const size_t bytes = static_cast<size_t>(values.nbytes());
    const py::gil_scoped_release released;
    return read_pass(data, bytes, n_threads);
}

}  // namespace

void bind_tokens(py::module_& module) {
    module.def("count_tokens", &count, py::arg("values"), py::arg("size") = py::none(), py::arg("threads") = 0,
               "How often each token id below `size` (or up to the largest) occurs. ValueError for one beyond.");
    module.def("ngram_hash", &hash_rows, py::arg("values"), py::arg("offsets"), py::arg("start"), py::arg("length"),
               "Stable hash of tokens[start:start + length] of each row; 0 where the row is too short.");
    module.def("ngram_equal", &equal_rows, py::arg("a"), py::arg("a_offsets"), py::arg("b"), py::arg("b_offsets"),
               "Whether row i of a and row i of b hold the same tokens.");
    module.def(
        "read_pass", &read_array, py::arg("values"), py::arg("threads") = 0,
        "Read an array once and return the exclusive or of its 64-bit words: the limit that benchmarks compare with.");
}

}  // namespace memtax
