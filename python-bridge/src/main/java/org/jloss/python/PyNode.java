package org.jloss.python;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Edge;
import org.bytedeco.pytorch.EdgeVector;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Autograd;
import org.jspecify.annotations.Nullable;

/** A node of the graph, as scripts hold it: it keeps what the graph holds behind it. */
public final class PyNode {
  private final TensorPool pool;
  private final Node node;

  private PyNode(TensorPool pool, Node node) {
    this.pool = pool;
    this.node = node;
  }

  /** A handle of a node, which the collector frees; null for no node. */
  static @Nullable PyNode of(TensorPool pool, @Nullable Node node) {
    return node == null || node.isNull() ? null : new PyNode(pool, node);
  }

  /** The operation's name. */
  @HostAccess.Export
  public String name() {
    try (PointerScope scope = new PointerScope()) {
      return node.name().getString();
    }
  }

  /**
   * The nodes that its gradients go to, null where nobody wants one; each with an input's number.
   */
  @HostAccess.Export
  public @Nullable Object[] next() {
    return Guard.run(
        () -> {
          final EdgeVector edges = node.next_edges();
          final Object[] all = new Object[2 * (int) edges.size()];
          for (int i = 0; i < all.length; i += 2) {
            final Edge edge = edges.get(i / 2);
            all[i] = of(pool, edge.function());
            all[i + 1] = (long) edge.input_nr();
          }
          return all;
        });
  }

  /** The leaf whose gradient it adds up, or null. */
  @HostAccess.Export
  public @Nullable PyTensor leaf() {
    return Guard.run(
        () -> {
          final Tensor leaf = Autograd.leafOf(node);
          return leaf == null ? null : pool.own(leaf);
        });
  }

  /** Whether gradients that go through it reach another leaf than those of some nodes. */
  @HostAccess.Export
  public boolean reachesOther(Value nodes) {
    return Guard.run(
        () -> {
          final Set<Long> seen = new HashSet<>();
          for (final Object own : Args.list(nodes)) {
            seen.add(((PyNode) Objects.requireNonNull(own)).node.address());
          }
          final Deque<Node> open = new ArrayDeque<>(List.of(node));
          try (PointerScope scope = new PointerScope()) {
            for (Node next = open.poll(); next != null; next = open.poll()) {
              if (!seen.add(next.address())) {
                continue;
              }
              if (next.num_outputs() == 0) {
                return true;
              }
              final EdgeVector edges = next.next_edges();
              for (long i = 0; i < edges.size(); i++) {
                final Node behind = edges.get(i).function();
                if (behind != null && !behind.isNull()) {
                  open.push(behind);
                }
              }
            }
          }
          return false;
        });
  }

  /** How many nodes were made in its thread before it. */
  @HostAccess.Export
  public long number() {
    return node.sequence_nr();
  }

  /** Whether another handle is of the same node. */
  @HostAccess.Export
  public boolean same(PyNode other) {
    return Guard.run(() -> node.address() == other.node.address());
  }

  /** The same for handles of the same node. */
  @HostAccess.Export
  public long hash() {
    return Objects.hash(node.address());
  }

  /** Hooks it, see {@link Autograd#hook}. */
  @HostAccess.Export
  public PyHook hook(boolean before, Value function) {
    return Guard.run(
        () ->
            new PyHook(
                Autograd.hook(node, before, given -> PyAutograd.gradients(pool, function, given))));
  }
}
