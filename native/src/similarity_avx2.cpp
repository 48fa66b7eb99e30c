// Screening for x86-64 with AVX2. Pairs of products are added up in 16 bits: codes of queries up to 64 keep
// 2 * 255 * 64 = 32,640 below what saturates.
#define MEMTAX_DOT4(sum, references, four) \
    _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(references, four), _mm256_set1_epi16(1)))
#define MEMTAX_KERNEL kAvx2
#define MEMTAX_KERNEL_NAME "avx2"
#define MEMTAX_QUERY_LEVELS 64
#include "similarity_avx2.inl"
