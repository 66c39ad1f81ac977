package org.jloss.python;

import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.jloss.Errors;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jloss.WeightedSum;
import org.jspecify.annotations.Nullable;

/** What the Python package calls in Java. */
public final class Host {
  private final TensorPool pool;
  private final ScriptFiles files;
  private final Function<PolyglotException, RuntimeException> translate;
  private final NativeOps ops;
  private volatile @Nullable Integer exit;
  private final AtomicBoolean heeded = new AtomicBoolean(true);

  Host(
      TensorPool pool, ScriptFiles files, Function<PolyglotException, RuntimeException> translate) {
    this.pool = pool;
    this.files = files;
    this.translate = translate;
    this.ops = new NativeOps(pool);
  }

  /** Of all systems the name of the class, the id and the kind: loss, miner or memory. */
  @HostAccess.Export
  public String[] names() {
    return Guard.run(
        () -> {
          final List<String> names = new ArrayList<>();
          for (final Spec spec : Losses.all()) {
            names.add(spec.type().getSimpleName());
            names.add(spec.id());
            names.add(LossSpecs.kind(spec));
          }
          return names.toArray(new String[0]);
        });
  }

  /** A system's description in JSON. */
  @HostAccess.Export
  public String spec(String id) {
    return Guard.run(() -> LossSpecs.json(Losses.spec(id), null));
  }

  /** A loss, miner or memory with these parameters. */
  @HostAccess.Export
  public Object make(String id, Value names, Value values) {
    return Guard.run(
        () -> {
          final Map<String, @Nullable Object> parameters = keywords(names, values);
          final Spec spec = Losses.spec(id);
          if (Memory.class.isAssignableFrom(spec.type())) {
            pool.load();
          }
          final Object made = pool.allocate(() -> Losses.instantiate(spec, parameters));
          return Objects.requireNonNull(handle(made, true));
        });
  }

  /**
   * What scripts hold of a system, or null if it is none.
   *
   * @param owned whether the scripts own it, if it has a state
   */
  @Nullable Object handle(@Nullable Object system, boolean owned) {
    if (system instanceof Loss loss) {
      return new PyLoss(pool, loss);
    }
    if (system instanceof Miner miner) {
      return new PyMiner(pool, miner);
    }
    return system instanceof Memory memory ? new PyMemory(pool, files, memory, owned) : null;
  }

  /** Reads a memory's state from a file in an open folder. */
  @HostAccess.Export
  public PyMemory load(String id, String file) {
    return Guard.run(
        () -> {
          final Path open = files.open(Path.of(file), false);
          pool.load();
          pool.makeRoom();
          try {
            final Object memory =
                Losses.spec(id).type().getMethod("load", Path.class).invoke(null, open);
            return new PyMemory(pool, files, (Memory) memory, true);
          } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception cause) {
              throw cause;
            }
            throw (Error) e.getCause();
          }
        });
  }

  /**
   * A loss that a script wrote.
   *
   * @param names its tensors' names
   * @param required how many of them must be given
   * @param forward from tensors to a value, see {@link PyFunction}
   * @param backward from the upstream gradient and the tensors to gradients, or None: then autograd
   *     has them
   */
  @HostAccess.Export
  public PyLoss ownLoss(String name, Value names, int required, Value forward, Value backward) {
    return Guard.run(
        () -> {
          final Spec spec = PyFunction.spec(name, strings(names), required, PyFormula.class);
          final PyFunction formula = new PyFunction(pool, forward, translate);
          return new PyLoss(
              pool,
              backward.isNull()
                  ? new PyFormula(spec, formula)
                  : new PyCustomLoss(spec, formula, new PyFunction(pool, backward, translate)));
        });
  }

  /**
   * A miner that a script wrote, see {@link #ownLoss}; its function gives three or four vectors.
   */
  @HostAccess.Export
  public PyMiner ownMiner(String name, Value names, int required, Value mine) {
    return Guard.run(
        () ->
            new PyMiner(
                pool,
                new PyOwnMiner(
                    PyFunction.spec(name, strings(names), required, PyOwnMiner.class),
                    new PyFunction(pool, mine, translate))));
  }

  /**
   * Losses added up.
   *
   * @param terms a factor, a loss, and a tuple of the old and the new name of each renamed tensor;
   *     and so on
   */
  @HostAccess.Export
  public PyLoss sum(Value terms) {
    return Guard.run(
        () -> {
          final List<?> all = Args.list(terms);
          final List<WeightedSum.Term> made = new ArrayList<>();
          for (int i = 0; i < all.size(); i += 3) {
            final List<?> renamed = (List<?>) all.get(i + 2);
            final Map<String, String> names = new LinkedHashMap<>();
            for (int j = 0; j < renamed.size(); j += 2) {
              names.put((String) renamed.get(j), (String) renamed.get(j + 1));
            }
            made.add(
                new WeightedSum.Term((Double) all.get(i), ((PyLoss) all.get(i + 1)).loss(), names));
          }
          return new PyLoss(pool, WeightedSum.of(made));
        });
  }

  private static List<String> strings(Value values) {
    return Args.list(values).stream().map(String.class::cast).toList();
  }

  /** An operator that scripts may call, or null; see {@link NativeOps#operator}. */
  @HostAccess.Export
  public @Nullable PyOperator operator(String places, String name) {
    return Guard.run(() -> ops.operator(places, name));
  }

  /** The names of the operators at a place. */
  @HostAccess.Export
  public String[] operators(String place) {
    return Guard.run(() -> NativeOps.names(place));
  }

  /** Backward passes, functions with a gradient of their own, and hooks. */
  @HostAccess.Export
  public PyAutograd autograd() {
    return new PyAutograd(pool);
  }

  /** A source of random numbers of a script's own. */
  @HostAccess.Export
  public PyGenerator generator() {
    return new PyGenerator(pool);
  }

  /** Operators that trust their arguments, behind checks. */
  @HostAccess.Export
  public CheckedOps checked() {
    return new CheckedOps(pool);
  }

  /** Files of tensors and plain data. */
  @HostAccess.Export
  public TensorFiles tensorFiles() {
    return new TensorFiles(pool, files);
  }

  static Map<String, @Nullable Object> keywords(Value names, Value values) {
    final Map<String, @Nullable Object> keywords = new LinkedHashMap<>();
    final int count = Args.count(names, values);
    for (int i = 0; i < count; i++) {
      keywords.put(names.getArrayElement(i).asString(), Args.of(values.getArrayElement(i)));
    }
    return keywords;
  }

  /** A tensor with a copy of Python's bytes. */
  @HostAccess.Export
  public PyTensor fromBytes(Value bytes, long dtype, Value shape) {
    return Guard.run(
        () -> {
          final PyTensor tensor = ops.empty(Args.list(shape), dtype);
          Elements.fill(tensor.tensor(), bytes);
          return tensor;
        });
  }

  /** A tensor's bytes, see {@link Elements#text}. */
  @HostAccess.Export
  public String toText(PyTensor tensor) {
    return Guard.run(() -> Elements.text(tensor.tensor()));
  }

  /** A dtype (kind 0), layout (1), memory format (2) or device type (3). */
  @HostAccess.Export
  public PyCode code(int kind, long code) {
    // libtorch has codes of C++ objects, and of formats that trust what they find, too.
    final boolean open =
        switch (kind) {
          case 0 -> code >= 0 && code <= 11 || code == 15 || code >= 27 && code <= 29;
          case 1 -> code == 0;
          case 2 -> code >= 0 && code <= 3;
          default -> code == NativeOps.CPU || code == NativeOps.META;
        };
    if (kind < 0 || kind > 3 || !open) {
      throw new PyError("ValueError", "there is no code " + code + " of kind " + kind);
    }
    return new PyCode(PyCode.Kind.values()[kind], code);
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

  /** The seed of the random numbers. */
  @HostAccess.Export
  public long initialSeed() {
    return Guard.run(
        () -> {
          pool.load();
          return torch.getDefaultCPUGenerator().current_seed();
        });
  }

  /** A copy of the random numbers' state. */
  @HostAccess.Export
  public PyTensor rngState() {
    return Guard.run(
        () -> {
          pool.load();
          try (PointerScope scope = new PointerScope()) {
            return pool.share(torch.getDefaultCPUGenerator().get_state());
          }
        });
  }

  /** Renames over a folder, see {@link ScriptFiles#rename}. */
  @HostAccess.Export
  public @Nullable String rename(String source, String target) {
    return Guard.run(() -> files.rename(Path.of(source), Path.of(target)));
  }

  /** Has the random numbers go on from a state. */
  @HostAccess.Export
  public void setRngState(PyTensor state) {
    Guard.run(
        () -> {
          try (PointerScope scope = new PointerScope()) {
            torch.getDefaultCPUGenerator().set_state(state.tensor());
            return null;
          } catch (RuntimeException e) {
            throw Errors.translate(e);
          }
        });
  }

  /** Sets the dtype of this interpreter's floats that are given none. */
  @HostAccess.Export
  public void setDefaultDtype(long code) {
    // Operators are given it unasked.
    if (code != 5 && code != 6 && code != 7 && code != 15) {
      throw new PyError("TypeError", "only floating-point types are supported as the default type");
    }
    pool.defaultDtype(code);
  }

  /** The device of that name. */
  @HostAccess.Export
  public PyCode device(String name) {
    return Guard.run(() -> Arguments.device(name));
  }

  /** Called before os._exit: after it GraalPy does not always tell the status. */
  @HostAccess.Export
  public void exits(int status) {
    exit = status;
  }

  /** The status of os._exit, or null. */
  @Nullable Integer exit() {
    return exit;
  }

  /** Called where a script heeds Ctrl-C. */
  @HostAccess.Export
  public void heeded() {
    heeded.set(true);
  }

  /** Whether the script has heeded Ctrl-C since the last call. */
  boolean hasHeeded() {
    return heeded.getAndSet(false);
  }

  /** How many tensors scripts have: for tests. */
  @HostAccess.Export
  public int liveTensors() {
    return pool.size();
  }
}
