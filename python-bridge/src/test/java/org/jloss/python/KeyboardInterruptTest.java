package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, by real signals. */
class KeyboardInterruptTest {
  private static final int SIGINT = 2;

  @TempDir Path folder;

  /** Where the tests run in the background of a shell, they and their children ignore it. */
  @BeforeAll
  static void isNotIgnored() throws Exception {
    final String ignored =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .findFirst()
            .orElseThrow()
            .substring("SigIgn:".length())
            .strip();
    assumeTrue((Long.parseUnsignedLong(ignored, 16) >> SIGINT - 1 & 1) == 0);
  }

  /** A program that is one script's. */
  static final class Program {
    public static void main(String[] args) {
      final PythonBridge.Builder builder = PythonBridge.builder().keyboardInterrupt();
      if (args.length > 1) {
        builder.timeLimit(Duration.ofMinutes(5));
      }
      final int status;
      try (PythonBridge python = builder.build()) {
        status = python.runScript("s.py", args[0], List.of());
      }
      System.exit(status);
    }
  }

  /** The exit status and what was printed, of a script that is ready once it prints so. */
  private String interrupt(int times, String... arguments) throws Exception {
    final Path out = folder.resolve("out");
    final Process child = ChildJvm.start(out, List.of(), Program.class, arguments);
    while (child.isAlive() && !ChildJvm.read(out).contains("ready")) {
      Thread.sleep(50);
    }
    for (int i = 0; i < times; i++) {
      Thread.sleep(500);
      new ProcessBuilder("kill", "-INT", String.valueOf(child.pid())).start().waitFor();
    }
    assertTrue(child.waitFor(2, TimeUnit.MINUTES), () -> ChildJvm.read(out));
    // GraalPy marks the place a little otherwise than CPython.
    return child.exitValue() + "\n" + ChildJvm.read(out).replaceAll("(?m)^ *\\^+\n", "");
  }

  private static final String LOOP =
      """
      print("ready", flush=True)
      try:
          while True: pass
      finally:
          print("finally", flush=True)
      """;

  private static final String INTERRUPTED =
      """
      130
      ready
      finally
      Traceback (most recent call last):
        File "s.py", line 3, in <module>
          while True: pass
      KeyboardInterrupt
      """;

  @Test
  void raisesKeyboardInterrupt() throws Exception {
    assertEquals(INTERRUPTED, interrupt(1, LOOP));
  }

  @Test
  void alsoInTheThreadOfATimeLimit() throws Exception {
    assertEquals(INTERRUPTED, interrupt(1, LOOP, "limit"));
  }

  @Test
  void aScriptMayGoOnEachTime() throws Exception {
    final String text =
        """
        import time
        print("ready", flush=True)
        for i in range(2):
            try:
                time.sleep(600)
            except KeyboardInterrupt:
                print("caught", i, flush=True)
        """;
    assertEquals("0\nready\ncaught 0\ncaught 1\n", interrupt(2, text));
  }

  @Test
  void theSecondEndsWhatDoesNotHeedTheFirst() throws Exception {
    assertEquals("130\nready\n", interrupt(2, "print('ready', flush=True)\nsum(range(10**13))\n"));
  }
}
