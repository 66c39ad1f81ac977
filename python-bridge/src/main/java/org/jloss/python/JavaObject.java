package org.jloss.python;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jspecify.annotations.Nullable;

/**
 * A caller's object as scripts hold it: its methods annotated with {@link HostAccess.Export}, with
 * arguments and results converted as everywhere, and nothing else of it. The object itself never
 * reaches a script.
 */
public final class JavaObject {
  private final Object object;
  private final List<Method> methods;
  private final Values values;

  private JavaObject(Object object, List<Method> methods, Values values) {
    this.object = object;
    this.methods = methods;
    this.values = values;
  }

  /** An object's face, or null if it exports nothing. */
  static @Nullable JavaObject of(Object object, Values values) {
    final List<Method> methods =
        Arrays.stream(object.getClass().getMethods())
            .filter(m -> m.isAnnotationPresent(HostAccess.Export.class))
            .filter(m -> !m.isBridge())
            .toList();
    return methods.isEmpty() ? null : new JavaObject(object, methods, values);
  }

  /** The simple name of the class. */
  @HostAccess.Export
  public String type() {
    return object.getClass().getSimpleName();
  }

  /** The methods' names. */
  @HostAccess.Export
  public String[] names() {
    return methods.stream().map(Method::getName).distinct().sorted().toArray(String[]::new);
  }

  /** Whether there is a method of this name. */
  @HostAccess.Export
  public boolean has(String name) {
    return methods.stream().anyMatch(m -> m.getName().equals(name));
  }

  /** Calls a method. */
  @HostAccess.Export
  public @Nullable Object call(String name, Value arguments) {
    return Guard.run(
        () -> {
          final List<@Nullable Object> given =
              Args.list(arguments).stream().map(values::decode).toList();
          RuntimeException refused = null;
          for (final Method method : methods) {
            if (method.getName().equals(name) && method.getParameterCount() == given.size()) {
              final Object[] converted = new Object[given.size()];
              try {
                for (int i = 0; i < converted.length; i++) {
                  converted[i] =
                      Values.as(
                          method.getParameterTypes()[i],
                          given.get(i),
                          name + ": argument " + (i + 1));
                }
              } catch (IllegalArgumentException e) {
                refused = new PyError("TypeError", String.valueOf(e.getMessage()), e);
                continue;
              }
              return values.encode(invoke(method, converted));
            }
          }
          throw refused != null
              ? refused
              : new PyError("TypeError", name + "() takes no " + given.size() + " arguments");
        });
  }

  private @Nullable Object invoke(Method method, Object[] arguments) throws Exception {
    // Public methods of a class that is not public, too: the annotation says so.
    method.trySetAccessible();
    try {
      return method.invoke(object, arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw (Error) e.getCause();
    }
  }
}
