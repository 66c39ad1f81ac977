package org.jloss.python;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs a script in a bridge of its own and keeps what it printed. */
final class Script {
  final int status;
  final String out;
  final String err;

  private Script(int status, String out, String err) {
    this.status = status;
    this.out = out;
    this.err = err;
  }

  static Script run(String text, String... arguments) {
    return run(PythonBridge.builder(), text, arguments);
  }

  static Script run(PythonBridge.Builder builder, String text, String... arguments) {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (PythonBridge python = builder.stdout(out).stderr(err).build()) {
      final int status = python.runScript("script.py", text, List.of(arguments));
      return new Script(
          status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
  }

  @Override
  public String toString() {
    return "status " + status + "\n" + out + err;
  }
}
