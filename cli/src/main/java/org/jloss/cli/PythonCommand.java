package org.jloss.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Stack;
import java.util.concurrent.Callable;
import org.jloss.python.Python;
import org.jloss.python.PythonBridge;
import org.jloss.python.PythonOptions;
import org.jloss.python.PythonTimeoutException;
import org.jloss.python.PythonWorkerException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs a Python script in the JVM. */
@Command(
    name = "python",
    customSynopsis =
        "jloss python [--read FOLDER]... [--write FOLDER]... [--time-limit SECONDS] [--isolated]%n"
            + "             [--verbose] (FILE | - | -m MODULE | -c CODE) [ARG...]",
    description = {
      "Runs a Python script, with the package jloss, in the JVM.",
      "It can read the folder that it is in (a module, a text and the standard input: the current"
          + " one), and nothing else unless that is opened here. The exit status is the script's own;"
          + " 124 where the time limit was over."
    })
final class PythonCommand implements Callable<Integer> {
  /** As timeout(1) has it. */
  private static final int TIME_IS_OVER = 124;

  @Option(
      names = "--read",
      paramLabel = "FOLDER",
      description = "Let the script read this folder; may be repeated.")
  private List<Path> readable = List.of();

  @Option(
      names = "--write",
      paramLabel = "FOLDER",
      description = "Let the script read and write this folder; may be repeated.")
  private List<Path> writable = List.of();

  @Option(
      names = "--time-limit",
      paramLabel = "SECONDS",
      description = "End the script after so long, from its first line on, imports included.")
  private double timeLimit;

  @Option(
      names = "--isolated",
      description = "Run it in a process of its own, with limited memory: for what is not trusted.")
  private boolean isolated;

  @Option(names = "--verbose", description = "Say whether Python is compiled or interpreted.")
  private boolean verbose;

  @Option(
      names = "-m",
      paramLabel = "MODULE",
      preprocessor = Rest.class,
      description = "Run this module; what follows is its own.")
  private @Nullable String module;

  @Option(
      names = "-c",
      paramLabel = "CODE",
      preprocessor = Rest.class,
      description = "Run this text; what follows is its own.")
  private @Nullable String code;

  @Parameters(
      paramLabel = "ARG",
      arity = "0..*",
      description = "The script, or - for the standard input; then what it finds in sys.argv.")
  private List<String> arguments = List.of();

  @Spec private CommandSpec spec;

  /** What follows -m and -c with its value belongs to the script, options too. */
  static final class Rest implements CommandLine.IParameterPreprocessor {
    @Override
    public boolean preprocess(
        Stack<String> args, CommandSpec command, ArgSpec arg, Map<String, Object> info) {
      if (!args.isEmpty()) {
        final String value = args.pop();
        args.push("--");
        args.push(value);
      }
      return false;
    }
  }

  @Override
  public Integer call() throws IOException {
    if (module != null && code != null) {
      throw new Refusal("-m and -c cannot be given together");
    }
    if (Double.isNaN(timeLimit) || timeLimit < 0) {
      throw new Refusal("expected a time limit > 0, got " + timeLimit);
    }
    if (verbose) {
      System.err.printf(
          "jloss: Python is %s, on Java %d%n",
          PythonBridge.isCompiled()
              ? "compiled as it runs, by Graal's compiler"
              : "interpreted: ./jloss compiles it on JDK 25 where JLOSS_INTERPRETED is not set",
          Runtime.version().feature());
    }
    final boolean hasFile = module == null && code == null;
    if (hasFile && arguments.isEmpty()) {
      throw new Refusal("expected a script, -, -m MODULE or -c CODE (see jloss python --help)");
    }
    final String name = hasFile ? arguments.get(0) : "-c";
    final List<String> rest = hasFile ? arguments.subList(1, arguments.size()) : arguments;
    final boolean isFile = hasFile && !name.equals("-");
    if (isFile && !Files.exists(Path.of(name))) {
      throw new NoSuchFileException(name);
    }
    if (isFile && !Files.isRegularFile(Path.of(name))) {
      throw new Refusal(name + ": is not a regular file");
    }
    final String text =
        code != null
            ? code + "\n"
            : isFile || module != null
                ? ""
                : new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    final Path file = Path.of(isFile ? name : "-").toAbsolutePath();
    final Path folder = Objects.requireNonNullElse(file.getParent(), file);
    Thread ending = null;
    try (Python python = start(folder)) {
      // Of what ends the JVM while a script runs: its streams are flushed first.
      ending = new Thread(() -> python.interrupt(Duration.ofSeconds(2)));
      Runtime.getRuntime().addShutdownHook(ending);
      return module != null
          ? python.runModule(module, rest)
          : isFile ? python.runScript(Path.of(name), rest) : python.runScript(name, text, rest);
    } catch (PythonTimeoutException e) {
      return tell(e, TIME_IS_OVER);
    } catch (PythonWorkerException e) {
      return tell(e, 1);
    } finally {
      forget(ending);
    }
  }

  private Python start(Path folder) {
    if (isolated) {
      return open(PythonBridge.isolated(), folder).build();
    }
    return open(PythonBridge.builder().keyboardInterrupt(), folder).build();
  }

  private <B extends PythonOptions<B>> B open(B builder, Path folder) {
    builder
        .readFolder(folder)
        .openingHint(
            "It lies outside the folders that are open to this script: --read FOLDER and --write"
                + " FOLDER, before the script's name, open more.")
        .stdin(System.in)
        // Unlike System.out these tell the script that nobody reads any more.
        .stdout(new FileOutputStream(FileDescriptor.out))
        .stderr(new FileOutputStream(FileDescriptor.err));
    readable.forEach(builder::readFolder);
    writable.forEach(builder::writeFolder);
    if (timeLimit > 0) {
      builder.timeLimit(Duration.ofNanos((long) Math.min(timeLimit * 1e9, Long.MAX_VALUE / 2)));
    }
    return builder;
  }

  private static void forget(@Nullable Thread hook) {
    if (hook != null) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // It runs.
      }
    }
  }

  private int tell(RuntimeException e, int status) {
    final CommandLine command = spec.commandLine();
    command.getErr().println(spec.qualifiedName() + ": " + e.getMessage());
    return status;
  }
}
