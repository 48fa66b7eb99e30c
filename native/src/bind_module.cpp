// The Python module memtax_native._core: thin bindings, no logic of their own.
#include <pybind11/stl.h>

#include "bind_arrays.hpp"
#include "instruction_set.hpp"

PYBIND11_MODULE(_core, module) {
    module.doc() =
        "Counting exact windows of tokens; see memtax_native for the functions and reference.py for what they mean.";
    memtax::bind_logits(module);
    memtax::bind_query_table(module);
    memtax::bind_tokens(module);
    module.def("instruction_sets", &memtax::instruction_sets, "Instruction sets that can be used here, fastest first.");
    module.def(
        "instruction_set", [](const std::string& name) { return std::string(memtax::kernels(name).name); },
        pybind11::arg("name") = "",
        "The instruction set in use, or `name` itself if it can be used. ValueError for one that is not available.");
}
