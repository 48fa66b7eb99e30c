// memtax_native._similarity: exact counts of similar vectors, without the interpreter lock.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <limits>
#include <optional>

#include "similarity_count.hpp"
#include "similarity_exact.hpp"
#include "similarity_instruction_set.hpp"

namespace py = pybind11;

namespace memtax::similarity {
namespace {

using Floats = py::array_t<float, py::array::c_style>;

Vectors vectors_of(const Floats& array) {
    if (array.ndim() != 2 || array.shape(1) == 0)
        throw py::value_error("vectors must be an array of two dimensions, [rows, dimensions > 0]");
    if (array.shape(0) >= std::numeric_limits<int32_t>::max() || array.shape(1) > 65'536)
        throw py::value_error("vectors must be fewer than 2^31 rows of at most 65,536 dimensions; pass them in parts");
    return {array.data(), static_cast<size_t>(array.shape(0)), static_cast<size_t>(array.shape(1))};
}

unsigned thread_count(int threads) {
    if (threads < 0)
        throw py::value_error("threads must be 0 (all processors) or more, not " + std::to_string(threads));
    return threads == 0 ? available_threads() : static_cast<unsigned>(threads);
}

// What C++ keeps of vectors, together with the array that holds them.
template <typename Packed>
struct Held {
    Floats array;
    Packed packed;
};
using HeldReferences = Held<References>;
using HeldQueries = Held<Queries>;

std::unique_ptr<HeldReferences> make_references(const Floats& array, int threads) {
    const Vectors vectors = vectors_of(array);
    const unsigned workers = thread_count(threads);
    py::gil_scoped_release release;
    References packed(vectors, workers);
    py::gil_scoped_acquire acquire;
    return std::unique_ptr<HeldReferences>(new HeldReferences{array, std::move(packed)});
}

py::tuple count(const HeldReferences& references, const HeldQueries& queries, const std::vector<double>& thresholds,
                const std::optional<py::array_t<int64_t, py::array::c_style | py::array::forcecast>>& own,
                size_t most_pairs, int threads) {
    const size_t n = queries.packed.vectors().n;
    if (references.packed.vectors().dims != queries.packed.vectors().dims)
        throw py::value_error("queries have " + std::to_string(queries.packed.vectors().dims) +
                              " dimensions, references " + std::to_string(references.packed.vectors().dims));
    if (thresholds.empty()) throw py::value_error("count needs a threshold");
    for (size_t i = 0; i < thresholds.size(); ++i)
        if (!(thresholds[i] >= -1 && thresholds[i] <= 1) || (i > 0 && thresholds[i] < thresholds[i - 1]))
            throw py::value_error("thresholds are cosines, from -1 to 1, and ascend");
    if (own && (own->ndim() != 1 || static_cast<size_t>(own->size()) != n))
        throw py::value_error("own must hold one reference for each query, or -1");
    const unsigned workers = thread_count(threads);
    Matches matches;
    {
        py::gil_scoped_release release;
        matches = count_matches(references.packed, queries.packed, thresholds, own ? own->data() : nullptr, most_pairs,
                                workers);
    }
    py::array_t<int64_t> counts({n, thresholds.size()});
    if (!matches.counts.empty())
        std::memcpy(counts.mutable_data(), matches.counts.data(), matches.counts.size() * sizeof(int64_t));
    py::object pairs = py::none();
    if (most_pairs > 0 && matches.complete) {
        py::array_t<uint32_t> table({matches.pairs.size(), size_t{3}});
        static_assert(sizeof(Pair) == 3 * sizeof(uint32_t));
        if (!matches.pairs.empty())
            std::memcpy(table.mutable_data(), matches.pairs.data(), matches.pairs.size() * sizeof(Pair));
        pairs = table;
    }
    return py::make_tuple(counts, pairs);
}

}  // namespace
}  // namespace memtax::similarity

PYBIND11_MODULE(_similarity, module) {
    using namespace memtax::similarity;
    module.doc() = "Exact counts of similar vectors. The reference, and what the results mean, is reference.py.";
    module.def("instruction_sets", &instruction_sets, "What this processor can run, fastest first.");
    module.def(
        "exact_cosine",
        [](const Floats& a, const Floats& b) {
            if (a.ndim() != 1 || b.ndim() != 1 || a.size() != b.size())
                throw py::value_error("exact_cosine takes two vectors of one length");
            return exact_cosine(a.data(), b.data(), static_cast<size_t>(a.size()));
        },
        py::arg("a"), py::arg("b"), "The cosine of two vectors that are not zero, from correctly rounded sums.");
    py::class_<HeldReferences>(module, "References")
        .def(py::init(&make_references), py::arg("vectors").noconvert(), py::arg("threads") = 0)
        .def("__len__", [](const HeldReferences& self) { return self.packed.vectors().n; })
        .def_property_readonly("nbytes", [](const HeldReferences& self) { return self.packed.bytes(); })
        .def(
            "count", &count, py::arg("queries"), py::arg("thresholds"), py::arg("own") = py::none(),
            py::arg("most_pairs") = 0, py::arg("threads") = 0,
            "int64 [queries, thresholds], and the matches of the lowest threshold as uint32 [n, 3]: query, reference,\n"
            "and how many thresholds it reaches; None if most_pairs is 0 or there are more than that.");
    py::class_<HeldQueries>(module, "Queries")
        .def(py::init([](const Floats& array, const std::string& instruction_set) {
                 return std::unique_ptr<HeldQueries>(
                     new HeldQueries{array, Queries(vectors_of(array), kernel(instruction_set))});
             }),
             py::arg("vectors").noconvert(), py::arg("instruction_set") = "")
        .def("__len__", [](const HeldQueries& self) { return self.packed.vectors().n; });
}
