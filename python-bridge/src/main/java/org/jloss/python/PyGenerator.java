package org.jloss.python;

import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Errors;
import org.jspecify.annotations.Nullable;

/** A source of random numbers of a script's own: the state of one of libtorch's. */
public final class PyGenerator {
  private final TensorPool pool;
  private @Nullable PyTensor state;

  PyGenerator(TensorPool pool) {
    this.pool = pool;
  }

  PyTensor state() {
    if (state == null) {
      seed(67280421310721L); // libtorch's own default
    }
    return Objects.requireNonNull(state, "seeded");
  }

  /** Begins anew from a seed. */
  @HostAccess.Export
  public void seed(long seed) {
    Guard.run(
        () -> {
          pool.load();
          try (PointerScope scope = new PointerScope();
              Generator generator = torch.createCPUGenerator(seed)) {
            state = pool.share(generator.get_state());
          }
          return null;
        });
  }

  /** The seed that it began from. */
  @HostAccess.Export
  public long initialSeed() {
    return Guard.run(
        () -> {
          try (PointerScope scope = new PointerScope();
              Generator generator = torch.createCPUGenerator()) {
            generator.set_state(state().tensor());
            return generator.current_seed();
          }
        });
  }

  /** A copy of its state. */
  @HostAccess.Export
  public PyTensor getState() {
    return Guard.run(() -> copy(state()));
  }

  /** Goes on from a state. */
  @HostAccess.Export
  public void setState(PyTensor given) {
    Guard.run(
        () -> {
          check(given.tensor());
          state = copy(given);
          return null;
        });
  }

  private PyTensor copy(PyTensor given) {
    try (PointerScope scope = new PointerScope()) {
      return pool.share(given.tensor().clone());
    }
  }

  private static void check(Tensor state) {
    try (PointerScope scope = new PointerScope();
        Generator generator = torch.createCPUGenerator()) {
      generator.set_state(state);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }
}
