# Builds memtax_native/_text: features of texts (templating, nl_score). include() this after pybind11 and Threads have been found.
pybind11_add_module(_text
  src/nl_score.cpp
  src/nl_score_bind.cpp
  src/templating_bind.cpp
  src/templating_items.cpp
  src/templating_paper.cpp
  src/templating_rules.cpp)
target_link_libraries(_text PRIVATE Threads::Threads)
target_compile_options(_text PRIVATE -Wall -Wextra -Wshadow)
if(MEMTAX_SANITIZE)
  target_compile_options(_text PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g)
  target_link_options(_text PRIVATE -fsanitize=address,undefined)
  set_target_properties(_text PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/memtax_native")
endif()
install(TARGETS _text LIBRARY DESTINATION memtax_native)
