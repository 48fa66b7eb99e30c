# Builds memtax_native/_similarity: exact counts of similar vectors. include() this after pybind11 and Threads have been
# found.
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
target_link_libraries(_similarity PRIVATE Threads::Threads)
target_compile_options(_similarity PRIVATE -Wall -Wextra -Wshadow)
foreach(have MEMTAX_X86_KERNELS MEMTAX_HAS_AVX_VNNI MEMTAX_HAS_AMX)
  if(${have} AND (NOT have STREQUAL "MEMTAX_HAS_AMX" OR CMAKE_SYSTEM_NAME STREQUAL "Linux"))
    target_compile_definitions(_similarity PRIVATE ${have}=1)
  endif()
endforeach()
if(MEMTAX_SANITIZE)
  target_compile_options(_similarity PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g)
  target_link_options(_similarity PRIVATE -fsanitize=address,undefined)
  set_target_properties(_similarity PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/memtax_native")
endif()
install(TARGETS _similarity LIBRARY DESTINATION memtax_native)
