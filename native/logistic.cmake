# Builds memtax_native/_logistic: sums for fitting many logistic regressions. include() this after memtax_module().
set(logistic_kernels src/logistic_portable.cpp)
set_source_files_properties(src/logistic_portable.cpp PROPERTIES COMPILE_OPTIONS "-ffp-contract=fast;-Wno-psabi")
if(MEMTAX_X86_KERNELS)
  list(APPEND logistic_kernels src/logistic_avx2.cpp src/logistic_avx512.cpp)
  set_source_files_properties(src/logistic_avx2.cpp PROPERTIES COMPILE_OPTIONS
    "-mavx2;-mfma;-mbmi;-mlzcnt;-ffp-contract=fast;-Wno-psabi")
  set_source_files_properties(src/logistic_avx512.cpp PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mavx512dq;-mavx512vl;-mavx512bw;-mavx2;-mfma;-mbmi;-mlzcnt;-mprefer-vector-width=512;-ffp-contract=fast")
endif()
pybind11_add_module(_logistic src/logistic_bind.cpp src/logistic_rows.cpp ${logistic_kernels})
memtax_module(_logistic BIND src/logistic_bind.cpp)
