package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script at the top level, in a checkout of nothing, with a java and a Maven that only tell.
 */
class LauncherTest {
  private static final String[] TOOLS = {
    "sh",
    "dirname",
    "readlink",
    "sed",
    "find",
    "head",
    "tail",
    "tr",
    "grep",
    "mv",
    "mkdir",
    "cat",
    "ls",
    "flock",
    "date",
    "sleep",
    "rm",
    "cut"
  };

  @TempDir Path folder;
  private Path root;
  private Path bin;
  private Path jdk;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void makeCheckout() throws IOException {
    root = Files.createDirectories(folder.resolve("a checkout"));
    final Path launcher = Path.of(System.getProperty("jloss.home"), "jloss");
    Files.copy(launcher, root.resolve("jloss"), StandardCopyOption.COPY_ATTRIBUTES);
    for (final String module : new String[] {"native", "java-api", "python-bridge", "cli"}) {
      Files.createDirectories(root.resolve(module + "/src/main"));
      Files.writeString(root.resolve(module + "/pom.xml"), "");
    }
    Files.writeString(root.resolve("pom.xml"), "");
    Files.createDirectories(root.resolve("cmake"));

    jdk = folder.resolve("a jdk");
    java("17.0.1");
    script(jdk.resolve("bin/javac"), "");

    bin = Files.createDirectories(folder.resolve("bin"));
    for (final String tool : TOOLS) {
      for (final String place : new String[] {"/usr/bin", "/bin"}) {
        final Path target = Path.of(place, tool);
        if (Files.exists(target) && Files.notExists(bin.resolve(tool))) {
          script(bin.resolve(tool), "exec " + target + " \"$@\"");
        }
      }
    }
    maven("");
    for (final String tool : new String[] {"cmake", "c++", "python3"}) {
      script(bin.resolve(tool), "");
    }
    environment.put("JAVA_HOME", jdk.toString());
    environment.put("PATH", bin.toString());
    environment.put("HOME", folder.toString());
  }

  private void java(String version) throws IOException {
    Files.createDirectories(jdk);
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    script(jdk.resolve("bin/java"), "for word in \"$@\"; do echo \"[$word]\"; done");
  }

  /** Does what the build does for the launcher, and counts. */
  private void maven(String more) throws IOException {
    script(
        bin.resolve("mvn"),
        "echo \"$@\" >>'"
            + folder
            + "/builds'\n"
            + more
            + "\n"
            + "mkdir -p cli/target\n"
            + ": >cli/target/jloss-cli-1.jar\n"
            + ": >'"
            + folder
            + "/lib.jar'\n"
            + "printf '%s' '"
            + folder
            + "/lib.jar:/some/where.pom' >cli/target/classpath.txt");
  }

  private static void script(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Process start(Path launcher, String... args) throws IOException {
    final List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(args));
    final ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    return builder.start();
  }

  private static Run end(Process process) throws Exception {
    final String out = new String(process.getInputStream().readAllBytes());
    final String err = new String(process.getErrorStream().readAllBytes());
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Run(process.exitValue(), out, err);
  }

  private Run launch(String... args) throws Exception {
    return end(start(root.resolve("jloss"), args));
  }

  private long builds() throws IOException {
    final Path log = folder.resolve("builds");
    return Files.exists(log) ? Files.readAllLines(log).size() : 0;
  }

  @Test
  void buildsOnceThenStarts() throws Exception {
    final Run first = launch("list", "a b", "");
    assertEquals(0, first.status(), first.err());
    assertEquals(
        "jloss: building, once; this takes some minutes (log: target/build.log)\n", first.err());
    assertTrue(
        first
            .out()
            .contains("[-cp]\n[" + root + "/cli/target/jloss-cli-1.jar:" + folder + "/lib.jar]"),
        first.out());
    assertTrue(first.out().endsWith("[org.jloss.cli.Main]\n[list]\n[a b]\n[]\n"), first.out());
    assertTrue(first.out().contains("[-Djloss.home=" + root + "]"), first.out());
    assertFalse(first.out().contains("native-access"), first.out());
    assertFalse(first.out().contains("jloss.terminal"), first.out());

    final Run second = launch("list");
    assertEquals(0, second.status());
    assertEquals("", second.err());
    assertEquals(1, builds());
  }

  @Test
  void buildsAgainWhereSourcesAreNewer() throws Exception {
    launch();
    final Path source = root.resolve("native/src/main/loss.cpp");
    Files.writeString(source, "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plus(Duration.ofSeconds(5))));
    assertEquals("jloss: the sources have changed: building\n", launch().err());
    assertEquals(2, builds());

    // The stamp is older than a file of the future; what counts is that tests do not.
    Files.delete(source);
    launch();
    final long before = builds();
    Files.createDirectories(root.resolve("cli/src/test"));
    Files.writeString(root.resolve("cli/src/test/Test.java"), "");
    Files.setLastModifiedTime(
        root.resolve("cli/src/test/Test.java"),
        FileTime.from(Instant.now().plus(Duration.ofSeconds(5))));
    Files.setLastModifiedTime(root.resolve("cli/src"), FileTime.from(Instant.EPOCH));
    launch();
    assertEquals(before, builds());
  }

  @Test
  void buildsAgainWhereAJarIsGone() throws Exception {
    launch();
    Files.delete(folder.resolve("lib.jar"));
    assertEquals(0, launch().status());
    assertEquals(2, builds());
  }

  @Test
  void worksThroughLinksAndFromAnywhere() throws Exception {
    final Path link = folder.resolve("bin/link");
    Files.createSymbolicLink(link, Path.of("../a checkout/jloss"));
    final Path second = folder.resolve("second");
    Files.createSymbolicLink(second, link);
    final Run run = end(start(second, "list"));
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().contains("[-Djloss.home=" + root + "]"), run.out());
  }

  @Test
  void twoAtOnceBuildOnce() throws Exception {
    maven("sleep 1");
    final Process one = start(root.resolve("jloss"), "list");
    final Process other = start(root.resolve("jloss"), "list");
    final Run first = end(one);
    final Run second = end(other);
    assertEquals(0, first.status(), first.err());
    assertEquals(0, second.status(), second.err());
    assertEquals(1, builds());
    assertTrue(
        (first.err() + second.err()).contains("jloss: waiting for another jloss, which builds\n"));
  }

  @Test
  void aFailedBuildIsToldAndTriedAgain() throws Exception {
    script(bin.resolve("mvn"), "echo '[INFO] fine'\necho '[ERROR] no such thing'\nexit 1");
    final Run run = launch("list");
    assertEquals(2, run.status());
    assertEquals("", run.out());
    assertTrue(run.err().contains("\n[ERROR] no such thing\n"), run.err());
    assertFalse(run.err().contains("fine"), run.err());
    assertTrue(
        run.err()
            .endsWith("jloss: the build failed; all of it is in " + root + "/target/build.log\n"),
        run.err());
    maven("");
    assertEquals(0, launch("list").status());
  }

  /** The compiler plugin would take what it had begun for what it had made. */
  @Test
  void anInterruptedBuildLeavesNothingThatLooksMade() throws Exception {
    final Path status = root.resolve("java-api/target/maven-status/inputFiles.lst");
    final String begun = "mkdir -p '" + status.getParent() + "'\n: >'" + status + "'\n";
    script(bin.resolve("mvn"), begun + "exec sleep 60");
    final Process process = start(root.resolve("jloss"), "list");
    while (Files.notExists(status)) {
      Thread.sleep(20);
    }
    process.toHandle().destroy(); // which leaves its streams open
    assertEquals(130, end(process).status());
    assertTrue(Files.notExists(status));
  }

  @Test
  void aLongBuildSaysHowFarItIs() throws Exception {
    environment.put("JLOSS_TELL", "1");
    maven("echo '[INFO] half of it'\nsleep 3");
    final Run run = launch("list");
    assertTrue(run.err().contains("jloss: building, 1 s: half of it\n"), run.err());
  }

  @Test
  void saysWhatTheBuildNeeds() throws Exception {
    for (final String tool : new String[] {"mvn", "cmake", "c++", "python3"}) {
      final Path file = bin.resolve(tool);
      final Path away = Files.move(file, folder.resolve("away"));
      final Run run = launch();
      assertEquals(2, run.status(), tool);
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(run.err().startsWith("jloss: the build needs "), run.err());
      assertTrue(run.err().contains(tool), run.err());
      Files.move(away, file);
    }
    script(bin.resolve("python3"), "exit 1");
    assertTrue(launch().err().startsWith("jloss: the build needs pip for python3"));
    assertEquals(0, builds());
  }

  @Test
  void checksJava() throws Exception {
    java("11.0.2");
    final Path java = jdk.resolve("bin/java");
    assertEquals(
        "jloss: " + java + " is version 11.0.2; expected a JDK, 17 or newer\n", launch().err());
    java("1.8.0_292");
    assertEquals(
        "jloss: " + java + " is version 1.8.0; expected a JDK, 17 or newer\n", launch().err());
    environment.put("JAVA_HOME", "/no/jdk");
    assertEquals("jloss: JAVA_HOME is /no/jdk, where there is no bin/java\n", launch().err());
    environment.remove("JAVA_HOME");
    final Run run = launch();
    assertEquals(2, run.status());
    assertEquals("jloss: found no java; install a JDK, 17 or newer, or set JAVA_HOME\n", run.err());
  }

  @Test
  void aJreIsEnoughToRunButNotToBuild() throws Exception {
    final Path javac = jdk.resolve("bin/javac");
    Files.delete(javac);
    assertEquals(
        "jloss: the build needs a JDK, and found no javac in " + jdk + "\n", launch().err());
    script(javac, "");
    launch();
    Files.delete(javac);
    assertEquals(0, launch().status());
  }

  @Test
  void newerJavaGetsItsFlags() throws Exception {
    java("25");
    final Run run = launch();
    assertTrue(run.out().contains("[--enable-native-access=ALL-UNNAMED]"), run.out());
  }

  @Test
  void passesOptionsOn() throws Exception {
    environment.put("JLOSS_OPTS", "-Xmx1g -Da=b");
    assertTrue(launch().out().contains("[-Xmx1g]\n[-Da=b]\n"));
  }

  @Test
  void putsJarsOfOnesOwnLast() throws Exception {
    mavenWithCompiler();
    java("25.0.1");
    final String none = launch("list").out();
    assertTrue(none.contains(".jar]\n"), none); // no colon: no class of the current folder
    environment.put("JLOSS_CLASSPATH", "my own.jar:b.jar");
    final String own = "[-cp]\n[" + root + "/cli/target/jloss-cli-1.jar:" + folder + "/lib.jar:";
    final String plain = launch("list").out();
    assertTrue(plain.contains(own + folder + "/org/graalvm/python.jar:"), plain);
    assertTrue(plain.contains(":my own.jar:b.jar]\n"), plain);
    final String compiled = launch("python", "x.py").out();
    assertTrue(
        compiled.contains(
            "[@"
                + root
                + "/cli/target/launcher.compiled]\n"
                + own
                + "my own.jar:b.jar]\n[org.jloss.cli.Main]\n"),
        compiled);
  }

  @Test
  void findsAPlaceWhereHomeCannotBeWrittenTo() throws Exception {
    environment.put("HOME", "/proc/no-home");
    launch();
    final String arguments = Files.readString(folder.resolve("builds"));
    assertTrue(arguments.contains("-Dmaven.repo.local=" + root + "/.cache/m2"), arguments);
  }

  /** A build that leaves Graal's compiler and a module of GraalPy's. */
  private void mavenWithCompiler() throws IOException {
    script(
        bin.resolve("mvn"),
        """
        mkdir -p cli/target/compiler '%1$s/org/graalvm/truffle'
        : >cli/target/jloss-cli-1.jar
        : >cli/target/compiler/compiler-25.0.3.jar
        for jar in lib org/graalvm/python org/graalvm/truffle/truffle-compiler-1; do
          : >"%1$s/$jar.jar"
          printf '%1$s/%%s:' "$jar.jar"
        done >cli/target/classpath.txt
        """
            .formatted(folder));
  }

  private boolean isCompiled(String... args) throws Exception {
    final Run run = launch(args);
    assertEquals(0, run.status(), run.err());
    final boolean compiled = run.out().contains("[@" + root + "/cli/target/launcher.compiled]\n");
    assertEquals(!compiled, run.out().contains("[-cp]"), run.out());
    return compiled;
  }

  @Test
  void compilesPythonWhereTheJdkCan() throws Exception {
    mavenWithCompiler();
    assertFalse(isCompiled("python", "x.py"), "JDK 17");
    java("25.0.1");
    assertTrue(isCompiled("python", "x.py"));
    assertFalse(isCompiled("list"));
    java("26");
    assertFalse(isCompiled("python", "x.py"), "a compiler of another JDK");
    java("25.0.1");
    environment.put("JLOSS_INTERPRETED", "1");
    assertFalse(isCompiled("python", "x.py"));
    final String options = Files.readString(root.resolve("cli/target/launcher.compiled"));
    assertTrue(
        options.contains(
            "\"--upgrade-module-path="
                + root
                + "/cli/target/compiler/compiler-25.0.3.jar:"
                + folder
                + "/org/graalvm/truffle/truffle-compiler-1.jar\"\n"),
        options);
    assertTrue(
        options.contains("\"--module-path=" + folder + "/org/graalvm/python.jar\"\n"), options);
    assertTrue(
        options.endsWith(
            "-cp \"" + root + "/cli/target/jloss-cli-1.jar:" + folder + "/lib.jar\"\n"),
        options);
  }

  @Test
  void interpretsInSilenceWhereTheJdkCannot() throws Exception {
    mavenWithCompiler();
    java("25.0.1");
    final Path java = jdk.resolve("bin/java");
    final String works = Files.readString(java);
    script(java, "echo \"$@\" >>'" + folder + "/asked'\necho no such option >&2\nexit 1");
    launch("python", "x.py");
    script(java, works.substring(works.indexOf('\n') + 1));
    assertFalse(isCompiled("python", "x.py"), "asked once a JDK");
    assertEquals("", launch("python", "x.py").err());
    final String asked = Files.readString(folder.resolve("asked"));
    assertTrue(asked.contains("@" + root + "/cli/target/launcher.compiled -version\n"), asked);
    java("25.0.2");
    assertTrue(isCompiled("python", "x.py"), "another JDK is asked again");
  }

  @Test
  void mapsPythonsClassesFromAnArchive() throws Exception {
    script(
        jdk.resolve("bin/java"),
        "for word in \"$@\"; do echo \"[$word]\"; done >>'" + folder + "/java.log'");
    final Path archive = root.resolve("cli/target/launcher-17.jsa");
    launch("list");
    final String built = Files.readString(folder.resolve("java.log"));
    assertTrue(built.contains("[-XX:ArchiveClassesAtExit=" + archive + "]\n"), built);
    assertTrue(built.contains("[python]\n[" + archive + ".py]\n[-Xss16m]"), built);
    Files.writeString(archive, "");
    Files.delete(folder.resolve("java.log"));
    launch("list");
    launch("python", "x.py");
    final String started = Files.readString(folder.resolve("java.log"));
    assertEquals(2, started.split("SharedArchiveFile", -1).length, started);
    assertTrue(started.endsWith("[python]\n[x.py]\n"), started);
  }
}
