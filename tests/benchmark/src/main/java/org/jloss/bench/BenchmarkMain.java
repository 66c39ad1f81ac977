package org.jloss.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;
import org.jloss.NativeLibrary;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the losses and prints a table: {@code jloss bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description =
        "Times value and gradient of each loss: fused, through autograd, and composed from ATen's"
            + " operators; with the most bytes of tensors that each has at once.",
    footer = {
      "",
      "Times are medians in microseconds. A ratio is the median over pairs timed in turns.",
      "Bytes are in multiples of the gradients' own, beyond the inputs."
    })
public final class BenchmarkMain implements Callable<Integer> {
  /** They make OpenBLAS reproducible for the reference outputs, and slow. */
  private static final List<String> SLOWING = List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE");

  /** OpenBLAS has threads of its own, which libtorch's setting does not reach. */
  private static final String BLAS_THREADS = "OPENBLAS_NUM_THREADS";

  @Option(names = "--quick", description = "Fewer and shorter rounds: all within 10 minutes.")
  private boolean quick;

  @Option(
      names = "--row",
      paramLabel = "ID",
      description = "Only this loss, or one size of it, as in mse_loss/1e5. May be repeated.")
  private List<String> rows = List.of();

  @Option(names = "--json", paramLabel = "FILE", description = "Write what was measured here.")
  private Path json;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of libtorch; as many as there are cores unless given.")
  private int threads;

  @CommandLine.Spec private CommandLine.Model.CommandSpec command;

  /** Runs and exits. */
  public static void main(String... args) {
    System.exit(run(args));
  }

  /**
   * Runs with the arguments of the command line.
   *
   * @return the exit status: 0, 1 where a measurement failed, 2 for wrong arguments
   */
  public static int run(String... args) {
    return new CommandLine(new BenchmarkMain())
        .setParameterExceptionHandler(
            (wrong, given) -> {
              System.err.println("jloss bench: " + wrong.getMessage());
              return 2;
            })
        .execute(args);
  }

  @Override
  public Integer call() throws Exception {
    if (threads < 0) {
      throw new CommandLine.ParameterException(
          command.commandLine(), "expected --threads of 1 or more, got " + threads);
    }
    if (needsProcess()) {
      return inProcess(command.commandLine().getParseResult().originalArgs());
    }
    final List<Workload> chosen = choose();
    if (json != null) {
      checkWritable(json);
    }
    // Another process may measure too; noise is then the user's to judge.
    System.setProperty("jmh.ignoreLock", "true");
    final List<Measurement> measured = new ArrayList<>();
    boolean failed = false;
    System.out.println(Table.HEADER);
    for (int i = 0; i < chosen.size(); i++) {
      final Workload workload = chosen.get(i);
      progress(String.format("%d of %d: %s", i + 1, chosen.size(), workload.key()));
      final Measurement measurement = measure(workload);
      progress("");
      if (measurement == null) {
        failed = true;
      } else {
        measured.add(measurement);
        System.out.println(Table.line(measurement));
      }
    }
    if (json != null) {
      write(measured);
    }
    return failed ? 1 : 0;
  }

  private List<Workload> choose() {
    final List<Workload> all = Workload.all();
    final Set<Workload> chosen = new LinkedHashSet<>();
    for (final String row : rows) {
      final List<Workload> found =
          all.stream().filter(w -> w.id().equals(row) || w.key().equals(row)).toList();
      if (found.isEmpty()) {
        throw new CommandLine.ParameterException(
            command.commandLine(),
            "there is no row '"
                + row
                + "'; there are "
                + all.stream().map(Workload::id).distinct().collect(Collectors.joining(", ")));
      }
      chosen.addAll(found);
    }
    return rows.isEmpty() ? all : List.copyOf(chosen);
  }

  private void checkWritable(Path file) {
    final Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file) || folder == null || !Files.isWritable(folder)) {
      throw new CommandLine.ParameterException(
          command.commandLine(), "cannot write to '" + file + "'");
    }
  }

  /** Measures one line in JVMs of its own; null where it failed, which is printed. */
  private Measurement measure(Workload workload) {
    final Options options =
        new OptionsBuilder()
            .include(PairBenchmark.class.getName() + ".inTurns")
            .param("row", workload.key())
            .param("threads", Integer.toString(threads))
            .forks(quick ? 1 : 2)
            .warmupIterations(quick ? 3 : 5)
            .warmupTime(TimeValue.milliseconds(quick ? 200 : 500))
            .measurementIterations(15)
            .measurementTime(TimeValue.milliseconds(quick ? 150 : 500))
            .jvmArgs(jvmArguments())
            .shouldFailOnError(true)
            .build();
    final ByteArrayOutputStream log = new ByteArrayOutputStream();
    final OutputFormat format =
        OutputFormatFactory.createFormatInstance(
            new PrintStream(log, true, StandardCharsets.UTF_8), VerboseMode.NORMAL);
    try {
      final List<Measurement.Round> rounds = new ArrayList<>();
      for (final RunResult result : new Runner(options, format).run()) {
        result
            .getBenchmarkResults()
            .forEach(fork -> fork.getIterationResults().forEach(i -> rounds.add(round(i))));
      }
      return Measurement.of(workload, rounds);
    } catch (RunnerException e) {
      System.err.println(log.toString(StandardCharsets.UTF_8));
      System.err.println("jloss bench: " + workload.key() + " failed: " + e.getMessage());
      return null;
    }
  }

  private static Measurement.Round round(IterationResult iteration) {
    return name -> iteration.getSecondaryResults().get(name).getScore();
  }

  private static String[] jvmArguments() {
    final List<String> arguments =
        new ArrayList<>(
            List.of(
                "-Xmx1g",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dorg.bytedeco.javacpp.maxBytes=0"));
    if (Runtime.version().feature() >= 24) {
      arguments.add("--enable-native-access=ALL-UNNAMED");
    }
    return arguments.toArray(String[]::new);
  }

  /** JMH's forks take the environment and the class path of this process: both must be fit. */
  private boolean needsProcess() {
    return SLOWING.stream().anyMatch(System.getenv()::containsKey)
        || (threads > 0 && !Integer.toString(threads).equals(System.getenv(BLAS_THREADS)))
        || System.getProperty("jdk.module.path") != null;
  }

  private int inProcess(List<String> args) throws IOException, InterruptedException {
    final String path =
        Stream.of("java.class.path", "jdk.module.path")
            .map(System::getProperty)
            .filter(Objects::nonNull)
            .filter(p -> !p.isEmpty())
            .collect(Collectors.joining(File.pathSeparator));
    final List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-cp", path, BenchmarkMain.class.getName()));
    line.addAll(args);
    final ProcessBuilder process = new ProcessBuilder(line).inheritIO();
    SLOWING.forEach(process.environment()::remove);
    if (threads > 0) {
      process.environment().put(BLAS_THREADS, Integer.toString(threads));
    }
    return process.start().waitFor();
  }

  private static void progress(String text) {
    if (System.console() != null) {
      System.err.print("\r\033[K" + text);
    }
  }

  private void write(List<Measurement> measured) throws IOException {
    final Map<String, Object> document = new LinkedHashMap<>();
    document.put("machine", machine());
    document.put("threads", threads > 0 ? threads : torch.get_num_threads());
    document.put("quick", quick);
    document.put("rows", measured);
    new ObjectMapper()
        .enable(SerializationFeature.INDENT_OUTPUT)
        .writeValue(json.toFile(), document);
  }

  private static Map<String, Object> machine() throws IOException {
    final Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("cpu", system("cpuinfo", "model name").orElse(System.getProperty("os.arch")));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    machine.put(
        "memory",
        system("meminfo", "memtotal")
            .map(
                kib ->
                    Math.round(Double.parseDouble(kib.replaceAll("\\D", "")) / (1 << 20)) + " GiB")
            .orElse("memory unknown"));
    machine.put("capability", NativeLibrary.cpuCapability());
    machine.put(
        "os",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version").replaceAll("-.*", ""));
    machine.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    machine.put("jloss", NativeLibrary.version());
    machine.put("libtorch", "2.10.0");
    return machine;
  }

  /** The first value of a key in a file of /proc, where there is one. */
  private static Optional<String> system(String file, String key) throws IOException {
    final Path path = Path.of("/proc", file);
    if (!Files.isReadable(path)) {
      return Optional.empty();
    }
    try (Stream<String> lines = Files.lines(path)) {
      return lines
          .filter(l -> l.toLowerCase(Locale.ROOT).startsWith(key))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst();
    }
  }
}
