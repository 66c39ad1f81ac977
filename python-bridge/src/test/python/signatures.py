"""Writes operators.txt: the operators that scripts may call, with PyTorch's Python signatures.

Run under CPython with PyTorch 2.10, as in `python signatures.py > .../org/jloss/python/operators.txt`.
An operator is open if PyTorch gives it a public name in Python and CLOSED below does not name it.
Each line is an overload in the order in which PyTorch's own parser tries them: where it is found
(t torch, m Tensor, n nn, f fft, l linalg, s special), the dispatcher's name, a signature as torch's
argument parser has it.
"""

import pathlib
import re
import sys

import torchgen
from torchgen.gen import parse_native_yaml

PACKAGED = pathlib.Path(torchgen.__file__).parent / "packaged"
sys.path.insert(0, str(PACKAGED / "autograd"))

from torchgen.packaged.autograd import gen_python_functions as gen  # noqa: E402

PLACES = {
    "t": gen.is_py_torch_function,
    "m": gen.is_py_variable_method,
    "n": gen.is_py_nn_function,
    "f": gen.is_py_fft_function,
    "l": gen.is_py_linalg_function,
    "s": gen.is_py_special_function,
}

# Why a public operator stays closed.
CLOSED = {
    "files, storage, streams, other processes' memory": """
        from_file set_ record_stream pin_memory is_pinned resize_ resize_as_ resize_as_sparse_
        empty_strided empty_permuted data""",
    "trust their indices, sizes or formats": """
        .*(sparse|mkldnn|fbgemm|quantize|quantized|unsafe|cudnn|miopen|nested|dequant|xnnpack).*
        q_.* (ccol|crow|col|row)_indices int_repr indices values coalesce is_coalesced to_dense
        sparse_.* .*_coo_.* hspmm sspaddmm smm segment_reduce linalg_ldl_solve .*lu_solve .*fused.*
        slow_conv.* thnn_conv.* new_empty_strided fractional_max_pool.* ctc_loss
        gru.* lstm.* rnn_.* batch_norm_.* native_.*_backward .*_backward.*
        rename rename_ align_.* refine_names names""",
    "take as long as a number says": """
        .*_polynomial_.*""",
    "of no use to a script": """
        (?!index_copy$).*_copy get_device is_vulkan_available is_distributed is_inference
        cudnn_.* fbgemm_.* mkldnn_.* miopen_.* set_data vander
        sym_.* matmul_backward""",
}

# Parsed by hand in PyTorch; p is for the bridge's own Python package.
BY_HAND = """
m contiguous|contiguous(*, MemoryFormat memory_format=torch.contiguous_format)
m copy_|copy_(Tensor src, bool non_blocking=False)
m to.dtype_layout|to(Device device=None, ScalarType dtype=None, bool non_blocking=False, bool copy=False, *, \
MemoryFormat? memory_format=None)
m to.dtype|to(ScalarType dtype, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None)
m to.other|to(Tensor tensor, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None)
p alias|alias(Tensor input)
p nonzero|nonzero(Tensor input)
p _unique2|_unique2(Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False)
p unique_dim|unique_dim(Tensor input, int64_t dim, bool sorted=True, bool return_inverse=False, \
bool return_counts=False)
p _standard_gamma|_standard_gamma(Tensor input)
p _sample_dirichlet|_sample_dirichlet(Tensor input)
p _dirichlet_grad|_dirichlet_grad(Tensor x, Tensor alpha, Tensor total)
"""


def is_open(name):
    return not name.startswith("_") and not any(
        re.fullmatch(pattern, name) for names in CLOSED.values() for pattern in names.split()
    )


def dispatched(function):
    return str(function.func.name)


def table():
    functions = parse_native_yaml(
        str(PACKAGED / "ATen/native/native_functions.yaml"), str(PACKAGED / "ATen/native/tags.yaml")
    ).native_functions
    functions = [f for f in functions if gen.should_generate_py_binding(f)]
    lines = {}
    for place, belongs in PLACES.items():
        pairs = gen.load_signatures(
            functions, str(PACKAGED / "autograd/deprecated.yaml"), method=place == "m"
        )
        for name, overloads in gen.group_filter_overloads(pairs, belongs).items():
            if is_open(str(name)):
                lines[place, str(name)] = [
                    f"{dispatched(group.base)}\t{group.signature.signature_str()}"
                    for group in gen.sort_overloads(gen.group_overloads(overloads))
                ]
    for line in BY_HAND.strip().splitlines():
        target, signature = line[2:].split("|")
        lines.setdefault((line[0], signature.split("(")[0]), []).append(f"{target}\t{signature}")
    return lines


if __name__ == "__main__":
    lines = table()
    print("# PyTorch 2.10's Python signatures of the operators that scripts may call; made by")
    print("# src/test/python/signatures.py, which says what is closed and why.")
    for (place, name), overloads in sorted(lines.items(), key=lambda item: (item[0][1], item[0][0])):
        for overload in overloads:
            print(f"{place}\t{overload}")
