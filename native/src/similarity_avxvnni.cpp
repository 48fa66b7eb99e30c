// Screening for x86-64 with AVX2 and its products of four 8-bit codes.
#define MEMTAX_DOT4(sum, references, four) _mm256_dpbusd_avx_epi32(sum, references, four)
#define MEMTAX_KERNEL kAvxVnni
#define MEMTAX_KERNEL_NAME "avxvnni"
#define MEMTAX_QUERY_LEVELS 127
#include "similarity_avx2.inl"
