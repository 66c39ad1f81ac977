package org.jloss.cli;

import java.lang.reflect.InvocationTargetException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints the table of benchmarks. */
@Command(
    name = "bench",
    description = "Measures the losses: --quick within 10 minutes, --row ID one in full.")
final class BenchCommand implements Callable<Integer> {
  private static final String RUNNER = "org.jloss.bench.BenchmarkMain";

  @Parameters(paramLabel = "ARG", arity = "0..*", description = "Passed on to the benchmarks.")
  private List<String> arguments = List.of();

  @Override
  public Integer call() throws Exception {
    final Class<?> runner;
    try {
      runner = Class.forName(RUNNER);
    } catch (ClassNotFoundException e) {
      throw new Refusal("the benchmarks are not on the class path (" + RUNNER + ")");
    }
    try {
      return (Integer)
          runner
              .getMethod("run", String[].class)
              .invoke(null, (Object) arguments.toArray(String[]::new));
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
