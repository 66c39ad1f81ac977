package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;

/** One run of the command. */
record Run(int status, String out, String err) {
  static Run jloss(Object... args) {
    final StringWriter out = new StringWriter();
    final StringWriter err = new StringWriter();
    final String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    final int status = Main.run(new PrintWriter(out), new PrintWriter(err), texts);
    return new Run(status, out.toString(), err.toString());
  }

  /** Nothing but this line was said, and the status is 2. */
  void assertRefused(String line) {
    assertEquals(line + System.lineSeparator(), err);
    assertEquals("", out);
    assertEquals(2, status);
  }

  /** Nothing was complained about; the result is what was printed. */
  String assertHeld() {
    assertEquals("", err);
    assertEquals(0, status);
    return out;
  }
}
