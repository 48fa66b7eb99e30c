// Adds the n-gram model of nl_score to the module _text.
#pragma once

#include <pybind11/pybind11.h>

namespace memtax::nl_score {

void bind(pybind11::module_& module);

}  // namespace memtax::nl_score
