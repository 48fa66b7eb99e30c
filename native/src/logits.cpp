#include "logits.hpp"

#include <pybind11/numpy.h>

#include <stdexcept>
#include <vector>

#include "bind_arrays.hpp"
#include "parallel.hpp"

namespace memtax {
namespace {

// Enough rows to a task that handing them out costs nothing.
constexpr size_t kRowsPerTask = 4;

std::vector<const LogitKernel*> find_available() {
    std::vector<const LogitKernel*> found;
#ifdef MEMTAX_X86_KERNELS
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2 && __builtin_cpu_supports("avx512f")) found.push_back(&kAvx512Logits);
    if (avx2) found.push_back(&kAvx2Logits);
#endif
    found.push_back(&kPortableLogits);
    return found;
}

py::tuple score(const py::array& logits, const py::array_t<int64_t, py::array::c_style>& targets, int threads,
                const std::string& instruction_set) {
    if (!py::isinstance<py::array_t<float>>(logits) || logits.ndim() != 2 || !(logits.flags() & py::array::c_style))
        throw py::type_error("logits must be a contiguous float32 array of two dimensions");
    const size_t n = static_cast<size_t>(logits.shape(0)), size = static_cast<size_t>(logits.shape(1));
    if (targets.ndim() != 1 || static_cast<size_t>(targets.size()) != n)
        throw py::value_error("targets must hold one token for each of the " + std::to_string(n) + " rows of logits");
    const int64_t* const wanted = targets.data();
    for (size_t i = 0; i < n; ++i)
        if (wanted[i] < 0 || static_cast<size_t>(wanted[i]) >= size)
            throw py::value_error("target " + std::to_string(wanted[i]) + " in row " + std::to_string(i) +
                                  " is not one of the " + std::to_string(size) + " tokens that logits are given for");
    const LogitKernel& kernel = logit_kernel(instruction_set);
    const unsigned n_threads = thread_count(threads);
    py::array_t<double> log_probabilities(static_cast<py::ssize_t>(n));
    py::array_t<bool> greedy(static_cast<py::ssize_t>(n));
    const float* const from = static_cast<const float*>(logits.data());
    double* const to = log_probabilities.mutable_data();
    bool* const flags = greedy.mutable_data();
    {
        const py::gil_scoped_release released;
        score_logits(kernel, from, wanted, n, size, n_threads, to, flags);
    }
    return py::make_tuple(log_probabilities, greedy);
}

}  // namespace

const LogitKernel& logit_kernel(const std::string& name) {
    static const std::vector<const LogitKernel*> available = find_available();
    if (name.empty()) return *available.front();
    std::string present;
    for (const LogitKernel* one : available) {
        if (name == one->name) return *one;
        present += (present.empty() ? "" : ", ") + std::string(one->name);
    }
    throw std::invalid_argument("instruction set '" + name + "' is not available for logits; there are: " + present);
}

void score_logits(const LogitKernel& kernel, const float* logits, const int64_t* targets, size_t n, size_t size,
                  unsigned threads, double* log_probabilities, bool* greedy) {
    const size_t tasks = (n + kRowsPerTask - 1) / kRowsPerTask;
    parallel_for(tasks, threads, [&](size_t task) {
        const size_t end = (task + 1) * kRowsPerTask < n ? (task + 1) * kRowsPerTask : n;
        for (size_t row = task * kRowsPerTask; row < end; ++row) {
            const LogitScore found = kernel.score(logits + row * size, size, static_cast<size_t>(targets[row]));
            log_probabilities[row] = found.log_probability;
            greedy[row] = found.greedy;
        }
    });
}

void bind_logits(py::module_& module) {
    module.def("score_logits", &score, py::arg("logits"), py::arg("targets"), py::arg("threads") = 0,
               py::arg("instruction_set") = "",
               "The log-softmax of each row's target, and whether it is the first of the row's largest logits.");
}

}  // namespace memtax
