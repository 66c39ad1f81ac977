package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;
import org.jloss.NativeLibrary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library in processes of all kinds. */
class LibraryTest {

  @ParameterizedTest
  @ValueSource(strings = {"default", "avx2", "avx512"})
  void runsTheKernelsOfTheCapabilityAndTheyAgree(String capability) throws Exception {
    final List<String> expected = lines(start(List.of(), Map.of()));
    // A kernel that the processor cannot run ends the process, PyTorch's too.
    final List<String> all = List.of("DEFAULT", "AVX2", "AVX512");
    final String best = expected.get(0).split(" ")[0];
    assumeTrue(all.indexOf(capability.toUpperCase(Locale.ROOT)) <= all.indexOf(best));
    final List<String> lines = lines(start(List.of(), Map.of("ATEN_CPU_CAPABILITY", capability)));
    assertEquals(capability.toUpperCase(Locale.ROOT), lines.get(0).split(" ")[0]);
    assertEquals(expected.size(), lines.size());
    for (int i = 1; i < lines.size(); i++) {
      final String[] a = expected.get(i).split(" ");
      final String[] b = lines.get(i).split(" ");
      assertEquals(a[0], b[0]);
      for (int k = 1; k < a.length; k++) {
        final double x = Double.parseDouble(a[k]);
        assertEquals(x, Double.parseDouble(b[k]), 2e-6 * Math.abs(x), lines.get(i));
      }
    }
  }

  /** By size and time the binding tells whether it has extracted a library before. */
  @Test
  void theJarHasEachLibrarysOwnTime() throws Exception {
    final String name = "org/jloss/binding/linux-x86_64/libjloss.so";
    final URL url = NativeLibrary.class.getClassLoader().getResource(name);
    final JarURLConnection jar = (JarURLConnection) url.openConnection();
    final Path target = Path.of(jar.getJarFileURL().toURI()).getParent();
    final long built =
        Files.getLastModifiedTime(target.resolve("natives").resolve(name)).toMillis();
    final long packed = jar.getJarEntry().getTime(); // which counts in two seconds
    assertTrue(Math.abs(built - packed) <= 2000, built + " and " + packed);
  }

  @Test
  void aBackwardPassMayBeTheFirstCall() throws Exception {
    assertEquals(
        lines(start(List.of(), Map.of())),
        lines(start(List.of("-Djloss.probe.backward=true"), Map.of())));
  }

  @Test
  void passesTheVirtualMachinesChecksOfNativeCalls() throws Exception {
    final List<String> lines = lines(start(List.of("-Xcheck:jni"), Map.of()));
    // The preset's own native code draws warnings on exceptions and local references.
    final List<String> ours = lines.stream().filter(l -> l.contains("org.jloss")).toList();
    assertEquals(List.of(), ours);
    assertFalse(String.join("\n", lines).contains("FATAL"));
  }

  @Test
  void runsWithAReadOnlyHomeAndTwoProcessesAtOnce(@TempDir Path temp) throws Exception {
    final Path home = Files.createDirectory(temp.resolve("home"));
    final Path tmp = Files.createDirectory(temp.resolve("tmp"));
    // A file where the cache would be is what root cannot write through either.
    Files.writeString(home.resolve(".javacpp"), "in the way");
    final List<String> jvm = List.of("-Duser.home=" + home, "-Djava.io.tmpdir=" + tmp);
    final Process first = start(jvm, Map.of());
    final Process second = start(jvm, Map.of());
    assertEquals(lines(first), lines(second));
  }

  @Test
  void refusesASecondCopyInWords() throws Exception {
    NativeLibrary.load();
    final List<URL> jars = new ArrayList<>();
    for (final String entry : classPath().split(File.pathSeparator)) {
      final Path path = Path.of(entry);
      if (Files.isDirectory(path.resolve("org/jloss"))
          || path.getFileName().toString().startsWith("jloss")) {
        jars.add(path.toUri().toURL());
      }
    }
    // The preset stays with the parent: its libraries can be loaded once only.
    try (URLClassLoader loader =
        new URLClassLoader(jars.toArray(URL[]::new), getClass().getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
              final boolean ours = name.startsWith("org.jloss.");
              final Class<?> loaded = findLoadedClass(name);
              return loaded != null
                  ? loaded
                  : ours ? findClass(name) : super.loadClass(name, resolve);
            }
          }
        }) {
      final Class<?> copy = loader.loadClass("org.jloss.NativeLibrary");
      final Throwable thrown =
          org.junit.jupiter.api.Assertions.assertThrows(
                  java.lang.reflect.InvocationTargetException.class,
                  () -> copy.getMethod("load").invoke(null))
              .getCause();
      assertEquals(IllegalStateException.class, thrown.getClass());
      assertTrue(thrown.getMessage().contains("another copy of jloss"), thrown.getMessage());
    }
  }

  /** The version is asked for before any function runs: another one may not even link. */
  @Test
  void refusesAnotherPresetInWords(@TempDir Path folder) throws Exception {
    final Path properties = folder.resolve("META-INF/maven/org.bytedeco/pytorch/pom.properties");
    Files.createDirectories(properties.getParent());
    Files.writeString(properties, "version=2.9.1-1.5.13\n");
    assertRefused(
        folder,
        "jloss was compiled for libtorch 2.10.0, but org.bytedeco:pytorch is of version"
            + " 2.9.1-1.5.13");
  }

  @Test
  void refusesANativeLibraryOfAnotherVersionInWords(@TempDir Path folder) throws Exception {
    final Path source = folder.resolve("Native.java");
    Files.writeString(
        source,
        """
        package org.jloss.binding;
        public class Native {
          public static org.bytedeco.javacpp.BytePointer torch_version() {
            return new org.bytedeco.javacpp.BytePointer("2.9.1");
          }
        }
        """);
    final String[] options = {"-cp", classPath(), "-d", folder.toString(), source.toString()};
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, options));
    assertRefused(
        folder,
        "jloss's native library was compiled for libtorch 2.9.1, its Java classes for 2.10.0");
  }

  /** With this folder before the rest of the class path nothing loads, and the reason is given. */
  private static void assertRefused(Path first, String reason) throws Exception {
    final String path = first + File.pathSeparator + classPath();
    final Process process = start(List.of("-cp", path), Map.of());
    final String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor());
    assertTrue(text.contains("java.lang.IllegalStateException: " + reason), text);
  }

  /** The tests' class path, which surefire hides in a manifest. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private static Process start(List<String> options, Map<String, String> environment)
      throws IOException {
    final List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0"));
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-cp", classPath()));
    command.addAll(options); // of two class paths the last one counts
    command.add(Probe.class.getName());
    final ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(new LinkedHashMap<>(environment));
    return builder.start();
  }

  private static List<String> lines(Process process) throws Exception {
    final String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(5, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), text);
    return text.lines().filter(l -> !l.isBlank() && !l.startsWith("WARNING: ")).toList();
  }
}
