// The kernels for x86-64 with AVX2 and BMI2; CMakeLists.txt sets the flags of this file alone.
#define MEMTAX_KERNELS kAvx2Kernels
#define MEMTAX_KERNEL_NAME "avx2"
#include "kernel_body.inl"
