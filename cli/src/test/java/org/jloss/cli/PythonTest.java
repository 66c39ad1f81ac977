package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonTest {
  @TempDir Path folder;

  private Path script(String text) throws IOException {
    return Files.writeString(folder.resolve("script.py"), text);
  }

  @Test
  void theExitStatusIsTheScripts() throws IOException {
    final Path script = script("import sys\nsys.exit(len(sys.argv))\n");
    assertEquals(1, Run.jloss("python", script).status());
    assertEquals(4, Run.jloss("python", script, "a", "--help", "-x").status());
  }

  @Test
  void jlossIsThere() throws IOException {
    final Path script =
        script(
            """
            import jloss
            input, target = jloss.tensor([1.0, 2.0]), jloss.tensor([0.0, 0.0])
            loss = jloss.functional.mse_loss(input, target)
            assert loss.item() == 2.5
            """);
    assertEquals(0, Run.jloss("python", script).status());
  }

  @Test
  void anExceptionIsStatusOne() throws IOException {
    assertEquals(1, Run.jloss("python", script("raise ValueError('x')\n")).status());
  }

  /** A text that exits with 40 plus how many of the conditions hold. */
  private static String count(String... conditions) {
    return "import sys\nsys.exit(40 + sum(bool(c) for c in ["
        + String.join(", ", conditions)
        + "]))";
  }

  @Test
  void aTextAndItsArguments() {
    final String code =
        count("sys.argv == ['-c', '--read', '-x']", "__name__ == '__main__'", "sys.path[0] == ''");
    assertEquals(43, Run.jloss("python", "-c", code, "--read", "-x").status());
  }

  @Test
  void aModuleOfTheStandardLibrary() {
    assertEquals(0, Run.jloss("python", "-m", "calendar", "2026", "1").status());
    assertEquals(1, Run.jloss("python", "-m", "no_such_module").status());
  }

  @Test
  void theStandardInput() {
    final InputStream in = System.in;
    System.setIn(new ByteArrayInputStream(count("sys.argv == ['-', 'a']").getBytes()));
    try {
      assertEquals(41, Run.jloss("python", "-", "a").status());
    } finally {
      System.setIn(in);
    }
  }

  @Test
  void aTimeLimit() {
    final Run run = Run.jloss("python", "--time-limit", 0.5, "-c", "while True: pass");
    assertEquals(124, run.status());
    assertEquals(
        "jloss python: the script exceeded its time limit of 500 ms and was ended\n", run.err());
  }

  @Test
  void inAProcessOfItsOwn() throws IOException {
    final Path script = script("import sys, helper\nsys.exit(helper.answer + len(sys.argv))\n");
    Files.writeString(folder.resolve("helper.py"), "answer = 42\n");
    assertEquals(44, Run.jloss("python", "--isolated", script, "a").status());
  }

  @Test
  void wrongArguments() {
    Run.jloss("python")
        .assertRefused(
            "jloss python: expected a script, -, -m MODULE or -c CODE (see jloss python --help)");
    Run.jloss("python", "--time-limit", -1, "x.py")
        .assertRefused("jloss python: expected a time limit > 0, got -1.0");
    Run.jloss("python", "nothing.py").assertRefused("jloss python: nothing.py: no such file");
  }

  @Test
  void refusesAFolder() {
    Run.jloss("python", folder)
        .assertRefused("jloss python: " + folder + ": is not a regular file");
  }
}
