package org.jloss.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.jloss.bench.BenchmarkMain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints the table of benchmarks. */
@Command(
    name = "bench",
    description =
        "Measures the losses: --quick within 10 minutes, --row ID one in full; -- --help for all options.")
final class BenchCommand implements Callable<Integer> {
  @Parameters(paramLabel = "ARG", arity = "0..*", description = "Passed on to the benchmarks.")
  private List<String> arguments = List.of();

  @Override
  public Integer call() {
    return BenchmarkMain.run(arguments.toArray(String[]::new));
  }
}
