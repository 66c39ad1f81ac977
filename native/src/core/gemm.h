// Matrix products of small dense tiles, by torch's own BLAS on the calling thread alone.
#pragma once

#include <cstdint>

namespace jloss {

/// While one lives, OpenBLAS runs on the thread that calls it: its bits change with its threads,
/// and tiles are spread by at::parallel_for. The setting is the process's: the first guard makes
/// it, the last one takes it back. (MKL is held by each product for its own thread.)
class SerialBlas {
 public:
  SerialBlas();
  ~SerialBlas();
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;
};

/// A matrix of a product: `stride` elements from row to row, `step` from column to column, of which
/// one is 1.
template <class T>
struct Matrix {
  T* data;
  int64_t rows;
  int64_t cols;
  int64_t stride;
  int64_t step = 1;
};

/// c = alpha a b^T
void product_nt(const Matrix<const float>& a, const Matrix<const float>& b, const Matrix<float>& c,
                double alpha);
void product_nt(const Matrix<const double>& a, const Matrix<const double>& b,
                const Matrix<double>& c, double alpha);

/// c = a b, or c += a b
void product_nn(const Matrix<const float>& a, const Matrix<const float>& b, const Matrix<float>& c,
                bool add);
void product_nn(const Matrix<const double>& a, const Matrix<const double>& b,
                const Matrix<double>& c, bool add);

/// c = a^T b, or c += a^T b
void product_tn(const Matrix<const float>& a, const Matrix<const float>& b, const Matrix<float>& c,
                bool add);
void product_tn(const Matrix<const double>& a, const Matrix<const double>& b,
                const Matrix<double>& c, bool add);

}  // namespace jloss
