#include "bind_arrays.hpp"

#include "parallel.hpp"

namespace memtax {

uint32_t token_bytes_of(const py::array& values, const char* name) {
    const bool wide = py::isinstance<py::array_t<uint32_t>>(values);
    if (!wide && !py::isinstance<py::array_t<uint16_t>>(values))
        throw py::type_error(std::string(name) + " must be uint16 or uint32, not " +
                             std::string(py::str(values.dtype())) + "; convert it with .astype(numpy.uint32)");
    if (!(values.flags() & py::array::c_style))
        throw py::type_error(std::string(name) + " must be contiguous; pass numpy.ascontiguousarray(" + name + ")");
    return wide ? 4 : 2;
}

uint32_t check_tokens(const py::array& values, const char* name) {
    if (values.ndim() != 1)
        throw py::value_error(std::string(name) + " must have one dimension, not " + std::to_string(values.ndim()) +
                              "; pass it flat, with offsets");
    return token_bytes_of(values, name);
}

Offsets::Offsets(const py::array& array, size_t n_values) : array_(array) {
    const bool narrow = py::isinstance<py::array_t<int32_t>>(array);
    if (!narrow && !py::isinstance<py::array_t<int64_t>>(array))
        throw py::type_error("offsets must be int32 or int64, not " + std::string(py::str(array.dtype())));
    if (array.ndim() != 1 || array.size() < 1 || !(array.flags() & py::array::c_style))
        throw py::value_error("offsets must be a contiguous array of one dimension with one entry more than rows");
    rows_ = static_cast<size_t>(array.size()) - 1;
    if (narrow) {
        const int32_t* const from = static_cast<const int32_t*>(array.data());
        converted_.assign(from, from + rows_ + 1);
        data_ = converted_.data();
    } else {
        data_ = static_cast<const int64_t*>(array.data());
    }
    if (data_[0] < 0 || data_[rows_] > static_cast<int64_t>(n_values))
        throw py::value_error("offsets run from " + std::to_string(data_[0]) + " to " + std::to_string(data_[rows_]) +
                              ", outside the " + std::to_string(n_values) + " values");
    for (size_t i = 0; i < rows_; ++i)
        if (data_[i + 1] < data_[i]) throw py::value_error("offsets fall at row " + std::to_string(i));
}

unsigned thread_count(int threads) {
    if (threads < 0)
        throw py::value_error("threads must be 0 (all processors) or more, not " + std::to_string(threads));
    return threads == 0 ? available_threads() : static_cast<unsigned>(threads);
}

}  // namespace memtax
