// memtax_native._text, and templating over a batch of texts, split over threads without the interpreter lock.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "nl_score_bind.hpp"
#include "templating.hpp"

namespace py = pybind11;
using memtax::templating::CodePoints;
using memtax::templating::Finder;
using memtax::templating::PaperFlags;
using memtax::templating::Pattern;
using memtax::templating::Rules;

namespace {

constexpr std::size_t kRowsWorthAThread = 64;

struct Columns {
    std::uint8_t *kind, *paper;
    std::int32_t* period;
    double *step, *coverage;
};

// Bits of the column `paper`.
constexpr std::uint8_t kIncrementing = 1, kRepeating = 2, kUnknown = 4;

void find_rows(const Rules& rules, const std::int64_t* offsets, const char* data, std::size_t from, std::size_t to,
               Columns out) {
    Finder finder(rules);
    CodePoints text;
    for (std::size_t row = from; row < to; ++row) {
        const auto length = static_cast<std::size_t>(offsets[row + 1] - offsets[row]);
        memtax::templating::decode_utf8({data + offsets[row], length}, text);
        const Pattern pattern = finder.find_pattern(text);
        const PaperFlags paper = finder.paper_flags(text);
        out.kind[row] = static_cast<std::uint8_t>(pattern.kind);
        out.period[row] = pattern.period;
        out.step[row] = pattern.step;
        out.coverage[row] = pattern.coverage;
        out.paper[row] = static_cast<std::uint8_t>((paper.incrementing ? kIncrementing : 0) |
                                                   (paper.repeating ? kRepeating : 0) | (paper.unknown ? kUnknown : 0));
    }
}

py::tuple find(const Rules& rules, py::array_t<std::int64_t, py::array::c_style> offsets, py::buffer data,
               std::size_t threads) {
    if (offsets.ndim() != 1 || offsets.size() < 1) throw std::invalid_argument("offsets must be a list of rows + 1");
    const py::buffer_info bytes = data.request();
    const auto rows = static_cast<std::size_t>(offsets.size()) - 1;
    const std::int64_t* const starts = offsets.data();
    if (bytes.itemsize != 1 || starts[0] < 0 || starts[rows] > static_cast<std::int64_t>(bytes.size) ||
        !std::is_sorted(starts, starts + rows + 1))
        throw std::invalid_argument("offsets must ascend within the data");
    const auto size = static_cast<py::ssize_t>(rows);
    py::array_t<std::uint8_t> kind(size), paper(size);
    py::array_t<std::int32_t> period(size);
    py::array_t<double> step(size), coverage(size);
    const Columns out{kind.mutable_data(), paper.mutable_data(), period.mutable_data(), step.mutable_data(),
                      coverage.mutable_data()};
    {
        py::gil_scoped_release release;
        const char* const text = static_cast<const char*>(bytes.ptr);
        const std::size_t workers =
            std::clamp<std::size_t>(rows / kRowsWorthAThread, 1, std::max<std::size_t>(threads, 1));
        std::vector<std::thread> running;
        for (std::size_t worker = 1; worker < workers; ++worker)
            running.emplace_back(find_rows, std::cref(rules), starts, text, rows * worker / workers,
                                 rows * (worker + 1) / workers, out);
        find_rows(rules, starts, text, 0, rows / workers, out);
        for (std::thread& thread : running) thread.join();
    }
    return py::make_tuple(kind, period, step, coverage, paper);
}

}  // namespace

PYBIND11_MODULE(_text, module) {
    module.doc() =
        "Templating and nl_score of texts. The references, and what the results mean: udf/templating, udf/nl_score.";
    memtax::nl_score::bind(module);
    py::class_<Rules>(module, "Rules")
        .def(
            py::init([](double templating_share, int repeats, int counter_repeats_more_than, int counter_moves,
                        int stretch_characters, int longest_period, std::unordered_map<std::string, std::int64_t> names,
                        std::vector<std::pair<std::uint32_t, std::uint32_t>> special) {
                return Rules{templating_share,   repeats,        counter_repeats_more_than, counter_moves,
                             stretch_characters, longest_period, std::move(names),          std::move(special)};
            }),
            py::kw_only(), py::arg("templating_share"), py::arg("repeats"), py::arg("counter_repeats_more_than"),
            py::arg("counter_moves"), py::arg("stretch_characters"), py::arg("longest_period"), py::arg("names"),
            py::arg("special"))
        .def("find", &find, py::arg("offsets"), py::arg("data"), py::arg("threads"),
             "For rows data[offsets[i]:offsets[i + 1]] of UTF-8: kind (0 none, 1 counter, 2 repeat), period, step,\n"
             "coverage, and the paper's flags as bits (1 incrementing, 2 repeating, 4 ask the reference).");
}
