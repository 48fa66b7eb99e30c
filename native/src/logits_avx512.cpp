// The logit kernel for x86-64 with AVX-512 F; CMakeLists.txt sets the flags of this file alone.
#define MEMTAX_LOGITS kAvx512Logits
#define MEMTAX_LOGITS_NAME "avx512"
#define MEMTAX_LANES 16
#include "logits_kernel.inl"
