// The logit kernel for x86-64 with AVX2 and FMA; CMakeLists.txt sets the flags of this file alone.
#define MEMTAX_LOGITS kAvx2Logits
#define MEMTAX_LOGITS_NAME "avx2"
#define MEMTAX_LANES 8
#include "logits_kernel.inl"
