package org.jloss.parity;

import java.io.IOException;
import java.nio.file.Path;

/** A file that cannot be read: damaged, unsafe, or of a kind that jloss does not read. */
public final class BrokenFileException extends IOException {
  private static final long serialVersionUID = 1;
  private static final int LONGEST_NAME = 80;

  private final String problem;

  /**
   * Makes the exception whose message is one line, {@code file: problem}.
   *
   * @param file the file
   * @param problem what is wrong with it
   */
  public BrokenFileException(Path file, String problem) {
    super(file + ": " + problem);
    this.problem = problem;
  }

  /** What is wrong, without the file's name. */
  String problem() {
    return problem;
  }

  /** A name out of an untrusted file, fit for one line of a terminal. */
  static String quote(String name) {
    final StringBuilder text = new StringBuilder("'");
    name.codePoints()
        .limit(LONGEST_NAME)
        .forEach(
            c -> {
              if (isPrintable(c)) {
                text.appendCodePoint(c);
              } else {
                text.append(String.format("\\u%04x", c));
              }
            });
    return text.append(name.codePointCount(0, name.length()) > LONGEST_NAME ? "...'" : "'")
        .toString();
  }

  /** Whether a name can be shown as it is. */
  static boolean isPlain(String name) {
    return name.codePoints().allMatch(BrokenFileException::isPrintable);
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
