package org.jloss.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jloss.python.PythonBridge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a Python script in the JVM. */
@Command(
    name = "python",
    description = {
      "Runs a Python script, with the package jloss, in the JVM.",
      "It can read the folder that it is in, and nothing else unless that is opened here. The exit"
          + " status is the script's own."
    })
final class PythonCommand implements Callable<Integer> {
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

  @Parameters(index = "0", paramLabel = "FILE", description = "The script.")
  private Path file = Path.of("");

  @Parameters(
      index = "1..*",
      paramLabel = "ARG",
      arity = "0..*",
      description = "What the script finds in sys.argv.")
  private List<String> arguments = List.of();

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new Refusal(file + ": is not a regular file");
    }
    final PythonBridge.Builder builder =
        PythonBridge.builder()
            .stdin(System.in)
            .readFolder(file.toAbsolutePath().resolveSibling(""));
    readable.forEach(builder::readFolder);
    writable.forEach(builder::writeFolder);
    try (PythonBridge python = builder.build()) {
      return python.runScript(file, arguments);
    }
  }
}
