package org.jloss.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jloss.Loss;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Draws a loss. */
@Command(name = "plot", description = "Draws a loss and its gradient.")
final class PlotCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "ID", description = "The loss, as jloss list names it.")
  private String id = "";

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description = "A parameter; may be repeated. Lists as 1,2,3; none where it may be left out.")
  private Map<String, String> settings = Map.of();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description = "The picture, a .png or .svg file; default: ID.png.")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    final Path file = out == null ? Path.of(id + ".png") : out;
    final String suffix = TensorFiles.suffix(file);
    if (!suffix.equals(".png") && !suffix.equals(".svg")) {
      throw new Refusal(file + ": expected a name that ends in .png or .svg");
    }
    if (!(Values.system(id, settings) instanceof Loss loss)) {
      throw new Refusal(id + " is no loss: it has no curve");
    }
    final Picture picture = Picture.of(loss);
    TensorFiles.makeFolderOf(file);
    if (suffix.equals(".png")) {
      Files.write(file, picture.png());
    } else {
      Files.writeString(file, picture.svg());
    }
    spec.commandLine().getOut().println(file);
    return Main.HELD;
  }
}
