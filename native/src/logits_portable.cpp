// The logit kernel for every processor.
#define MEMTAX_LOGITS kPortableLogits
#define MEMTAX_LOGITS_NAME "portable"
#define MEMTAX_LANES 4
#include "logits_kernel.inl"
