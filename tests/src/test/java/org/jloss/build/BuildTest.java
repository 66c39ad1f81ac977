package org.jloss.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The native build, where something is not as it should be. */
class BuildTest {
  private static final Path CMAKE =
      Path.of(System.getProperty("jloss.reference")).resolve("../../../cmake").normalize();

  @TempDir private Path folder;

  private record Result(int status, String text) {}

  private Result run(Object... command) throws Exception {
    final Process process =
        new ProcessBuilder(List.of(command).stream().map(Object::toString).toList())
            .redirectErrorStream(true)
            .start();
    final String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), text.replaceAll("\\s+", " "));
  }

  @Test
  void headersOfAnotherVersionAreRefused() throws Exception {
    final Path version = folder.resolve("torch/headeronly/version.h");
    Files.createDirectories(version.getParent());
    final String text =
        """
        #define TORCH_VERSION_MAJOR 2
        #define TORCH_VERSION_MINOR %d
        #define TORCH_VERSION_PATCH 0
        """;
    Files.writeString(version, text.formatted(9));
    final Object[] command = {
      "cmake", "-DJLOSS_TORCH_INCLUDE=" + folder, "-P", CMAKE.resolve("TorchHeaders.cmake")
    };
    final Result other = run(command);
    assertNotEquals(0, other.status());
    assertTrue(
        other
            .text()
            .contains(
                "the headers in " + folder + " are of torch 2.9.0; the preset's libraries are of"),
        other.text());

    Files.writeString(version, text.formatted(10));
    assertEquals(0, run(command).status());

    Files.delete(version);
    final Result none = run(command);
    assertNotEquals(0, none.status());
    assertTrue(none.text().contains("no headers of libtorch in " + folder), none.text());
  }

  @Test
  void aMovedCheckoutBuildsAnew() throws Exception {
    final Path source = Files.createDirectories(folder.resolve("a checkout/native"));
    Files.writeString(
        source.resolve("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.22)\nproject(x NONE)\n");
    final Path build = source.resolve("target/cmake");
    final Path leftOver = build.resolve("left over.o");
    assertEquals(0, run(CMAKE.resolve("configure.sh"), source, build).status());
    Files.createFile(leftOver);
    assertEquals(0, run(CMAKE.resolve("configure.sh"), source, build).status());
    assertTrue(Files.exists(leftOver), "nothing has moved");

    final Path moved = folder.resolve("moved");
    Files.move(source.getParent(), moved);
    final Path here = moved.resolve("native");
    final Result result = run(CMAKE.resolve("configure.sh"), here, here.resolve("target/cmake"));
    assertEquals(0, result.status(), result.text());
    assertFalse(Files.exists(here.resolve("target/cmake/left over.o")));
  }
}
