// Which kernels this processor can run, and which are used.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace memtax {

// Fastest first; "portable" is always the last.
std::vector<std::string> instruction_sets();

// The kernels by name; the fastest for "". Throws std::invalid_argument for one that this processor or build lacks: a
// slower one never stands in silently.
const Kernels& kernels(const std::string& name);

}  // namespace memtax
