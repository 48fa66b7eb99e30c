// The sums of logistic regressions for x86-64 with AVX-512 F, DQ, VL and BW; logistic.cmake sets the flags of this file
// alone.
#define MEMTAX_KERNEL kAvx512
#define MEMTAX_KERNEL_NAME "avx512"
#include "logistic_body.inl"
