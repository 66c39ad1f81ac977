// Functions whose gradient is computed by their caller, for those written in Java or Python.
#pragma once

#include <jloss/types.h>
#include <torch/csrc/autograd/function.h>

#include <string>
#include <vector>

namespace jloss {

/// What a caller's function is asked for.
enum CallbackPhase : int64_t {
  kCompute = 0,  ///< outputs from inputs
  kRelease = 1   ///< nothing more will be asked of this handle
};

/// Computes `outputs` from `inputs` for the function of that handle; may throw.
using Callback = void (*)(int64_t handle, int64_t phase, const std::vector<at::Tensor>* inputs,
                          std::vector<at::Tensor>* outputs);

/// The outputs of a caller's function as computed from its inputs: backward asks the caller, on the
/// thread that runs it, for the inputs' gradients. It is given the tensors `saved`, then the
/// outputs' gradients; of both some may be undefined. It gives a gradient an input, undefined where
/// there is none. Under create_graph what the caller does is recorded.
///
/// inputs: some may be undefined. outputs: computed from them without grad mode. saved: inputs,
/// outputs or others; a change in place before backward is refused there. name: of the node.
/// Outputs of other than floating or complex dtype, and all where no input requires a gradient,
/// come back as they are. The handle is released once, whatever happens.
JLOSS_API std::vector<at::Tensor> record(const std::vector<at::Tensor>& inputs,
                                         const std::vector<at::Tensor>& outputs,
                                         const std::vector<at::Tensor>& saved,
                                         const std::string& name, int64_t handle,
                                         jloss::Callback callback);

/// Calls back with each gradient of a tensor; what is given, if anything, replaces it. Or, for a
/// leaf and with `accumulated`, with the leaf once its grad holds the gradient.
JLOSS_API void add_hook(const at::Tensor& tensor, bool accumulated, int64_t handle,
                        jloss::Callback callback);

/// Calls back with the gradients that reach a node of the graph, before it computes; or after it,
/// with the gradients that it has computed, then those that reached it. What is given, if anything,
/// replaces the former, one for one.
JLOSS_API void add_node_hook(torch::autograd::Node* node, bool before, int64_t handle,
                             jloss::Callback callback);

/// The leaf whose grad a node of the graph adds to; undefined for every other node.
JLOSS_API at::Tensor leaf_of(torch::autograd::Node* node);

/// Calls a hook no more and releases its handle.
JLOSS_API void remove_hook(int64_t handle);

}  // namespace jloss
