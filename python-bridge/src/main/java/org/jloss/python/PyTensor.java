package org.jloss.python;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * A tensor as scripts hold it: what is exported checks its bounds and hands out no native pointer.
 * The Python package wraps it in its class {@code Tensor}.
 */
public final class PyTensor {
  private static final long ORIGIN = new SecureRandom().nextLong(1L << 30, 1L << 40) << 6;

  private final TensorPool pool;
  private @Nullable Tensor tensor;

  /** The pool's own. */
  @Nullable Object entry;

  PyTensor(TensorPool pool, Tensor tensor) {
    this.pool = pool;
    this.tensor = tensor;
  }

  Tensor tensor() {
    if (tensor == null || pool.isClosed()) {
      throw new IllegalStateException("the interpreter of this tensor is closed");
    }
    return tensor;
  }

  /** Called by the pool, which has freed it. */
  void closed() {
    tensor = null;
  }

  /** The sizes of the axes. */
  @HostAccess.Export
  public long[] shape() {
    return tensor().shape();
  }

  /** Whether another has the same shape. */
  @HostAccess.Export
  public boolean isShapedLike(PyTensor other) {
    return Guard.run(() -> Arrays.equals(shape(), other.shape()));
  }

  /** The distances between elements along the axes. */
  @HostAccess.Export
  public long[] stride() {
    return tensor().strides().vec().get();
  }

  /** libtorch's number of the dtype. */
  @HostAccess.Export
  public long dtype() {
    return tensor().scalar_type().value;
  }

  /** How many axes there are. */
  @HostAccess.Export
  public long dim() {
    return tensor().dim();
  }

  /** How many elements there are. */
  @HostAccess.Export
  public long numel() {
    return tensor().numel();
  }

  /** How many bytes an element has. */
  @HostAccess.Export
  public long itemsize() {
    return tensor().element_size();
  }

  /** Whether it holds shapes without data. */
  @HostAccess.Export
  public boolean isMeta() {
    return tensor().is_meta();
  }

  /** Whether the elements lie in row order without gaps. */
  @HostAccess.Export
  public boolean isContiguous() {
    return tensor().is_contiguous();
  }

  /** Whether a gradient is recorded. */
  @HostAccess.Export
  public boolean requiresGrad() {
    return tensor().requires_grad();
  }

  /** Whether it comes from no recorded operation. */
  @HostAccess.Export
  public boolean isLeaf() {
    return tensor().is_leaf();
  }

  /** Whether gradients reach {@code grad} though it is no leaf. */
  @HostAccess.Export
  public boolean retainsGrad() {
    return tensor().retains_grad();
  }

  /** The name of the operation that a gradient goes back through first, or null. */
  @HostAccess.Export
  public @Nullable String gradFn() {
    try (PointerScope scope = new PointerScope()) {
      final org.bytedeco.pytorch.Node node = tensor().grad_fn();
      return node == null || node.isNull() ? null : node.name().getString();
    }
  }

  /** That operation in the graph, or null. */
  @HostAccess.Export
  public @Nullable PyNode node() {
    return PyNode.of(pool, tensor().grad_fn());
  }

  /** Which of that operation's results it is. */
  @HostAccess.Export
  public long outputNumber() {
    return tensor().output_nr();
  }

  /** Where the first element is in the memory that it may share, in elements. */
  @HostAccess.Export
  public long storageOffset() {
    return tensor().storage_offset();
  }

  /** Where its first element is: how far from a secret place, as scripts get no address. */
  @HostAccess.Export
  public long place() {
    return tensor().numel() == 0 || isMeta() ? 0 : tensor().const_data_ptr().address() - ORIGIN;
  }

  /** Has it stand for the memory of another of its shape and dtype. */
  @HostAccess.Export
  public void setData(PyTensor other) {
    Guard.run(
        () -> {
          if (!Arrays.equals(other.shape(), shape())
              || other.dtype() != dtype()
              || other.isMeta()
              || isMeta()) {
            throw new PyError(
                "RuntimeError",
                "expected data of shape " + Arrays.toString(shape()) + " and of the same dtype");
          }
          if (!tensor().is_set_to(other.tensor())) {
            tensor().set_data(other.tensor());
            // A graph that needs the old data must notice.
            tensor().unsafeGetTensorImpl().bump_version();
          }
          return null;
        });
  }

  /** The gradient that backward left, or null. */
  @HostAccess.Export
  public @Nullable PyTensor grad() {
    // The preset hands out the place where the gradient is kept, which others will change.
    final Tensor grad = tensor().grad();
    if (grad.defined()) {
      return pool.own(new Tensor(grad));
    }
    pool.warn(); // of a tensor that keeps none
    return null;
  }

  /** Replaces the gradient. */
  @HostAccess.Export
  public void setGrad(@Nullable PyTensor grad) {
    Guard.run(
        () -> {
          if (grad != null && !Arrays.equals(grad.shape(), shape())) {
            throw new PyError(
                "RuntimeError",
                "assigned grad has data of a different size: "
                    + Arrays.toString(grad.shape())
                    + " for "
                    + Arrays.toString(shape()));
          }
          try (Tensor value = grad == null ? new Tensor() : new Tensor(grad.tensor())) {
            tensor().mutable_grad().put(value);
          }
          return null;
        });
  }

  /** Whether its elements are integers; bools are not. */
  boolean isIntegral() {
    return switch ((int) dtype()) {
      case 0, 1, 2, 3, 4, 27, 28, 29 -> true;
      default -> false;
    };
  }

  /** How often its memory was written to. */
  @HostAccess.Export
  public long version() {
    return tensor()._version();
  }

  /** Has operations on it recorded from now on, or no more. */
  @HostAccess.Export
  public void requireGrad(boolean on) {
    Guard.run(
        () -> {
          if (on && !tensor().is_floating_point() && !tensor().is_complex()) {
            throw new PyError(
                "RuntimeError", "only Tensors of floating point dtype can require gradients");
          }
          if (!on && !tensor().is_leaf()) {
            throw new PyError(
                "RuntimeError",
                "you can only change requires_grad flags of leaf variables. If you want to use a"
                    + " computed variable in a subgraph that doesn't require differentiation use"
                    + " var_no_grad = var.detach().");
          }
          tensor().requires_grad_(on);
          return null;
        });
  }

  /** Whether it stands for a number: no axis, no gradient. */
  boolean isNumber() {
    return dim() == 0 && !requiresGrad();
  }

  /** The one element as an operator takes it for a number. */
  Object number() {
    if (!tensor().is_complex()) {
      return item();
    }
    final double[] parts =
        Tensors.toDoubles(
            ops().tensor("view_as_real", ops().tensor("resolve_conj", this)).tensor());
    return new Args.Complex(parts[0], parts[1]);
  }

  /** The one element, as a Python number. */
  @HostAccess.Export
  public Object item() {
    return Guard.run(
        () -> {
          if (numel() != 1) {
            throw new PyError(
                "RuntimeError",
                "a Tensor with " + numel() + " elements cannot be converted to Scalar");
          }
          final Object values = values();
          if (values instanceof long[] longs) {
            return tensor().scalar_type().intern() == ScalarType.Bool
                ? (Object) (longs[0] != 0)
                : (Object) longs[0];
          }
          return ((double[]) values)[0];
        });
  }

  /** A copy of the elements in row order: as doubles, or as longs for integers and booleans. */
  @HostAccess.Export
  public Object values() {
    return Guard.run(
        () -> {
          Elements.checkData(tensor());
          if (numel() == 0) {
            return tensor().is_floating_point() ? new double[0] : (Object) new long[0];
          }
          return tensor().is_floating_point()
              ? Tensors.toDoubles(tensor())
              : (Object) Tensors.toLongs(tensor());
        });
  }

  /**
   * The part that an index selects: a view where the index is one of ints, slices, None, Ellipsis.
   */
  @HostAccess.Export
  public PyTensor getItem(Value index) {
    return Guard.run(
        () -> {
          final Selection selection = select(index);
          if (selection.tensors.isEmpty()) {
            // A script may change the result in place: it must be no handle of this very tensor.
            return selection.view == this ? ops().tensor("alias", this) : selection.view;
          }
          final PyTensor result = ops().tensor("index.Tensor", selection.view, selection.tensors);
          selection.free(this);
          return result;
        });
  }

  /** Writes to the part that an index selects; numbers and broadcasting are taken as in PyTorch. */
  @HostAccess.Export
  public void setItem(Value index, Value value) {
    Guard.run(
        () -> {
          final Selection selection = select(index);
          final Object source = Args.of(value);
          PyTensor tensor;
          if (source instanceof PyTensor given) {
            tensor = given;
          } else if (source instanceof Number
              || source instanceof Boolean
              || source instanceof Args.Complex) {
            tensor = ops().tensor("full", List.of(), source, PyCode.dtype(dtype()));
          } else {
            throw new PyError(
                "TypeError",
                "can't assign a %s to a torch.%sTensor"
                    .formatted(Args.typeName(source), tensor().scalar_type()));
          }
          // Leading axes of one are dropped, as PyTorch does.
          while (tensor.dim() > 0 && tensor.shape()[0] == 1) {
            tensor = ops().tensor("squeeze.dim", tensor, 0L);
          }
          if (selection.tensors.isEmpty()) {
            // Says in PyTorch's words what does not fit.
            if (!Arrays.equals(tensor.shape(), selection.view.shape())) {
              tensor = ops().tensor("expand", tensor, shape(selection.view), false);
            }
            ops().call("copy_", selection.view, tensor);
          } else {
            ops().call("index_put_", selection.view, selection.tensors, tensor);
          }
          selection.free(this);
          return null;
        });
  }

  /** A view, and the tensors that index it further. */
  private final class Selection {
    private PyTensor view = PyTensor.this;
    private final List<@Nullable Object> tensors = new ArrayList<>();

    private void to(PyTensor next) {
      free(PyTensor.this);
      view = next;
    }

    private void free(PyTensor origin) {
      if (view != origin) {
        pool.free(view);
      }
    }

    private void index(int axis, PyTensor index) {
      while (tensors.size() <= axis) {
        tensors.add(null);
      }
      tensors.set(axis, index);
    }
  }

  private static List<Long> shape(PyTensor tensor) {
    return Arrays.stream(tensor.shape()).boxed().toList();
  }

  private NativeOps ops() {
    return new NativeOps(pool);
  }

  private Selection select(Value index) {
    // The package passes a tuple, with "..." for Ellipsis and tensors for lists.
    final List<?> items = Args.list(index);
    final Selection selection = new Selection();
    long specified = 0;
    for (final Object item : items) {
      specified +=
          item == null || item.equals("...") || item instanceof Boolean
              ? 0
              : item instanceof PyTensor t && t.dtype() == ScalarType.Bool.value ? t.dim() : 1;
    }
    if (specified > 0 && dim() == 0) {
      throw new IndexOutOfBoundsException(
          "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in"
              + " C++ to convert a 0-dim tensor to a number");
    }
    if (specified > dim()) {
      throw new IndexOutOfBoundsException("too many indices for tensor of dimension " + dim());
    }
    int axis = 0;
    for (final Object given : items) {
      final Object item =
          given instanceof PyTensor t && t.dim() == 0 && !t.tensor().is_floating_point()
              ? t.item()
              : given;
      if (item instanceof Long number) {
        final long size = selection.view.shape()[axis];
        if (number < -size || number >= size) {
          throw new IndexOutOfBoundsException(
              "index " + number + " is out of bounds for dimension " + axis + " with size " + size);
        }
        selection.to(ops().tensor("select.int", selection.view, (long) axis, number));
      } else if (item instanceof Args.Slice slice) {
        final Object step = slice.step() == null ? Long.valueOf(1) : slice.step();
        if (!(step instanceof Long s) || s <= 0) {
          throw new IllegalArgumentException("step must be greater than zero");
        }
        selection.to(
            ops()
                .tensor(
                    "slice.Tensor",
                    selection.view,
                    (long) axis,
                    slice.start(),
                    slice.stop(),
                    step));
        axis++;
      } else if (item == null) {
        selection.to(ops().tensor("unsqueeze", selection.view, (long) axis));
        axis++;
      } else if (item.equals("...")) {
        axis += (int) (dim() - specified);
      } else if (item instanceof Boolean bool) {
        selection.to(ops().tensor("unsqueeze", selection.view, (long) axis));
        selection.index(axis, ops().tensor("arange", bool ? 1L : 0L));
        axis++;
      } else if (item instanceof PyTensor tensor) {
        selection.index(axis, tensor);
        axis++;
      } else {
        if (item instanceof String) {
          throw new PyError("TypeError", "new(): invalid data type 'str'");
        }
        throw new PyError(
            "IndexError",
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid"
                + " indices (got "
                + Args.typeName(item)
                + ")");
      }
    }
    return selection;
  }
}
