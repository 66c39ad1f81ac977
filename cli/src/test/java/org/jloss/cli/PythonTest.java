package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
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

  @Test
  void refusesAFolder() {
    Run.jloss("python", folder)
        .assertRefused("jloss python: " + folder + ": is not a regular file");
  }
}
