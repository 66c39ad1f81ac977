package org.jloss.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jloss.Losses;
import org.jloss.parity.LossEvaluator;
import org.jloss.parity.ParityReport;
import org.jloss.parity.ReferenceFile;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares with reference outputs. */
@Command(
    name = "verify",
    description = "Compares values and gradients with reference outputs of PyTorch.")
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "PATH",
      arity = "0..*",
      description =
          "Files of reference cases, or folders of them; default: tests/reference/data of this"
              + " checkout.")
  private List<Path> paths = List.of();

  @Option(
      names = "--loss",
      paramLabel = "ID",
      description = "Only the cases of this loss; may be repeated.")
  private List<String> losses = List.of();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description =
          "Write a report with a picture of each loss; default: target/parity.html of this"
              + " checkout where no PATH is given.")
  private @Nullable Path html;

  @Option(names = "--json", description = "Print JSON instead of the table (see docs/cli.md).")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    final PrintWriter out = spec.commandLine().getOut();
    final boolean isDefault = paths.isEmpty();
    final List<ReferenceFile> files =
        read(isDefault ? List.of(checkout("tests/reference/data")) : paths);
    final ParityReport report = run(files);

    final String text = report.toText(Integer.getInteger("jloss.columns", Integer.MAX_VALUE));
    final int summary = text.length() - report.summary().length() - 1;
    out.print(json ? report.toJson() : text.substring(0, summary));
    out.flush();
    if (html != null) {
      writeHtml(report, html);
    } else if (isDefault && losses.isEmpty()) {
      writeDefaultHtml(report);
    }
    if (!json) {
      out.print(text.substring(summary));
    }
    return report.passed() ? Main.HELD : Main.FAILED;
  }

  /** All files before the first case: a broken one is not found after minutes. */
  private List<ReferenceFile> read(List<Path> where) throws IOException {
    final List<ReferenceFile> files = new ArrayList<>();
    final TreeSet<String> missing = new TreeSet<>(losses);
    for (final Path path : TensorFiles.find(where)) {
      final ReferenceFile file = ReferenceFile.read(path);
      if (Losses.all().stream().noneMatch(spec -> spec.id().equals(file.id()))) {
        throw new Refusal(path + ": there is no loss '" + file.id() + "' (see jloss list)");
      }
      if (losses.isEmpty() || losses.contains(file.id())) {
        files.add(file);
        missing.remove(file.id());
      }
    }
    if (!missing.isEmpty()) {
      throw new Refusal("there are no reference cases of " + String.join(", ", missing));
    }
    return files;
  }

  private static ParityReport run(List<ReferenceFile> files) {
    final long cases = files.stream().mapToLong(file -> file.cases().size()).sum();
    try (Progress progress = new Progress("verify", cases)) {
      return ParityReport.run(files, new LossEvaluator(), result -> progress.step(result.id()));
    }
  }

  private void writeHtml(ParityReport report, Path file) throws IOException {
    final Map<String, String> pictures = new HashMap<>();
    try (Progress progress = new Progress("pictures", report.rows().size())) {
      for (final ParityReport.Row row : report.rows()) {
        final String svg = Picture.svgOrNull(row.id());
        if (svg != null) {
          pictures.put(row.id(), svg);
        }
        progress.step(row.id());
      }
    }
    TensorFiles.makeFolderOf(file);
    Files.writeString(file, report.toHtml(pictures));
    if (!json) {
      spec.commandLine().getOut().println("report: " + file);
    }
  }

  /** Nobody asked for it: a checkout that cannot be written to is no failure. */
  private void writeDefaultHtml(ParityReport report) {
    try {
      writeHtml(report, checkout("target/parity.html"));
    } catch (IOException e) {
      spec.commandLine()
          .getErr()
          .println("jloss verify: no report was written: " + Errors.describe(e));
    }
  }

  private static Path checkout(String path) {
    final String home = System.getProperty("jloss.home");
    if (home == null) {
      throw new Refusal("expected a PATH, as jloss does not run from a checkout");
    }
    final Path absolute = Path.of(home, path);
    // Short where one stands in the checkout, as in what the user types next.
    final Path here = Path.of("").toAbsolutePath();
    return absolute.startsWith(here) ? here.relativize(absolute) : absolute;
  }
}
