// memtax_native._logistic: thin bindings.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>

#include "logistic_rows.hpp"

namespace py = pybind11;
using memtax::logistic::Choices;
using memtax::logistic::Rows;
using memtax::logistic::Values;

namespace {

using Numbers = py::array_t<double, py::array::c_style>;
using Flags = py::array_t<uint8_t, py::array::c_style>;
using Literals = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;

unsigned thread_count(int threads) {
    if (threads < 1) throw py::value_error("threads must be 1 or more");
    return static_cast<unsigned>(threads);
}

// Null for none.
const double* per_feature(const std::optional<Numbers>& numbers, size_t features) {
    if (!numbers) return nullptr;
    if (numbers->ndim() != 1 || static_cast<size_t>(numbers->size()) != features)
        throw py::value_error("shift and scale have one number per feature");
    return numbers->data();
}

Rows make_rows(const py::array_t<double>& values, const Flags& labels, const std::optional<Numbers>& shift,
               const std::optional<Numbers>& scale, int threads) {
    if (values.ndim() != 2 || labels.ndim() != 1 || labels.shape(0) != values.shape(0))
        throw py::value_error("values must be (rows, features) and labels (rows,)");
    constexpr auto kSize = static_cast<py::ssize_t>(sizeof(double));
    if (values.strides(0) % kSize != 0 || values.strides(1) % kSize != 0)
        throw py::value_error("values must be an array of numbers alone, not a field of records");
    const auto features = static_cast<size_t>(values.shape(1));
    const Values own{
        values.data(), values.strides(0) / kSize,    values.strides(1) / kSize,   static_cast<size_t>(values.shape(0)),
        features,      per_feature(shift, features), per_feature(scale, features)};
    for (py::ssize_t i = 0; i < labels.size(); ++i)
        if (labels.data()[i] > 1) throw py::value_error("labels must be 0 or 1");
    const unsigned n_threads = thread_count(threads);
    const py::gil_scoped_release released;
    return Rows(own, labels.data(), n_threads);
}

size_t add_indicator(Rows& rows, const Flags& holds) {
    if (holds.ndim() != 1 || static_cast<size_t>(holds.size()) != rows.size())
        throw py::value_error("an indicator has one value per row");
    return rows.add_indicator(holds.data());
}

Choices choices_of(const Rows& rows, const Literals& literals) {
    if (literals.ndim() != 2) throw py::value_error("choices must be (choices, literals)");
    const auto known = static_cast<int64_t>(rows.indicators());
    for (py::ssize_t i = 0; i < literals.size(); ++i) {
        const int64_t literal = literals.data()[i];
        if (literal > known || literal < -known)
            throw py::value_error("a choice names indicator " + std::to_string(std::abs(literal)) + " of " +
                                  std::to_string(known));
    }
    return {literals.data(), static_cast<size_t>(literals.shape(0)), static_cast<size_t>(literals.shape(1))};
}

py::array_t<uint64_t> count(const Rows& rows, const Literals& literals, int threads) {
    const Choices choices = choices_of(rows, literals);
    const unsigned n_threads = thread_count(threads);
    py::array_t<uint64_t> counts({choices.n, size_t{2}});
    uint64_t* const to = counts.mutable_data();
    const py::gil_scoped_release released;
    rows.count(choices, n_threads, to);
    return counts;
}

py::tuple derive(const Rows& rows, const Literals& literals, const Numbers& coefficients, const Numbers& weights,
                 bool with_hessian, int threads, const std::string& instruction_set) {
    const Choices choices = choices_of(rows, literals);
    const size_t n = choices.n, columns = rows.columns();
    if (coefficients.ndim() != 2 || static_cast<size_t>(coefficients.shape(0)) != n ||
        static_cast<size_t>(coefficients.shape(1)) != columns || weights.ndim() != 2 ||
        static_cast<size_t>(weights.shape(0)) != n || weights.shape(1) != 2)
        throw py::value_error("coefficients must be (choices, features + 1) and weights (choices, 2)");
    const unsigned n_threads = thread_count(threads);
    py::array_t<double> loss(static_cast<py::ssize_t>(n)), errors(static_cast<py::ssize_t>(n)), gradient({n, columns});
    py::array_t<double> hessian({with_hessian ? n : 0, columns, columns});
    double *const to_loss = loss.mutable_data(), *const to_errors = errors.mutable_data(),
                  *const to_gradient = gradient.mutable_data();
    double* const to_hessian = with_hessian ? hessian.mutable_data() : nullptr;
    {
        const py::gil_scoped_release released;
        rows.derive(choices, coefficients.data(), weights.data(), n_threads, instruction_set, to_loss, to_errors,
                    to_gradient, to_hessian);
    }
    return py::make_tuple(loss, gradient, hessian, errors);
}

}  // namespace

PYBIND11_MODULE(_logistic, module) {
    module.doc() = "Sums for fitting many logistic regressions on choices of the same rows in one scan.";
    module.def("instruction_sets", &memtax::logistic::instruction_sets,
               "Instruction sets that can be used here, fastest first.");
    py::class_<Rows>(module, "Rows")
        .def(py::init(&make_rows), py::arg("values"), py::arg("labels"), py::kw_only(), py::arg("shift") = py::none(),
             py::arg("scale") = py::none(), py::arg("threads") = 1,
             "Copy (values - shift) / scale, of float64 (rows, features) in any order of memory and (features,), and\n"
             "labels, uint8 (rows,) of 0 or 1.")
        .def("__len__", &Rows::size)
        .def_property_readonly("n_columns", &Rows::columns, "Features and the intercept.")
        .def_property_readonly("n_indicators", &Rows::indicators)
        .def("add_indicator", &add_indicator, py::arg("holds"), "Add uint8 (rows,) of 0 or 1; its number, from 0.")
        .def("count", &count, py::arg("choices"), py::kw_only(), py::arg("threads") = 1,
             "Rows, and rows of label 1, of each choice: uint64 (choices, 2).")
        .def("derive", &derive, py::arg("choices"), py::arg("coefficients"), py::arg("weights"), py::kw_only(),
             py::arg("with_hessian") = true, py::arg("threads") = 1, py::arg("instruction_set") = "",
             "Weighted negative log-likelihood, its gradient and Hessian, and the rows on the wrong side of 0.5, for "
             "each choice of rows and its coefficients\n"
             "(intercept last). Choices are int32 (choices, literals): k + 1 for 'indicator k holds', -(k + 1) for\n"
             "'it does not', 0 for nothing; a row is chosen where all its literals hold. Weights are (choices, 2),\n"
             "of the labels 0 and 1.");
}
