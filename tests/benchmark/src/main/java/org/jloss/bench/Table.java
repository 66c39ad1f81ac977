package org.jloss.bench;

import java.util.Locale;

/** The table that is printed. */
final class Table {
  static final String HEADER =
      String.format(
          "%-22s %-28s %10s %10s %10s   %7s %7s   %6s %6s %6s",
          "loss",
          "shape",
          "fused us",
          "autogr us",
          "compos us",
          "c/fused",
          "c/autogr",
          "peak f",
          "peak a",
          "peak c");

  private Table() {}

  static String line(Measurement m) {
    return String.format(
        Locale.ROOT,
        "%-22s %-28s %10.1f %10.1f %10.1f   %7.2f %7.2f   %6.2f %6.2f %6.2f",
        m.id(),
        m.shape(),
        m.microseconds().get("fused"),
        m.microseconds().get("autograd"),
        m.microseconds().get("composed"),
        m.ratios().get("composed/fused").median(),
        m.ratios().get("composed/autograd").median(),
        peak(m, "fused"),
        peak(m, "autograd"),
        peak(m, "composed"));
  }

  private static double peak(Measurement m, String way) {
    return (double) m.peakBytes().get(way) / m.gradientBytes();
  }
}
