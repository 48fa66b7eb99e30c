// The kernels in plain C++, for any processor.
#define MEMTAX_KERNELS kPortableKernels
#define MEMTAX_KERNEL_NAME "portable"
#include "kernel_body.inl"
