package org.jloss.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes the pictures fit for a page that holds many. */
final class Svg {
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]+\\.[0-9]+");
  private static final Pattern LINE =
      Pattern.compile(
          "<line style=\"([^\"]*)\" x1=\"([^\"]*)\" x2=\"([^\"]*)\" y1=\"([^\"]*)\""
              + " y2=\"([^\"]*)\"/>");

  private Svg() {}

  /**
   * The same picture as an element of a page, in a tenth of the text: the chart writes each step of
   * a curve as a line of its own, and more digits than can be seen.
   *
   * @param document an SVG file
   * @param prefix for ids, as no two pictures of a page may have the same
   */
  static String compact(String document, String prefix) {
    final String element =
        document.substring(document.indexOf("<svg")).replaceAll("(id=\"|#)clip", "$1" + prefix);
    final String rounded =
        NUMBER
            .matcher(element)
            .replaceAll(n -> Values.text(Math.rint(Double.parseDouble(n.group()) * 10) / 10 + 0.0));
    final StringBuilder result = new StringBuilder();
    String style = "";
    String end = "";
    for (final String line : rounded.split("\\s*\n\\s*")) {
      final Matcher step = LINE.matcher(line);
      final boolean isStep = step.matches();
      final String from = isStep ? step.group(2) + "," + step.group(4) : "";
      if (!style.isEmpty() && !(isStep && step.group(1).equals(style) && from.equals(end))) {
        result.append("\"/>\n");
        style = "";
      }
      if (!isStep) {
        result.append(line).append('\n');
        continue;
      }
      if (style.isEmpty()) {
        style = step.group(1);
        result.append("<polyline style=\"").append(style).append("\" points=\"").append(from);
      }
      end = step.group(3) + "," + step.group(5);
      result.append(' ').append(end);
    }
    return result.toString();
  }
}
