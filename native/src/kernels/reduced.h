// What the kernels share of losses that are a sum of terms: one an element, a row or a pair.
#pragma once

#include <cstdint>

namespace jloss {

struct Reduced {
  bool is_double = false;
  double scale = 1;                // a factor of all gradients
  const void* upstream = nullptr;  // a factor of the gradients of each term
  bool wants_terms = true;         // or the gradients alone
  // Out:
  void* l = nullptr;  // each term
  double sum = 0;     // of all terms
};

}  // namespace jloss
