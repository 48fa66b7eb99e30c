#include "similarity_instruction_set.hpp"

#include <stdexcept>
#include <thread>
#ifdef __linux__
#include <sched.h>
#endif
#ifdef MEMTAX_X86_KERNELS
#include <cpuid.h>
#endif
#ifdef MEMTAX_HAS_AMX
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace memtax::similarity {
namespace {

#ifdef MEMTAX_HAS_AMX
// Tiles must be in the processor (CPUID leaf 7, EDX), and Linux has to be asked to save them: once for a process.
bool has_amx() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned tile = 1u << 24, int8 = 1u << 25;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & tile) == 0 || (d & int8) == 0) return false;
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#endif

#ifdef MEMTAX_HAS_AVX_VNNI
// CPUID leaf 7, subleaf 1, EAX: compilers that know the instructions need not know the name.
bool has_avx_vnni() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1u << 4)) != 0;
}
#endif

std::vector<const Kernel*> find_available() {
    std::vector<const Kernel*> found;
#ifdef MEMTAX_X86_KERNELS
    __builtin_cpu_init();  // also asks whether the operating system saves the wide registers
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#ifdef MEMTAX_HAS_AMX
    if (avx512 && has_amx()) found.push_back(&kAmx);
#endif
    if (avx512 && __builtin_cpu_supports("avx512vnni")) found.push_back(&kAvx512Vnni);
#ifdef MEMTAX_HAS_AVX_VNNI
    if (avx2 && has_avx_vnni()) found.push_back(&kAvxVnni);
#endif
    if (avx2) found.push_back(&kAvx2);
#endif
    found.push_back(&kPortable);
    found.push_back(&kAmxEmulated);
    return found;
}

const std::vector<const Kernel*>& available() {
    static const std::vector<const Kernel*> found = find_available();
    return found;
}

}  // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> names;
    for (const Kernel* one : available()) names.emplace_back(one->name);
    return names;
}

const Kernel& kernel(const std::string& name) {
    if (name.empty()) return *available().front();
    std::string present;
    for (const Kernel* one : available()) {
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

}  // namespace memtax::similarity
