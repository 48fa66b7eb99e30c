#include "instruction_set.hpp"

#include <stdexcept>
#include <thread>
#ifdef __linux__
#include <sched.h>
#endif

#include "parallel.hpp"

namespace memtax {
namespace {

std::vector<const Kernels*> find_available() {
    std::vector<const Kernels*> found;
#ifdef MEMTAX_X86_KERNELS
    __builtin_cpu_init();  // also asks whether the operating system saves the wide registers
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
        found.push_back(&kAvx512Kernels);
    if (avx2) found.push_back(&kAvx2Kernels);
#endif
    found.push_back(&kPortableKernels);
    return found;
}

const std::vector<const Kernels*>& available() {
    static const std::vector<const Kernels*> found = find_available();
    return found;
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernels* one : available()) names.emplace_back(one->name);
    return names;
}

const Kernels& kernels(const std::string& name) {
    if (name.empty()) return *available().front();
    std::string present;
    for (const Kernels* one : available()) {
        if (name == one->name) return *one;
        present += (present.empty() ? "" : ", ") + std::string(one->name);
    }
    throw std::invalid_argument("instruction set '" + name +
                                "' is not available here; this processor and build have: " + present);
}

unsigned available_threads() {
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<unsigned>(CPU_COUNT(&allowed));
#endif
    const unsigned threads = std::thread::hardware_concurrency();
    return threads == 0 ? 1 : threads;
}

}  // namespace memtax
