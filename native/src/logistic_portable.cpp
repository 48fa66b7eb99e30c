// The sums of logistic regressions for any processor, in plain vectors of the compiler's; logistic.cmake sets the flags
// of this file alone.
#define MEMTAX_KERNEL kPortable
#define MEMTAX_KERNEL_NAME "portable"
#include "logistic_body.inl"
