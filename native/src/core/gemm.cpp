#include "core/gemm.h"

#include <ATen/ATen.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <dlfcn.h>

#include <mutex>

namespace jloss {
namespace {

using at::Tensor;

/// A function of the BLAS that torch was linked to, or null.
template <class F>
F* blas_function(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_DEFAULT, name));
}

struct OpenBlas {
  void (*set)(int) = blas_function<void(int)>("openblas_set_num_threads");
  int (*get)() = blas_function<int()>("openblas_get_num_threads");
  std::mutex mutex;
  int users = 0;
  int threads = 0;
};

OpenBlas& open_blas() {
  static OpenBlas* const blas = new OpenBlas();  // outlives threads that end after main
  return *blas;
}

/// Holds MKL at one thread for the calling thread.
class SerialMkl {
 public:
  SerialMkl() : before_(set() != nullptr ? set()(1) : 0) {}
  ~SerialMkl() {
    if (set() != nullptr) {
      set()(before_);
    }
  }
  SerialMkl(const SerialMkl&) = delete;
  SerialMkl& operator=(const SerialMkl&) = delete;

 private:
  static int (*set())(int) {
    static int (*const function)(int) = blas_function<int(int)>("MKL_Set_Num_Threads_Local");
    return function;
  }
  int before_;
};

template <class T>
Tensor wrap(T* data, at::IntArrayRef sizes, at::IntArrayRef strides) {
  using Plain = std::remove_const_t<T>;
  return at::for_blob(const_cast<Plain*>(data), sizes)
      .strides(strides)
      .options(at::TensorOptions(c10::CppTypeToScalarType<Plain>::value))
      .target_device(at::kCPU)
      .make_tensor();
}

template <class T>
Tensor plain(const Matrix<T>& m) {
  return wrap(m.data, {m.rows, m.cols}, {m.stride, m.step});
}

template <class T>
Tensor turned(const Matrix<T>& m) {
  return wrap(m.data, {m.cols, m.rows}, {m.step, m.stride});
}

/// c = alpha a b + beta c; a beta of 0 does not read c.
void product(const Tensor& a, const Tensor& b, Tensor c, double beta, double alpha) {
  const SerialMkl serial;
  at::cpu::addmm_out(c, c, a, b, beta, alpha);
}

}  // namespace

SerialBlas::SerialBlas() {
  auto& blas = open_blas();
  if (blas.set == nullptr || blas.get == nullptr) {
    return;
  }
  std::lock_guard<std::mutex> lock(blas.mutex);
  if (blas.users++ == 0) {
    blas.threads = blas.get();
    blas.set(1);
  }
}

SerialBlas::~SerialBlas() {
  auto& blas = open_blas();
  if (blas.set == nullptr || blas.get == nullptr) {
    return;
  }
  std::lock_guard<std::mutex> lock(blas.mutex);
  if (--blas.users == 0) {
    blas.set(blas.threads);
  }
}

#define JLOSS_PRODUCTS(T)                                                                 \
  void product_nt(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, \
                  double alpha) {                                                         \
    product(plain(a), turned(b), plain(c), 0, alpha);                                     \
  }                                                                                       \
  void product_nn(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, \
                  bool add) {                                                             \
    product(plain(a), plain(b), plain(c), add, 1);                                        \
  }                                                                                       \
  void product_tn(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, \
                  bool add) {                                                             \
    product(turned(a), plain(b), plain(c), add, 1);                                       \
  }
JLOSS_PRODUCTS(float)
JLOSS_PRODUCTS(double)
#undef JLOSS_PRODUCTS

}  // namespace jloss
