package org.jloss.python;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jspecify.annotations.Nullable;

/** A function of torch or a method of Tensor: an operator's overloads under one name. */
public final class PyOperator {
  private final NativeOps ops;
  private final String name;
  private final boolean method;
  private final List<Signature> signatures;
  // By what is the same, as what is equal takes longer to tell than a call; scripts take turns.
  private final Map<Signature, Target> targets = new IdentityHashMap<>();
  // The last is the latest: what collects garbage may run between a call and its other().
  private final List<@Nullable Object> others = new ArrayList<>();

  /**
   * What a signature stands for.
   *
   * @param sources for each of the dispatcher's arguments the parameter that it comes from: -1 for
   *     none, -2 for self
   * @param makes whether it makes a tensor: those are given a dtype
   */
  private record Target(Schema schema, int[] sources, int out, int requiresGrad, boolean makes) {}

  PyOperator(NativeOps ops, String name, boolean method, List<Signature> signatures) {
    this.ops = ops;
    this.name = name;
    this.method = method;
    this.signatures = signatures;
  }

  /**
   * Calls it: a tensor, or null, and then {@link #other} has the result. To find out what kind of
   * object it got takes Python longer than a call.
   */
  @HostAccess.Export
  public @Nullable PyTensor call(Value arguments) {
    return tensor(() -> new Arguments(method, Args.values(arguments), null, null));
  }

  /** The same with one argument: Python's tuples take time too. */
  @HostAccess.Export
  public @Nullable PyTensor call1(Value argument) {
    return tensor(() -> new Arguments(method, List.of(argument), null, null));
  }

  /** The same with two arguments. */
  @HostAccess.Export
  public @Nullable PyTensor call2(Value first, Value second) {
    return tensor(() -> new Arguments(method, List.of(first, second), null, null));
  }

  /** The same with three arguments. */
  @HostAccess.Export
  public @Nullable PyTensor call3(Value first, Value second, Value third) {
    return tensor(() -> new Arguments(method, List.of(first, second, third), null, null));
  }

  /** The same with keyword arguments. */
  @HostAccess.Export
  public @Nullable PyTensor callWith(Value arguments, Value names, Value values) {
    return tensor(() -> new Arguments(method, Args.values(arguments), names, values));
  }

  /** The last call's result that is no tensor: a number, bool, None or an array, of tensors too. */
  @HostAccess.Export
  public @Nullable Object other() {
    return Guard.run(() -> others.remove(others.size() - 1));
  }

  private @Nullable PyTensor tensor(Supplier<Arguments> arguments) {
    return Guard.run(
        () -> {
          final Object result = call(arguments.get());
          if (result instanceof PyTensor tensor) {
            return tensor;
          }
          others.add(result);
          return null;
        });
  }

  /** The names of so many results, or null if they have none. */
  @HostAccess.Export
  public String @Nullable [] fields(long count) {
    return Guard.run(
        () -> {
          for (final Signature signature : signatures) {
            final Schema schema = target(signature).schema;
            if (schema.results().size() == count && schema.namesResults()) {
              return schema.results().toArray(new String[0]);
            }
          }
          return null;
        });
  }

  /** The signatures, a line each. */
  @HostAccess.Export
  public String signatures() {
    return signatures.stream()
        .filter(s -> !s.deprecated())
        .map(s -> name + s)
        .collect(Collectors.joining("\n"));
  }

  private @Nullable Object call(Arguments arguments) {
    final Arguments.Match match = arguments.match(signatures);
    final Target target = target(match.signature());
    final Object[] given = match.bound();
    if (target.out >= 0 && given[target.out] != null && given[target.out] != Arguments.ABSENT) {
      throw new PyError("NotImplementedError", name + "(): out= is not supported; use the result");
    }
    final Object[] bound = new Object[target.sources.length];
    for (int i = 0; i < bound.length; i++) {
      final int source = target.sources[i];
      bound[i] = source == -2 ? arguments.self() : source == -1 ? Arguments.ABSENT : given[source];
      // A dtype of None is that of the schema, where it has one.
      final Schema.Argument argument = target.schema.arguments().get(i);
      if (bound[i] == null
          && argument.hasDefault()
          && (!argument.optional() || argument.kind() == Schema.Kind.CODE)) {
        bound[i] = Arguments.ABSENT;
      }
    }
    Object result = ops.run(target.schema, bound);
    if (name.contains("empty") && result instanceof PyTensor tensor && !tensor.isMeta()) {
      // What was in that memory before is not a script's to read.
      ops.call("zero_", tensor);
    }
    if (target.makes && result instanceof PyTensor tensor && tensor.version() > 0) {
      // That it was filled counts as no change.
      result = ops.afresh(tensor);
    }
    if (target.requiresGrad >= 0 && Boolean.TRUE.equals(given[target.requiresGrad])) {
      final PyTensor tensor = (PyTensor) Objects.requireNonNull(result, name);
      if (!tensor.tensor().is_floating_point() && !tensor.tensor().is_complex()) {
        throw new PyError(
            "RuntimeError",
            "Only Tensors of floating point and complex dtype can require gradients");
      }
      tensor.requireGrad(true);
    }
    return result;
  }

  private Target target(Signature signature) {
    return targets.computeIfAbsent(
        signature,
        s -> {
          final Schema schema = ops.schema(s.target());
          final int[] sources =
              schema.arguments().stream()
                  .mapToInt(
                      a -> {
                        final int same = index(s, a.name());
                        if (same >= 0) {
                          return same;
                        }
                        return switch (a.name()) {
                          case "self" -> method ? -2 : index(s, "input");
                          case "other" -> index(s, "tensor"); // x.to(tensor)
                          default -> -1;
                        };
                      })
                  .toArray();
          return new Target(
              schema,
              sources,
              index(s, "out"),
              index(s, "requires_grad"),
              schema.arguments().stream().anyMatch(a -> a.name().equals("pin_memory")));
        });
  }

  private static int index(Signature signature, String param) {
    for (int i = 0; i < signature.params().size(); i++) {
      if (signature.params().get(i).name().equals(param)) {
        return i;
      }
    }
    return -1;
  }
}
