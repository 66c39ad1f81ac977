package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher with a real JDK and the real class path: Python compiled, and interpreted. */
class CompiledPythonTest {
  private static final Path HOME = Path.of(System.getProperty("jloss.home"));

  @TempDir Path root;

  @BeforeEach
  void makeCheckout() throws IOException {
    Files.copy(HOME.resolve("jloss"), root.resolve("jloss"), StandardCopyOption.COPY_ATTRIBUTES);
    for (final String folder : new String[] {"cli/src", "cli/target/compiler", "cmake"}) {
      Files.createDirectories(root.resolve(folder));
    }
    Files.writeString(root.resolve("pom.xml"), "");
    try (DirectoryStream<Path> jars =
        Files.newDirectoryStream(HOME.resolve("cli/target/compiler"), "*.jar")) {
      for (final Path jar : jars) {
        Files.copy(jar, root.resolve("cli/target/compiler").resolve(jar.getFileName()));
      }
    }
    // What the launcher takes for the command's own jar.
    zip(Files.createDirectories(root.resolve("empty")), root.resolve("cli/target/jloss-cli-1.jar"));
    final List<String> jars = new ArrayList<>();
    for (final String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (Files.isDirectory(Path.of(entry))) {
        final Path jar = root.resolve("classes" + jars.size() + ".jar");
        zip(Path.of(entry), jar);
        jars.add(jar.toString());
      } else {
        jars.add(entry);
      }
    }
    Files.writeString(root.resolve("cli/target/classpath.txt"), String.join(":", jars));
    final Path maven = Files.createDirectories(root.resolve("bin")).resolve("mvn");
    Files.writeString(maven, "#!/bin/sh\n");
    Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.writeString(
        root.resolve("script.py"),
        """
        import jloss
        x = jloss.tensor([1.0, 2.0], requires_grad=True)
        for i in range(100):
            loss = jloss.MseLoss()(x, jloss.zeros(2))
        loss.backward()
        print(loss.item(), x.grad.tolist())
        """);
  }

  private static void zip(Path folder, Path jar) throws IOException {
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> files = Files.walk(folder)) {
      for (final Path file : files.filter(Files::isRegularFile).toList()) {
        zip.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
        Files.copy(file, zip);
      }
      zip.putNextEntry(new ZipEntry("end"));
    }
  }

  private Run run(String javaHome) throws Exception {
    final Path errors = root.resolve("errors");
    final ProcessBuilder builder =
        new ProcessBuilder(
                root.resolve("jloss").toString(),
                "python",
                "--verbose",
                root.resolve("script.py").toString())
            .redirectError(errors.toFile());
    builder.environment().put("JAVA_HOME", javaHome);
    builder.environment().remove("JLOSS_INTERPRETED");
    builder.environment().merge("PATH", root.resolve("bin") + ":", (old, more) -> more + old);
    final Process process = builder.start();
    final String out = new String(process.getInputStream().readAllBytes());
    return new Run(process.waitFor(), out, Files.readString(errors));
  }

  private static void check(Run run, String how) {
    assertEquals(0, run.status(), run.err());
    assertEquals("2.5 [1.0, 2.0]\n", run.out());
    final List<String> lines = run.err().lines().filter(l -> !l.contains("building")).toList();
    assertEquals(1, lines.size(), run.err());
    assertTrue(lines.get(0).startsWith("jloss: Python is " + how), run.err());
  }

  @Test
  void onAJdkThatCanTakeTheCompiler() throws Exception {
    String home = null;
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/usr/lib/jvm"), "*25*")) {
      for (final Path jdk : all) {
        home = Files.isExecutable(jdk.resolve("bin/javac")) ? jdk.toString() : home;
      }
    } catch (IOException e) {
      home = null;
    }
    assumeTrue(home != null, "there is no JDK 25 in /usr/lib/jvm");
    check(run(home), "compiled");
  }

  @Test
  void onAJdkThatCannot() throws Exception {
    assumeTrue(Runtime.version().feature() != 25);
    check(run(System.getProperty("java.home")), "interpreted");
  }
}
