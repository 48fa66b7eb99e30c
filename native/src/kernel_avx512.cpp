// The kernels for x86-64 with AVX-512 F, BW, DQ, VL, VBMI and VBMI2; CMakeLists.txt sets the flags of this file alone.
#define MEMTAX_KERNELS kAvx512Kernels
#define MEMTAX_KERNEL_NAME "avx512"
#include "kernel_body.inl"
