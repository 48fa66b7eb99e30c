# Builds memtax_native/_similarity: exact counts of similar vectors. include() this after memtax_module().
set(similarity_kernels src/similarity_portable.cpp src/similarity_amx_emulated.cpp)
if(MEMTAX_X86_KERNELS)
  # As for _core: these files alone get more than any x86-64 has, and are called only where the processor has it.
  set(avx512 "-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mfma;-mprefer-vector-width=512")
  list(APPEND similarity_kernels src/similarity_avx2.cpp src/similarity_avx512.cpp)
  set_source_files_properties(src/similarity_avx2.cpp PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma")
  # GCC 12 warns of its own AVX-512 headers.
  set_source_files_properties(src/similarity_avx512.cpp PROPERTIES COMPILE_OPTIONS
    "-Wno-maybe-uninitialized;${avx512};-mavx512vnni")
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag("-mavxvnni" MEMTAX_HAS_AVX_VNNI)
  check_cxx_compiler_flag("-mamx-int8" MEMTAX_HAS_AMX)
  if(MEMTAX_HAS_AVX_VNNI)
    list(APPEND similarity_kernels src/similarity_avxvnni.cpp)
    set_source_files_properties(src/similarity_avxvnni.cpp PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mavxvnni")
  endif()
  if(MEMTAX_HAS_AMX AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
    list(APPEND similarity_kernels src/similarity_amx.cpp)
    set_source_files_properties(src/similarity_amx.cpp PROPERTIES COMPILE_OPTIONS
      "-Wno-maybe-uninitialized;${avx512};-mamx-tile;-mamx-int8")
  endif()
endif()

pybind11_add_module(_similarity
  src/memory.cpp
  src/similarity_bind.cpp
  src/similarity_count.cpp
  src/similarity_exact.cpp
  src/similarity_instruction_set.cpp
  src/similarity_pack.cpp
  ${similarity_kernels})
# Error-free sums of products rely on every operation being rounded once, as written.
set_property(SOURCE src/similarity_exact.cpp APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=off)
memtax_module(_similarity BIND src/similarity_bind.cpp)
foreach(have MEMTAX_HAS_AVX_VNNI MEMTAX_HAS_AMX)
  if(${have} AND (NOT have STREQUAL "MEMTAX_HAS_AMX" OR CMAKE_SYSTEM_NAME STREQUAL "Linux"))
    target_compile_definitions(_similarity PRIVATE ${have}=1)
  endif()
endforeach()
