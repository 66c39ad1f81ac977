// Any operator of the dispatcher by its name: what the Python bridge calls tensors' methods
// through.
#pragma once

#include <jloss/types.h>

#include <string>

namespace jloss {

/// The overloads of an operator, say "aten::add": a line each with a number and the schema. Empty
/// if there is no such operator.
JLOSS_API std::string overloads(const std::string& name);

/// What `call` adds to the number of results where there is a warning to be had from
/// `next_warning`.
enum Warned : int64_t { kWarned = 1L << 40 };

/// Calls an overload by its number.
///
/// `code` tells the arguments in order, each by a tag and what follows it: 0 none; 1 the next of
/// `tensors`; 2 and 3 a count, then as many of the next tensors, undefined ones standing for None
/// in the latter; 4 an int; 5 the bits of a double; 6 a bool; 7, 8, 9 a count and a list of ints,
/// doubles, bools; 10 a count and a text's bytes; 11 the schema's default; 12 a device's type;
/// 13 a number (4, 5 or 6 and so on) as a tensor; 14 the next tensor is a generator's state, which
/// the call moves on.
/// `tensors` is given the results that are tensors, those of lists one by one. Returns how many
/// results there are if all are plain tensors; otherwise -1, and `results` describes them. See
/// `kWarned`.
JLOSS_API int64_t call(int64_t overload, at::IntArrayRef code, std::vector<at::Tensor>& tensors);

/// The results of this thread's last call, in the encoding of its arguments.
JLOSS_API std::vector<int64_t> results();

/// Has this thread compute alone where a backward pass from these tensors goes through small
/// tensors only: some kernels hand the least work to all threads, which takes longer than the work,
/// and a thousand times as long where no processor is free. Calls of small tensors do so by
/// themselves. Returns what `together` takes.
JLOSS_API int64_t alone(const std::vector<at::Tensor>& roots);

/// Ends what `alone` began. Returns whether there is a warning to be had from `next_warning`.
JLOSS_API bool together(int64_t threads);

/// Has this thread keep the warnings of libtorch from now on, which otherwise go to the process's
/// standard error; or no more, and what is left goes there.
JLOSS_API void keep_warnings(bool on);

/// The warning that this thread has kept for longest: a letter (U user, D deprecation), then the
/// text. Empty if there is none.
JLOSS_API std::string next_warning();

/// Makes this thread's allocations fail with an OutOfMemoryError beyond so many live bytes of
/// tensors in the process, once memory is tracked; 0 for no limit.
JLOSS_API void limit_bytes(int64_t bytes);

}  // namespace jloss
