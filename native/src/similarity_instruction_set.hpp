// Which screening kernels this processor can run, and which is used.
#pragma once

#include <string>
#include <vector>

#include "similarity_kernels.hpp"

namespace memtax::similarity {

// Fastest first; "portable" and then "amx_emulated" are always the last.
std::vector<std::string> instruction_sets();

// The kernel of that name; the fastest for "". Throws std::invalid_argument for one that this processor or build lacks.
const Kernel& kernel(const std::string& name);

// The processors that this process may use.
unsigned available_threads();

}  // namespace memtax::similarity
