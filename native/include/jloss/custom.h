// Losses whose value and gradient are computed by their caller, for one written in Java or Python.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// What a caller's function is asked for.
enum CallbackPhase : int64_t {
  kForward = 0,   ///< inputs -> { value }
  kBackward = 1,  ///< inputs, upstream -> one gradient an input, undefined where there is none
  kRelease = 2    ///< nothing more will be asked of this handle
};

/// Computes `outputs` from `inputs` for the loss of that handle; may throw.
using Callback = void (*)(int64_t handle, int64_t phase, const std::vector<at::Tensor>* inputs,
                          std::vector<at::Tensor>* outputs);

/// The value of a caller's loss, with a graph where an input requires a gradient: backward asks the
/// caller again, on the thread that runs it. Under create_graph the caller's operations are
/// recorded, so it may be differentiated again if they can be.
///
/// inputs: some may be undefined. The handle is released once, whatever happens.
JLOSS_API at::Tensor custom_loss(const std::vector<at::Tensor>& inputs, int64_t handle,
                                 jloss::Callback callback);

}  // namespace jloss
