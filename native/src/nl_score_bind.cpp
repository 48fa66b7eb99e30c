// memtax_native._text.NgramModel: nl_score over a batch of texts, split over threads without the interpreter lock.
#include "nl_score_bind.hpp"

#include <pybind11/numpy.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "nl_score.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace memtax::nl_score {
namespace {

constexpr std::size_t kRowsOfATask = 128;

struct Texts {
    const std::int64_t* offsets;
    const char* data;
    std::size_t rows;

    std::string_view row(std::size_t i) const {
        return {data + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
    }
};

using OffsetsArray = py::array_t<std::int64_t, py::array::c_style>;

Texts check_texts(const OffsetsArray& offsets, const py::buffer_info& bytes) {
    if (offsets.ndim() != 1 || offsets.size() < 1) throw std::invalid_argument("offsets must be a list of rows + 1");
    const auto rows = static_cast<std::size_t>(offsets.size()) - 1;
    const std::int64_t* const starts = offsets.data();
    if (bytes.itemsize != 1 || starts[0] < 0 || starts[rows] > static_cast<std::int64_t>(bytes.size) ||
        !std::is_sorted(starts, starts + rows + 1))
        throw std::invalid_argument("offsets must ascend within the data");
    return {starts, static_cast<const char*>(bytes.ptr), rows};
}

class NgramModel {
  public:
    NgramModel(py::array_t<float, py::array::c_style> weights, double bias, int buckets_log2, int character_orders,
               int shape_orders, double shrinkage)
        : settings_{buckets_log2, character_orders, shape_orders, shrinkage}, bias_(bias) {
        if (buckets_log2 < 1 || buckets_log2 > 30) throw std::invalid_argument("buckets_log2 must be from 1 to 30");
        if (character_orders < 1 || character_orders > 7 || shape_orders < 1 || shape_orders > 7)
            throw std::invalid_argument("orders must be from 1 to 7");
        if (weights.ndim() != 1 || weights.size() != py::ssize_t{1} << buckets_log2)
            throw std::invalid_argument("weights must be a list of 2 ** buckets_log2 numbers");
        weights_.assign(weights.data(), weights.data() + weights.size());
    }

    py::array_t<double> log_odds_of(const OffsetsArray& offsets, const py::buffer& data, unsigned threads) const {
        const py::buffer_info bytes = data.request();
        const Texts texts = check_texts(offsets, bytes);
        py::array_t<double> result(static_cast<py::ssize_t>(texts.rows));
        double* const out = result.mutable_data();
        {
            const py::gil_scoped_release release;
            for_each_task((texts.rows + kRowsOfATask - 1) / kRowsOfATask, std::max(threads, 1U), [&] {
                return [&, ngrams = Ngrams()](std::size_t task) mutable {
                    const std::size_t end = std::min(texts.rows, (task + 1) * kRowsOfATask);
                    for (std::size_t row = task * kRowsOfATask; row < end; ++row) {
                        hash_ngrams(texts.row(row), settings_, ngrams);
                        out[row] = log_odds(ngrams, settings_, weights_.data(), bias_);
                    }
                };
            });
        }
        return result;
    }

    py::tuple ngrams_of(const OffsetsArray& offsets, const py::buffer& data) const {
        const py::buffer_info bytes = data.request();
        const Texts texts = check_texts(offsets, bytes);
        std::vector<std::uint32_t> buckets;
        std::vector<std::int64_t> lengths;
        {
            const py::gil_scoped_release release;
            Ngrams ngrams;
            for (std::size_t row = 0; row < texts.rows; ++row) {
                hash_ngrams(texts.row(row), settings_, ngrams);
                for (const auto* stream : {&ngrams.of_characters, &ngrams.of_shape}) {
                    buckets.insert(buckets.end(), stream->begin(), stream->end());
                    lengths.push_back(static_cast<std::int64_t>(stream->size()));
                }
            }
        }
        return py::make_tuple(
            py::array_t<std::uint32_t>(static_cast<py::ssize_t>(buckets.size()), buckets.data()),
            py::array_t<std::int64_t>({static_cast<py::ssize_t>(texts.rows), py::ssize_t{2}}, lengths.data()));
    }

  private:
    Settings settings_;
    double bias_;
    std::vector<float> weights_;
};

}  // namespace

void bind(py::module_& module) {
    py::class_<NgramModel>(module, "NgramModel")
        .def(py::init<py::array_t<float, py::array::c_style>, double, int, int, int, double>(), py::kw_only(),
             py::arg("weights"), py::arg("bias"), py::arg("buckets_log2"), py::arg("character_orders"),
             py::arg("shape_orders"), py::arg("shrinkage"))
        .def("log_odds", &NgramModel::log_odds_of, py::arg("offsets"), py::arg("data"), py::arg("threads"),
             "For rows data[offsets[i]:offsets[i + 1]] of UTF-8: the log-odds of natural language, float64; NaN where\n"
             "there is nothing to judge.")
        .def("ngrams", &NgramModel::ngrams_of, py::arg("offsets"), py::arg("data"),
             "The buckets of all rows' n-grams, uint32, those of a row's characters and then of its shape; and how "
             "many\n"
             "of each, int64 [rows, 2].");
}

}  // namespace memtax::nl_score
