// Registration of a loss as an operator of torch's dispatcher.
#pragma once

#include <jloss/types.h>
#include <torch/library.h>

#include <tuple>
#include <utility>

namespace jloss {

/// A loss function of the C++ API without its last argument, the Gradients: what the dispatcher
/// calls.
template <auto F>
struct Operator;

template <class R, class... A, R (*F)(A...)>
struct Operator<F> {
  template <class I>
  struct Without;
  template <size_t... I>
  struct Without<std::index_sequence<I...>> {
    static R call(std::tuple_element_t<I, std::tuple<A...>>... args) {
      return F(std::forward<decltype(args)>(args)..., nullptr);
    }
  };
  static constexpr auto call = &Without<std::make_index_sequence<sizeof...(A) - 1>>::call;
};

/// A function of the C++ API that returns N tensors and has no Gradients, as the dispatcher calls
/// it: with a tuple.
template <auto F, size_t N>
struct TupleOperator;

template <class... A, std::vector<at::Tensor> (*F)(A...), size_t N>
struct TupleOperator<F, N> {
  template <size_t... I>
  static auto tuple(std::vector<at::Tensor>&& t, std::index_sequence<I...>) {
    return std::make_tuple(std::move(t[I])...);
  }
  static auto call(A... args) {
    return tuple(F(std::forward<A>(args)...), std::make_index_sequence<N>());
  }
};

}  // namespace jloss

/// Registers a loss. Its kernel is hidden from tracers, which see the formula, so the operator is
/// a composite: it works for any device, under torch.compile and under functorch.
#define JLOSS_OPERATOR(SCHEMA, FUNCTION)                                 \
  TORCH_LIBRARY_FRAGMENT(jloss, m) {                                     \
    m.def(SCHEMA, TORCH_FN(::jloss::Operator<&::jloss::FUNCTION>::call), \
          {at::Tag::pt2_compliant_tag});                                 \
  }

/// Registers a function that returns a vector of N tensors as an operator that returns N tensors.
#define JLOSS_TUPLE_OPERATOR(SCHEMA, FUNCTION, N)                                  \
  TORCH_LIBRARY_FRAGMENT(jloss, m) {                                               \
    m.def(SCHEMA, TORCH_FN((::jloss::TupleOperator<&::jloss::FUNCTION, N>::call)), \
          {at::Tag::pt2_compliant_tag});                                           \
  }
