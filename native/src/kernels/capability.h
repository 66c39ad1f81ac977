// A kernel is compiled once for each CPU capability; torch's own detection picks one at run time.
#pragma once

#ifdef JLOSS_HOST
#include <ATen/Version.h>

namespace jloss {

/// The build to run: 0 DEFAULT, 1 AVX2, 2 AVX512, as torch found the machine or ATEN_CPU_CAPABILITY
/// says.
inline int capability() {
  static const int level = [] {
    const auto name = at::get_cpu_capability();
    return name == "AVX512" ? 2 : name == "AVX2" ? 1 : 0;
  }();
  return level;
}

/// The builds of one kernel.
template <class Args>
struct Kernels {
  void (*builds[3])(Args&);

  void operator()(Args& args) const {
    builds[capability()](args);
  }
};

}  // namespace jloss
#endif

#define JLOSS_CONCAT_(a, b) a##b
#define JLOSS_CONCAT(a, b) JLOSS_CONCAT_(a, b)

/// Defines the kernel NAME(ARGS&), which calls IMPLEMENTATION. The kernel passes of a file compile
/// it; the host pass sees a function object of that name.
#ifdef JLOSS_HOST
#define JLOSS_KERNEL(NAME, ARGS, ...) \
  namespace build_DEFAULT {           \
  void NAME(ARGS&);                   \
  }                                   \
  namespace build_AVX2 {              \
  void NAME(ARGS&);                   \
  }                                   \
  namespace build_AVX512 {            \
  void NAME(ARGS&);                   \
  }                                   \
  constexpr Kernels<ARGS> NAME{{&build_DEFAULT::NAME, &build_AVX2::NAME, &build_AVX512::NAME}};
#else
#define JLOSS_KERNEL(NAME, ARGS, ...)              \
  namespace JLOSS_CONCAT(build_, CPU_CAPABILITY) { \
    void NAME(ARGS& args) {                        \
      __VA_ARGS__(args);                           \
    }                                              \
  }
#endif
