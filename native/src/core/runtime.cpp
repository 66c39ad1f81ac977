#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <jloss/runtime.h>
#include <torch/headeronly/version.h>
#include <torch/library.h>

#include <new>

#include "kernels/capability.h"

namespace jloss {
namespace {

/// What no other message begins with: tells ours from those of the preset's binding.
constexpr char kMarker = '\x01';

char kind(const std::exception& e) {
  if (dynamic_cast<const std::bad_alloc*>(&e) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&e) != nullptr) {
    return 'M';
  }
  if (dynamic_cast<const c10::IndexError*>(&e) != nullptr) {
    return 'I';
  }
  if (dynamic_cast<const c10::ValueError*>(&e) != nullptr) {
    return 'V';
  }
  if (dynamic_cast<const c10::TypeError*>(&e) != nullptr) {
    return 'T';
  }
  if (dynamic_cast<const c10::NotImplementedError*>(&e) != nullptr) {
    return 'N';
  }
  return 'R';
}

}  // namespace

const char* describe(const std::exception& e) {
  thread_local std::string text;
  const auto* error = dynamic_cast<const c10::Error*>(&e);
  const std::string message = error != nullptr ? error->what_without_backtrace() : e.what();
  // libtorch's CPU allocator throws a plain Error.
  const bool memory = message.find("can't allocate memory") != std::string::npos;
  text = std::string(1, kMarker) + (memory ? 'M' : kind(e)) + message;
  return text.c_str();
}

std::string version() {
  return JLOSS_VERSION;
}

std::string torch_version() {
  return TORCH_VERSION;
}

std::string cpu_capability() {
  constexpr const char* names[] = {"DEFAULT", "AVX2", "AVX512"};
  return names[capability()];
}

// By this operator a second copy of the library finds the first, before it is loaded.
TORCH_LIBRARY_FRAGMENT(jloss, m) {
  m.def("_version() -> str", [] { return version(); });
}

}  // namespace jloss
