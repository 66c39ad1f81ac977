package org.jloss.python;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** What the Python package calls in Java. */
public final class Host {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final TensorPool pool;
  private final NativeOps ops;

  Host(TensorPool pool) {
    this.pool = pool;
    this.ops = new NativeOps(pool);
  }

  /** The class names of all losses, each before its id. */
  @HostAccess.Export
  public String[] names() {
    return Guard.run(
        () -> {
          final List<String> names = new ArrayList<>();
          for (final Spec spec : Losses.all()) {
            if (Loss.class.isAssignableFrom(spec.type())) {
              names.add(spec.type().getSimpleName());
              names.add(spec.id());
            }
          }
          return names.toArray(new String[0]);
        });
  }

  /** A loss's description in JSON. */
  @HostAccess.Export
  public String spec(String id) {
    return Guard.run(() -> JSON.writeValueAsString(LossSpecs.describe(Losses.spec(id))));
  }

  /** A loss with these parameters. */
  @HostAccess.Export
  public PyLoss loss(String id, Value names, Value values) {
    return Guard.run(
        () -> {
          final Map<String, @Nullable Object> parameters = new LinkedHashMap<>();
          for (int i = 0; i < names.getArraySize(); i++) {
            parameters.put(names.getArrayElement(i).asString(), Args.of(values.getArrayElement(i)));
          }
          return new PyLoss(pool, Losses.create(id, parameters));
        });
  }

  /** Whether libtorch has an operator of this name that scripts may call. */
  @HostAccess.Export
  public boolean hasOperator(String name) {
    return Guard.run(() -> ops.has(name));
  }

  /** The schemas of an operator. */
  @HostAccess.Export
  public String[] schemas(String name) {
    return Guard.run(() -> ops.overloads(name).stream().map(Schema::text).toArray(String[]::new));
  }

  /** Calls an operator: a tensor, number, bool, None or an array of them. */
  @HostAccess.Export
  public @Nullable Object call(String name, Value arguments) {
    return Guard.run(() -> ops.call(name, Args.list(arguments), Map.of()));
  }

  /** The same with keyword arguments. */
  @HostAccess.Export
  public @Nullable Object callWith(String name, Value arguments, Value names, Value values) {
    return Guard.run(
        () -> {
          final Map<String, @Nullable Object> keywords = new LinkedHashMap<>();
          for (int i = 0; i < names.getArraySize(); i++) {
            keywords.put(names.getArrayElement(i).asString(), Args.of(values.getArrayElement(i)));
          }
          return ops.call(name, Args.list(arguments), keywords);
        });
  }

  /** A tensor with a copy of a Python buffer's bytes. */
  @HostAccess.Export
  public PyTensor fromBuffer(Value buffer, long dtype, Value shape) {
    return Guard.run(
        () -> {
          final PyTensor tensor =
              (PyTensor)
                  ops.call("empty", List.of(Args.list(shape)), Map.of("dtype", new PyCode(dtype)));
          tensor.fill(buffer);
          return tensor;
        });
  }

  /** A dtype, layout or memory format. */
  @HostAccess.Export
  public PyCode code(long code) {
    // libtorch has codes of C++ objects too, which no script should hold.
    if (!(code >= 0 && code <= 7 || code == 11 || code == 15)) {
      throw new PyError("ValueError", "there is no dtype of code " + code);
    }
    return new PyCode(code);
  }

  /** Turns the recording of gradients on or off; how it was. */
  @HostAccess.Export
  public boolean setGradEnabled(boolean on) {
    return Guard.run(
        () -> {
          pool.load();
          final boolean was = GradMode.is_enabled();
          GradMode.set_enabled(on);
          return was;
        });
  }

  /** Whether gradients are recorded. */
  @HostAccess.Export
  public boolean isGradEnabled() {
    return Guard.run(
        () -> {
          pool.load();
          return GradMode.is_enabled();
        });
  }

  /** Seeds the random numbers: the same as in PyTorch on the CPU. */
  @HostAccess.Export
  public void manualSeed(long seed) {
    Guard.run(
        () -> {
          pool.load();
          torch.manual_seed(seed);
          return null;
        });
  }

  /** How many tensors scripts have: for tests. */
  @HostAccess.Export
  public int liveTensors() {
    return pool.size();
  }
}
