package org.jloss.parity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What became of many reference cases, a row a loss; as a text, JSON or HTML.
 *
 * @param rows the rows, in the order in which their files came
 */
public record ParityReport(List<Row> rows) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MOST_FAILURES_SHOWN = 20;

  /** Makes the list unmodifiable. */
  public ParityReport {
    rows = List.copyOf(rows);
  }

  /**
   * The cases of one loss.
   *
   * @param id the loss
   * @param oracle what computed the cases
   * @param versions the versions of the libraries that did
   * @param results what became of each case
   */
  public record Row(
      String id, String oracle, Map<String, String> versions, List<CaseResult> results) {

    /** Makes the map and the list unmodifiable. */
    public Row {
      versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
      results = List.copyOf(results);
    }

    /** {@return whether all cases passed, and jloss is as accurate as PyTorch over them} */
    public boolean passed() {
      return failures().isEmpty() && errors().isAsAccurate();
    }

    /** {@return the cases that failed} */
    public List<CaseResult> failures() {
      return results.stream().filter(result -> !result.passed()).toList();
    }

    /** {@return the dtypes of the cases, narrow ones first} */
    public Collection<DType> dtypes() {
      return results.stream().map(CaseResult::dtype).collect(Collectors.toCollection(TreeSet::new));
    }

    /** {@return the largest differences of values and other outputs} */
    public Differences value() {
      return differences(output -> !isGradient(output));
    }

    /** {@return the largest differences of gradients, second ones too} */
    public Differences gradient() {
      return differences(Row::isGradient);
    }

    private static boolean isGradient(String output) {
      return output.startsWith(ReferenceCase.GRADIENT)
          || output.startsWith(ReferenceCase.SECOND_GRADIENT);
    }

    private Differences differences(Predicate<String> outputs) {
      return results.stream()
          .flatMap(result -> result.comparisons().stream())
          .filter(comparison -> outputs.test(comparison.output()))
          .map(
              comparison ->
                  new Differences(
                      1, comparison.maxAbsolute(), comparison.maxRelative(), comparison.maxUlp()))
          .reduce(Differences.NONE, Differences::and);
    }

    /** {@return the errors against float64 over the float32 cases} */
    public TruthErrors errors() {
      return results.stream()
          .filter(result -> result.dtype() == DType.F32)
          .map(CaseResult::errors)
          .reduce(TruthErrors.NONE, TruthErrors::and);
    }
  }

  /**
   * The largest differences over several results, as {@link Comparison} defines them.
   *
   * @param count the number of results
   * @param maxAbsolute the largest difference
   * @param maxRelative the largest difference as a part of the expected number
   * @param maxUlp the largest difference in ULP
   */
  public record Differences(long count, double maxAbsolute, double maxRelative, double maxUlp) {
    private static final Differences NONE = new Differences(0, 0, 0, 0);

    private Differences and(Differences other) {
      return new Differences(
          count + other.count,
          Math.max(maxAbsolute, other.maxAbsolute),
          Math.max(maxRelative, other.maxRelative),
          Math.max(maxUlp, other.maxUlp));
    }
  }

  /**
   * {@return the report on all cases of these files}
   *
   * @param files the files; those of one loss share a row
   * @param evaluator the implementation under test
   */
  public static ParityReport run(Iterable<ReferenceFile> files, Evaluator evaluator) {
    return run(files, evaluator, result -> {});
  }

  /**
   * {@return the report on all cases of these files}
   *
   * @param files the files; those of one loss share a row
   * @param evaluator the implementation under test
   * @param progress is told of each case as it is done
   */
  public static ParityReport run(
      Iterable<ReferenceFile> files, Evaluator evaluator, Consumer<CaseResult> progress) {
    final Map<String, Row> rows = new LinkedHashMap<>();
    for (final ReferenceFile file : files) {
      final List<CaseResult> results = new ArrayList<>();
      for (final ReferenceCase reference : file.cases()) {
        final CaseResult result = CaseResult.of(reference, evaluator);
        results.add(result);
        progress.accept(result);
      }
      final Row row = new Row(file.id(), file.oracle(), file.versions(), results);
      rows.merge(file.id(), row, ParityReport::join);
    }
    return new ParityReport(List.copyOf(rows.values()));
  }

  private static Row join(Row a, Row b) {
    final List<CaseResult> results = new ArrayList<>(a.results);
    results.addAll(b.results);
    return new Row(a.id, a.oracle, a.versions, results);
  }

  /** {@return the number of cases that passed} */
  public long passedCases() {
    return cases() - failedCases();
  }

  /** {@return the number of cases that failed} */
  public long failedCases() {
    return rows.stream().mapToLong(row -> row.failures().size()).sum();
  }

  /**
   * {@return the number of losses whose float32 results are farther from float64 than PyTorch's, by
   * {@link TruthErrors#isAsAccurate()}}
   */
  public long inaccurateLosses() {
    return rows.stream().filter(row -> !row.errors().isAsAccurate()).count();
  }

  private long cases() {
    return rows.stream().mapToLong(row -> row.results().size()).sum();
  }

  /** {@return whether there were cases and all rows passed} */
  public boolean passed() {
    return cases() > 0 && rows.stream().allMatch(Row::passed);
  }

  /**
   * Does nothing if there were cases and all rows passed; for tests.
   *
   * @throws AssertionError otherwise, with the report as its message
   */
  public void assertPassed() {
    if (!passed()) {
      throw new AssertionError(System.lineSeparator() + toText());
    }
  }

  /**
   * {@return the closing line, such as {@code 1200 passed, 0 failed}: cases; losses less accurate
   * than PyTorch count among the failed}
   */
  public String summary() {
    return passedCases() + " passed, " + failed() + " failed";
  }

  private long failed() {
    return failedCases() + inaccurateLosses();
  }

  /**
   * {@return a plain-text table, the failing cases with their reasons, and {@link #summary()} as
   * the last line}
   */
  public String toText() {
    return toText(Integer.MAX_VALUE);
  }

  /**
   * {@return the same, where a table wider than this comes in parts below one another, each with
   * the losses' names}
   *
   * @param width the most characters in a line of the table
   */
  public String toText(int width) {
    final List<String[]> table = new ArrayList<>();
    table.add(
        new String[] {
          "loss",
          "cases",
          "dtypes",
          "value abs",
          "rel",
          "ULP",
          "grad abs",
          "rel",
          "ULP",
          "error ULP",
          "PyTorch's",
          "result"
        });
    for (final Row row : rows) {
      final List<String> cells = new ArrayList<>();
      cells.add(row.id());
      cells.add(String.valueOf(row.results().size()));
      cells.add(dtypes(row));
      cells.addAll(cells(row.value()));
      cells.addAll(cells(row.gradient()));
      cells.add(error(row.errors(), row.errors().maxOfActual()));
      cells.add(error(row.errors(), row.errors().maxOfExpected()));
      cells.add(result(row));
      table.add(cells.toArray(String[]::new));
    }
    final StringBuilder text = new StringBuilder();
    final int[] widths = widths(table);
    for (int from = 1; from < widths.length; ) {
      final int to = fitting(widths, from, width);
      align(table, widths, from, to, text);
      from = to;
    }
    text.append(LEGEND);
    for (final Row row : rows) {
      appendFailures(row, text);
    }
    return text.append(summary()).append('\n').toString();
  }

  private static final String LEGEND =
      """
      abs, rel, ULP: from PyTorch, at most; abs is large where numbers are, rel and ULP where they are tiny.
      error ULP, PyTorch's: of jloss and of PyTorch against float64.
      """;

  /** Where the columns that belong together begin: value, gradient, error, result. */
  private static final List<Integer> GROUPS = List.of(1, 3, 6, 9, 11, 12);

  /** Up to which column a part goes that begins with this one: whole groups, at least one. */
  private static int fitting(int[] widths, int from, int width) {
    int best = from;
    for (final int to : GROUPS) {
      if (to > from) {
        final int taken = widths[0] + IntStream.range(from, to).map(i -> widths[i] + 2).sum();
        best = best == from || taken <= width ? to : best;
      }
    }
    return best;
  }

  private static int[] widths(List<String[]> table) {
    final int[] widths = new int[table.get(0).length];
    for (final String[] cells : table) {
      for (int i = 0; i < cells.length; i++) {
        widths[i] = Math.max(widths[i], cells[i].length());
      }
    }
    return widths;
  }

  /** The first column, and those between. */
  private static void align(
      List<String[]> table, int[] widths, int from, int to, StringBuilder text) {
    for (final String[] cells : table) {
      final StringBuilder line = new StringBuilder(pad(cells[0], -widths[0]));
      for (int i = from; i < to; i++) {
        final boolean isText = i == 2 || i == cells.length - 1;
        line.append("  ").append(pad(cells[i], isText ? -widths[i] : widths[i]));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
  }

  private static String pad(String text, int width) {
    return String.format("%" + width + "s", text);
  }

  private static String result(Row row) {
    final int failed = row.failures().size();
    return failed > 0 ? failed + " FAILED" : row.passed() ? "pass" : "INACCURATE";
  }

  private static void appendFailures(Row row, StringBuilder text) {
    if (!row.errors().isAsAccurate()) {
      text.append("INACCURATE ").append(row.id()).append(": ").append(row.errors()).append('\n');
    }
    int shown = 0;
    for (final CaseResult result : row.failures()) {
      if (shown++ == MOST_FAILURES_SHOWN) {
        text.append("FAILED ")
            .append(row.id())
            .append(": and ")
            .append(row.failures().size() - MOST_FAILURES_SHOWN)
            .append(" cases more\n");
        return;
      }
      text.append("FAILED ")
          .append(row.id())
          .append(' ')
          .append(result.key())
          .append(" (")
          .append(result.file())
          .append(")\n");
      for (final String reason : result.reasons()) {
        text.append("    ").append(reason).append('\n');
      }
    }
  }

  static String dtypes(Row row) {
    return row.dtypes().stream()
        .map(dtype -> dtype.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(" "));
  }

  static List<String> cells(Differences differences) {
    if (differences.count() == 0) {
      return List.of("-", "-", "-");
    }
    return List.of(
        number(differences.maxAbsolute()),
        number(differences.maxRelative()),
        number(differences.maxUlp()));
  }

  static String error(TruthErrors errors, double error) {
    return errors.count() == 0 ? "-" : number(error);
  }

  /** A number in few characters. */
  static String number(double x) {
    if (x == 0) {
      return "0";
    }
    if (Double.isInfinite(x)) {
      return "inf";
    }
    return String.format(Locale.ROOT, x >= 0.01 && x < 1000 ? "%.2f" : "%.1e", x);
  }

  /**
   * {@return the report as JSON} Numbers that JSON does not know are the texts {@code "inf"} and
   * {@code "nan"}. The fields:
   *
   * <pre>{@code
   * passed, failed     the numbers of the closing line, see {@link #summary()}
   * losses             a list, one entry a loss:
   *   id, oracle       the loss and what computed its cases
   *   versions         of the libraries that did, by name
   *   cases, failed    the number of cases, and of those that failed
   *   passed           whether all passed and errors.as_accurate
   *   dtypes           a list of names such as "float32"
   *   value, gradient  the largest differences, or null where there is nothing to compare:
   *     max_abs        the difference
   *     max_rel        as a part of the expected number
   *     max_ulp        in ULP of the result's largest element
   *   errors           against float64 over the float32 cases, in the same ULP, or null:
   *     count          the number of elements
   *     max, rms                 jloss's largest and root mean square error
   *     reference_max, reference_rms    PyTorch's
   *     as_accurate    whether jloss's are at most PyTorch's plus 1
   *   results          a list, one entry a case:
   *     name, dtype, file, passed
   *     reasons        a list of texts, why it failed
   *     comparisons    a list: output, passed, max_abs, max_rel, max_ulp, worst_index
   * }</pre>
   */
  public String toJson() {
    final ObjectNode root = JSON.createObjectNode();
    root.put("passed", passedCases());
    root.put("failed", failed());
    final ArrayNode losses = root.putArray("losses");
    rows.forEach(row -> addRow(row, losses.addObject()));
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void addRow(Row row, ObjectNode node) {
    node.put("id", row.id());
    node.put("oracle", row.oracle());
    final ObjectNode versions = node.putObject("versions");
    row.versions().forEach(versions::put);
    node.put("cases", row.results().size());
    node.put("failed", row.failures().size());
    node.put("passed", row.passed());
    final ArrayNode dtypes = node.putArray("dtypes");
    row.dtypes().forEach(dtype -> dtypes.add(dtype.torchName()));
    addDifferences(row.value(), node, "value");
    addDifferences(row.gradient(), node, "gradient");
    addErrors(row.errors(), node);
    final ArrayNode results = node.putArray("results");
    row.results().forEach(result -> addResult(result, results.addObject()));
  }

  private static void addDifferences(Differences differences, ObjectNode node, String name) {
    if (differences.count() == 0) {
      node.putNull(name);
      return;
    }
    final ObjectNode fields = node.putObject(name);
    put(fields, "max_abs", differences.maxAbsolute());
    put(fields, "max_rel", differences.maxRelative());
    put(fields, "max_ulp", differences.maxUlp());
  }

  private static void addErrors(TruthErrors errors, ObjectNode node) {
    if (errors.count() == 0) {
      node.putNull("errors");
      return;
    }
    final ObjectNode fields = node.putObject("errors");
    fields.put("count", errors.count());
    put(fields, "max", errors.maxOfActual());
    put(fields, "rms", errors.rmsOfActual());
    put(fields, "reference_max", errors.maxOfExpected());
    put(fields, "reference_rms", errors.rmsOfExpected());
    fields.put("as_accurate", errors.isAsAccurate());
  }

  private static void addResult(CaseResult result, ObjectNode node) {
    node.put("name", result.name());
    node.put("dtype", result.dtype().torchName());
    node.put("file", result.file().toString());
    node.put("passed", result.passed());
    final ArrayNode reasons = node.putArray("reasons");
    result.reasons().forEach(reasons::add);
    final ArrayNode comparisons = node.putArray("comparisons");
    for (final Comparison comparison : result.comparisons()) {
      final ObjectNode fields = comparisons.addObject();
      fields.put("output", comparison.output());
      fields.put("passed", comparison.passed());
      put(fields, "max_abs", comparison.maxAbsolute());
      put(fields, "max_rel", comparison.maxRelative());
      put(fields, "max_ulp", comparison.maxUlp());
      final ArrayNode index = fields.putArray("worst_index");
      comparison.worstIndex().forEach(index::add);
    }
  }

  private static void put(ObjectNode node, String name, double value) {
    if (Double.isNaN(value)) {
      node.put(name, "nan");
    } else if (Double.isInfinite(value)) {
      node.put(name, value > 0 ? "inf" : "-inf");
    } else {
      node.put(name, value);
    }
  }

  /**
   * {@return the report as an HTML page that needs nothing else, no script either}
   *
   * @param svgById a picture, an {@code <svg>} element, by the id of its loss; it is put into the
   *     page as it is, so it must come from a source to be trusted
   */
  public String toHtml(Map<String, String> svgById) {
    return new HtmlReport(this, svgById).page();
  }
}
