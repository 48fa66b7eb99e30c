// The sums of logistic regressions for x86-64 with AVX2 and FMA; logistic.cmake sets the flags of this file alone.
#define MEMTAX_KERNEL kAvx2
#define MEMTAX_KERNEL_NAME "avx2"
#include "logistic_body.inl"
