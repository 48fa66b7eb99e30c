// NumPy arrays in and out of the bindings: shapes and types are checked here, with messages that say what to pass.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "scan.hpp"

namespace memtax {

namespace py = pybind11;

// Bytes of a token (2 or 4) of an array of tokens. Throws TypeError for another type, or where the array is not
// contiguous and native-endian.
uint32_t token_bytes_of(const py::array& values, const char* name);

// The same for an array that must have one dimension.
uint32_t check_tokens(const py::array& values, const char* name);

// Offsets of either integer type as 64-bit ones, without a copy where they are. Throws ValueError unless they ascend
// and stay within n_values.
class Offsets {
  public:
    Offsets(const py::array& array, size_t n_values);
    const int64_t* data() const { return data_; }
    size_t rows() const { return rows_; }

  private:
    py::array array_;
    std::vector<int64_t> converted_;
    const int64_t* data_ = nullptr;
    size_t rows_ = 0;
};

// 0 stands for all processors. Throws ValueError for a negative number.
unsigned thread_count(int threads);

// A Python array that takes over a vector.
template <typename T>
py::array_t<T> to_array(std::vector<T>&& from) {
    auto* const kept = new std::vector<T>(std::move(from));
    const py::capsule owner(kept, [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
    return py::array_t<T>(static_cast<py::ssize_t>(kept->size()), kept->data(), owner);
}

void bind_logits(py::module_& module);
void bind_query_table(py::module_& module);
void bind_tokens(py::module_& module);

}  // namespace memtax
