# Builds memtax_native/_text: features of texts (templating, nl_score). include() this after memtax_module().
pybind11_add_module(_text
  src/nl_score.cpp
  src/nl_score_bind.cpp
  src/templating_bind.cpp
  src/templating_items.cpp
  src/templating_paper.cpp
  src/templating_rules.cpp)
memtax_module(_text BIND src/nl_score_bind.cpp src/templating_bind.cpp)
