package org.jloss.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line. */
@Command(
    name = "jloss",
    description = "Loss functions for the JVM, verified against PyTorch.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    scope = ScopeType.INHERIT,
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:all that was asked for held",
      "1:a verification failed",
      "2:a wrong argument, or a missing or broken file",
      "3:an error of jloss itself"
    },
    subcommands = {
      VerifyCommand.class,
      ListCommand.class,
      EvalCommand.class,
      PlotCommand.class,
      PythonCommand.class,
      BenchCommand.class
    })
public final class Main implements Callable<Integer> {
  /** All that was asked for held. */
  static final int HELD = 0;

  /** A verification failed. */
  static final int FAILED = 1;

  /** A wrong argument, or a missing or broken file. */
  static final int REFUSED = 2;

  /** An error of jloss itself. */
  static final int BUG = 3;

  @Spec private CommandSpec spec;

  Main() {}

  /** Runs the command and ends the virtual machine with its exit status. */
  public static void main(String[] args) {
    System.setProperty("java.awt.headless", "true");
    final PrintWriter out = writer(FileDescriptor.out);
    final PrintWriter err = writer(FileDescriptor.err);
    int status = run(out, err, args);
    if (out.checkError() && status == HELD) {
      // Of a pipe too: whoever reads from it has not seen all.
      err.println("jloss: standard output could not be written");
      err.flush();
      status = REFUSED;
    }
    System.exit(status);
  }

  /** JSON is UTF-8 whatever the locale, and so is the rest. */
  private static PrintWriter writer(FileDescriptor file) {
    return new PrintWriter(
        new OutputStreamWriter(new FileOutputStream(file), StandardCharsets.UTF_8), false);
  }

  /** Runs the command; the exit status is the result. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    final CommandLine main =
        new CommandLine(new Main())
            .setOut(out)
            .setErr(err)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler((e, arguments) -> Errors.report(e.getCommandLine(), e))
            .setExecutionExceptionHandler((e, command, result) -> Errors.report(command, e));
    // What follows the script belongs to the script.
    subcommand(main, "python").setStopAtPositional(true);
    subcommand(main, "bench")
        .setStopAtPositional(true)
        .setUnmatchedOptionsArePositionalParams(true);
    try {
      return main.execute(args);
    } catch (Error e) {
      // Of memory, of linking, of fonts: at this end of the program a line as well.
      return Errors.report(main, e);
    } finally {
      out.flush();
      err.flush();
    }
  }

  private static CommandLine subcommand(CommandLine main, String name) {
    return Objects.requireNonNull(main.getSubcommands().get(name), name);
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return REFUSED;
  }
}
