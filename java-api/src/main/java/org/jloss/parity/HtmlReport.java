package org.jloss.parity;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The HTML form of a parity report. */
final class HtmlReport {
  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy"
            content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>jloss: parity with PyTorch</title>
      <style>
      :root { color-scheme: light dark;
        --ink: #1c2430; --quiet: #667085; --line: #e3e7ee; --page: #ffffff; --band: #f6f8fb;
        --good: #12805c; --bad: #c0362c; --bad-page: #fdf1ef; }
      @media (prefers-color-scheme: dark) { :root {
        --ink: #e6eaf1; --quiet: #98a2b3; --line: #2c3543; --page: #12161c; --band: #1a2029;
        --good: #4fc99a; --bad: #ff8a7d; --bad-page: #2a1a1a; } }
      * { box-sizing: border-box; }
      body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 88rem; color: var(--ink);
        background: var(--page); font: 15px/1.5 system-ui, "Segoe UI", Helvetica, sans-serif; }
      h1 { margin: 0; font-size: 1.7rem; letter-spacing: -0.01em; }
      .lead { margin: .3rem 0 1.5rem; color: var(--quiet); }
      .figures { display: flex; flex-wrap: wrap; gap: .75rem; margin-bottom: 1.75rem; }
      .figure { min-width: 8rem; padding: .7rem 1rem; border: 1px solid var(--line);
        border-radius: .6rem; background: var(--band); color: var(--quiet); }
      .figure b { display: block; font-size: 1.6rem; line-height: 1.2; color: var(--ink);
        font-variant-numeric: tabular-nums; }
      .figure.good b, .good { color: var(--good); }
      .figure.bad b, .bad { color: var(--bad); }
      .scroll { overflow-x: auto; }
      table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
      th { padding: .35rem .6rem; color: var(--quiet); font-weight: 600; font-size: .82rem;
        text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
      th.group { text-align: center; }
      td { padding: .55rem .6rem; text-align: right; white-space: nowrap;
        border-bottom: 1px solid var(--line); }
      tbody tr:hover > td { background: var(--band); }
      th.text, td.text { text-align: left; }
      td.first, th.first { border-left: 1px solid var(--line); }
      td a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
      .gallery { display: grid; gap: 1.5rem; margin-top: 2rem;
        grid-template-columns: repeat(auto-fill, minmax(min(36rem, 100%), 1fr)); }
      figure { margin: 0; padding: .5rem; border: 1px solid var(--line); border-radius: .6rem;
        background: #ffffff; break-inside: avoid; }
      figure:target { border-color: var(--good); }
      figure svg { display: block; width: 100%; height: auto; }
      code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
      .oracle { display: block; max-width: 17rem; overflow: hidden; text-overflow: ellipsis;
        color: var(--quiet); font-size: .82rem; }
      tr.failures > td { padding: .4rem .8rem .9rem; text-align: left; white-space: normal;
        background: var(--bad-page); }
      tr.failures:hover > td { background: var(--bad-page); }
      summary { cursor: pointer; color: var(--bad); }
      ul { margin: .4rem 0 0; padding-left: 1.2rem; }
      li { margin: .25rem 0; overflow-wrap: anywhere; }
      .notes { margin-top: 2rem; max-width: 48rem; color: var(--quiet); font-size: .88rem; }
      @media print { body { padding: 0; max-width: none; } .scroll { overflow: visible; } }
      </style>
      </head>
      <body>
      """;

  private static final String TABLE_HEAD =
      """
      <div class="scroll">
      <table>
      <thead>
      <tr><th class="text" colspan="3" scope="colgroup"></th>
      <th class="group first" colspan="3" scope="colgroup">value</th>
      <th class="group first" colspan="3" scope="colgroup">gradient</th>
      <th class="group first" colspan="2" scope="colgroup">error, float32</th>
      <th class="first"></th></tr>
      <tr><th class="text" scope="col">loss</th><th scope="col">cases</th>
      <th class="text" scope="col">dtypes</th>
      <th class="first" scope="col">abs</th><th scope="col">rel</th><th scope="col">ULP</th>
      <th class="first" scope="col">abs</th><th scope="col">rel</th><th scope="col">ULP</th>
      <th class="first" scope="col">jloss</th><th scope="col">PyTorch</th>
      <th class="first text" scope="col">result</th></tr>
      </thead>
      """;

  private static final String NOTES =
      """
      </table>
      </div>
      <p class="notes">Largest differences over a loss's cases: absolute, as a part of the expected
      number, and in units in the last place (ULP) of the result's largest element. Error: the
      largest distance of a float32 result from the float64 result of the same inputs, in the same
      unit, for jloss and for PyTorch; jloss passes with at most 1 more, in the root mean square too.</p>
      """;

  private final ParityReport report;
  private final Map<String, String> svgById;
  private final StringBuilder html = new StringBuilder(HEAD);

  HtmlReport(ParityReport report, Map<String, String> svgById) {
    this.report = report;
    this.svgById = svgById;
  }

  String page() {
    html.append("<h1>Parity with PyTorch</h1>\n<p class=\"lead\">")
        .append("Value and gradients of every loss, compared with reference outputs of ")
        .append(escape(versions()))
        .append(".</p>\n<div class=\"figures\">\n");
    figure(report.rows().size(), "losses", "");
    figure(report.passedCases(), "cases passed", "good");
    figure(report.failedCases(), "cases failed", report.failedCases() == 0 ? "" : "bad");
    if (report.inaccurateLosses() > 0) {
      figure(report.inaccurateLosses(), "less accurate than PyTorch", "bad");
    }
    html.append("</div>\n");
    html.append(TABLE_HEAD).append("<tbody>\n");
    report.rows().forEach(this::row);
    html.append("</tbody>\n").append(NOTES);
    html.append("<p><b>").append(report.summary()).append("</b></p>\n");
    html.append("<div class=\"gallery\">\n");
    report.rows().forEach(this::picture);
    return html.append("</div>\n</body>\n</html>\n").toString();
  }

  private void picture(ParityReport.Row row) {
    final String svg = svgById.get(row.id());
    if (svg != null) {
      html.append("<figure id=\"")
          .append(escape(row.id()))
          .append("\">")
          .append(svg)
          .append("</figure>\n");
    }
  }

  private String versions() {
    final String versions =
        report.rows().stream()
            .flatMap(row -> row.versions().entrySet().stream())
            .map(version -> version.getKey() + " " + version.getValue())
            .distinct()
            .sorted()
            .collect(Collectors.joining(", "));
    return versions.isEmpty() ? "PyTorch" : versions;
  }

  private void figure(long number, String caption, String kind) {
    html.append("<div class=\"figure ")
        .append(kind)
        .append("\"><b>")
        .append(number)
        .append("</b>")
        .append(caption)
        .append("</div>\n");
  }

  private void row(ParityReport.Row row) {
    html.append("<tr>");
    final String id = escape(row.id());
    cell(
        "text",
        "<code>"
            + (svgById.containsKey(row.id()) ? "<a href=\"#" + id + "\">" + id + "</a>" : id)
            + "</code><span class=\"oracle\" title=\""
            + escape(row.oracle())
            + "\">"
            + escape(row.oracle())
            + "</span>");
    cell("", String.valueOf(row.results().size()));
    cell("text", ParityReport.dtypes(row));
    numbers(ParityReport.cells(row.value()));
    numbers(ParityReport.cells(row.gradient()));
    final TruthErrors errors = row.errors();
    cell(
        errors.isAsAccurate() ? "first" : "first bad",
        ParityReport.error(errors, errors.maxOfActual()));
    cell("", ParityReport.error(errors, errors.maxOfExpected()));
    final List<CaseResult> failures = row.failures();
    cell(
        "first text",
        row.passed()
            ? "<span class=\"good\">✓ pass</span>"
            : "<b class=\"bad\">✗ "
                + (failures.isEmpty() ? "less accurate" : failures.size() + " failed")
                + "</b>");
    html.append("</tr>\n");
    if (!failures.isEmpty()) {
      failures(failures);
    }
  }

  private void numbers(List<String> numbers) {
    for (int i = 0; i < numbers.size(); i++) {
      cell(i == 0 ? "first" : "", numbers.get(i));
    }
  }

  private void cell(String kind, String content) {
    html.append(kind.isEmpty() ? "<td>" : "<td class=\"" + kind + "\">")
        .append(content)
        .append("</td>");
  }

  private void failures(List<CaseResult> failures) {
    html.append("<tr class=\"failures\"><td colspan=\"12\"><details")
        .append(failures.size() <= 5 ? " open" : "")
        .append("><summary>")
        .append(failures.size())
        .append(failures.size() == 1 ? " failing case" : " failing cases")
        .append("</summary>\n<ul>\n");
    for (final CaseResult result : failures) {
      final String reasons =
          result.reasons().stream().map(HtmlReport::escape).collect(Collectors.joining("<br>"));
      html.append("<li><code>")
          .append(escape(result.key()))
          .append("</code><br>")
          .append(reasons)
          .append("</li>\n");
    }
    html.append("</ul></details></td></tr>\n");
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
