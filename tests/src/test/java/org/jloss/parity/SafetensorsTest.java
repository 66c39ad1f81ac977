package org.jloss.parity;

import static org.jloss.parity.TestFiles.assertBroken;
import static org.jloss.parity.TestFiles.safetensors;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
  @TempDir private Path folder;

  @Test
  void readsPythonsFile() throws IOException {
    final Safetensors file = Safetensors.read(TestFiles.fixture(folder, "python.safetensors"));

    assertEquals(Map.of("key", "value \" ä"), file.metadata());
    final Map<String, TensorEntry> entries = file.entries();
    assertArrayEquals(
        new double[] {1.5, -0.0, 0x1p-24, 65504, Double.POSITIVE_INFINITY, Double.NaN},
        entries.get("f16").toDoubles());
    assertArrayEquals(
        new double[] {1.5, -2, Float.intBitsToFloat(0x7e96 << 16)},
        entries.get("bf16").toDoubles());
    assertArrayEquals(new long[] {1, 0}, entries.get("bool").toLongs());
    assertEquals("bool[2, 1]", entries.get("bool").toString());
    assertArrayEquals(new double[] {2.5}, entries.get("scalar").toDoubles());
    assertEquals("int32[0, 3]", entries.get("empty").toString());
    assertArrayEquals(new long[] {(1L << 62) + 1, -1}, entries.get("name with \" and ä").toLongs());
    assertEquals(6, entries.size());
  }

  @ParameterizedTest
  @EnumSource
  void writesWhatItReads(DType dtype) throws IOException {
    final byte[] bytes = new byte[6 * dtype.bytes()];
    Arrays.setAll(new Byte[bytes.length], i -> bytes[i] = (byte) (i % 2));
    final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    entries.put("a \"\n\u20ac\ud83d\ude00", entry(dtype, bytes, 2, 3));
    entries.put("scalar", entry(dtype, Arrays.copyOf(bytes, dtype.bytes())));
    entries.put("", entry(dtype, new byte[0], 4, 0, 2));
    entries.put("narrow", TensorEntry.of(DType.BOOL, new long[] {1}, ByteBuffer.allocate(1)));
    final Path path = folder.resolve("x.safetensors");
    final Map<String, String> metadata = Map.of("k", "v\n\"", "jloss", "{}");

    Safetensors.write(path, entries, metadata);
    final Safetensors file = Safetensors.read(path);

    assertEquals(metadata, file.metadata());
    assertEquals(entries.keySet(), Map.copyOf(file.entries()).keySet());
    file.entries()
        .forEach(
            (name, entry) -> {
              assertEquals(entries.get(name).toString(), entry.toString());
              assertEquals(entries.get(name).data(), entry.data());
            });
    assertEquals(List.of(path), list(folder));
  }

  @Test
  void replacesAFileThatIsInUse() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    Safetensors.write(path, Map.of("x", TensorEntry.of(new double[1000], 1000)), Map.of());
    final TensorEntry old = Safetensors.read(path).entries().get("x");
    Safetensors.write(path, Map.of(), Map.of());

    assertArrayEquals(new double[1000], old.toDoubles());
    assertTrue(Safetensors.read(path).entries().isEmpty());
    assertEquals(16, Files.size(path));
  }

  @Test
  void refusesToWriteWhatCannotBeRead() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    final TensorEntry entry = TensorEntry.of(new double[1]);
    for (final String name : List.of("__metadata__", "\ud800")) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Safetensors.write(path, Map.of(name, entry), Map.of()));
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> Safetensors.write(path, Map.of(), Map.of("k", "\udc00")));
    assertThrows(
        IOException.class,
        () -> Safetensors.write(folder.resolve("no/folder"), Map.of(), Map.of()));
    assertEquals(List.of(), list(folder));
  }

  static Stream<Arguments> brokenHeaders() {
    final String sound = "'dtype':'F32','shape':[2],'data_offsets':[0,8]";
    final String more = "," + "'y':{'dtype':'U8','shape':[1],'data_offsets':";
    return Stream.of(
        Arguments.of("[]", 0, "does not start with '{'"),
        Arguments.of("{} x", 0, "not sound JSON"),
        Arguments.of("{}{}", 0, "more than one JSON object"),
        Arguments.of("{'x'", 0, "not sound JSON"),
        Arguments.of("{'x':", 0, "not sound JSON"),
        Arguments.of("{'x':{", 0, "not sound JSON"),
        Arguments.of("{'x':NaN}", 0, "not sound JSON"),
        Arguments.of("{'x':1}", 0, "tensor 'x' must be an object"),
        Arguments.of("{'x':[]}", 0, "tensor 'x' must be an object"),
        Arguments.of("{'x':{}}", 0, "lacks one of"),
        Arguments.of("{'x':{'dtype':'F32','shape':[]}}", 4, "lacks one of"),
        Arguments.of("{'x':{" + sound + ",'z':1}}", 8, "unknown field 'z'"),
        Arguments.of("{'x':{" + sound + ",'dtype':'F32'}}", 8, "not sound JSON"),
        Arguments.of("{'x':{" + sound + "},'x':{" + sound + "}}", 8, "Duplicate field"),
        Arguments.of("{'x':{'dtype':'F33','shape':[]}}", 4, "dtype 'F33'"),
        Arguments.of("{'x':{'dtype':'f32','shape':[]}}", 4, "dtype 'f32'"),
        Arguments.of("{'x':{'dtype':null}}", 4, "dtype must be a text"),
        Arguments.of("{'x':{'shape':8}}", 0, "shape must be a list"),
        Arguments.of("{'x':{'shape':[-1]}}", 0, "shape must hold whole numbers"),
        Arguments.of("{'x':{'shape':[1.0]}}", 0, "shape must hold whole numbers"),
        Arguments.of("{'x':{'shape':['1']}}", 0, "shape must hold whole numbers"),
        Arguments.of("{'x':{'shape':[[1]]}}", 0, "shape must hold whole numbers"),
        Arguments.of("{'x':{'shape':[9223372036854775808]}}", 0, "shape must hold whole numbers"),
        Arguments.of("{'x':{'shape':[1" + ",1".repeat(64) + "]}}", 0, "more than 64"),
        Arguments.of(tensor("F32", "4294967296,4294967296", "0,0"), 0, "too many elements"),
        Arguments.of(tensor("U8", "9223372036854775807", "0,8"), 8, "too many elements"),
        Arguments.of(tensor("F64", "1152921504606846976", "0,0"), 0, "too many elements"),
        Arguments.of(tensor("F32", "0,4294967296,4294967296", "0,0"), 0, "too many elements"),
        Arguments.of(tensor("F32", "2", "0,4"), 4, "takes 8 bytes, but has 4"),
        Arguments.of(tensor("F32", "2", "8,0"), 8, "data_offsets [8, 0]"),
        Arguments.of(tensor("F32", "2", "0,8,8"), 8, "data_offsets [0, 8, 8]"),
        Arguments.of(tensor("F32", "2", ""), 8, "data_offsets []"),
        Arguments.of(tensor("F32", "2", "-8,0"), 8, "data_offsets must hold whole numbers"),
        Arguments.of(tensor("F32", "2", "0,8"), 7, "cut off: tensor 'x' ends at byte 8 of 7"),
        Arguments.of(tensor("F32", "2", "0,8"), 9, "1 bytes after the last tensor"),
        Arguments.of(tensor("F32", "2", "4,12"), 12, "hole before tensor 'x'"),
        Arguments.of("{'x':{" + sound + "}" + more + "[7,8]}}", 8, "'y' overlaps another"),
        Arguments.of("{'x':{" + sound + "}" + more + "[0,1]}}", 8, "'x' overlaps another"),
        Arguments.of("{'x':{" + sound + "}" + more + "[9,10]}}", 10, "hole before tensor 'y'"),
        Arguments.of(
            tensor("U8", "9223372036854775", "9223372036854775807,9223372036854775807"),
            0,
            "bytes"),
        Arguments.of("{}", 1, "1 bytes after the last tensor"),
        Arguments.of("{'__metadata__':[]}", 0, "__metadata__ must be an object"),
        Arguments.of("{'__metadata__':{'a':1}}", 0, "but not so 'a'"),
        Arguments.of("{'__metadata__':{'a':'','a':''}}", 0, "Duplicate field"),
        Arguments.of("{'__metadata__':{},'__metadata__':{}}", 0, "Duplicate field"),
        Arguments.of("{'a\\n\\u001b[31m':1}", 0, "tensor 'a\\u000a\\u001b[31m' must"),
        Arguments.of("{'" + "n".repeat(500) + "':1}", 0, "n...' must be"));
  }

  private static String tensor(String dtype, String shape, String offsets) {
    return String.format(
        "{'x':{'dtype':'%s','shape':[%s],'data_offsets':[%s]}}", dtype, shape, offsets);
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("brokenHeaders")
  void refusesABrokenHeader(String header, int dataBytes, String problem) throws IOException {
    final Path path = folder.resolve("x.safetensors");
    Files.write(path, safetensors(header.replace('\'', '"').replace("\"{\"", "'{'"), dataBytes));
    assertBroken(path, problem, () -> Safetensors.read(path));
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 3, 100_000_001, Integer.MAX_VALUE, Long.MAX_VALUE, -1, Long.MIN_VALUE})
  void refusesAHeaderOfSuchLength(long length) throws IOException {
    final Path path = folder.resolve("x.safetensors");
    final ByteBuffer bytes = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(length).put("{}".getBytes(StandardCharsets.UTF_8));
    Files.write(path, bytes.array());
    assertBroken(
        path, length == 3 ? "is cut off: the header" : "header", () -> Safetensors.read(path));
  }

  @Test
  void refusesWhatIsNotUtf8() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    final byte[] bytes = safetensors("{\"x\":1}", 0);
    bytes[10] = (byte) 0xff;
    Files.write(path, bytes);
    assertBroken(path, "not UTF-8", () -> Safetensors.read(path));
    Files.write(path, new byte[7]);
    assertBroken(path, "only 7 bytes", () -> Safetensors.read(path));
  }

  @Test
  void refusesDeepJson() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    Files.write(path, safetensors("{\"x\":{\"shape\":" + "[".repeat(100_000), 0));
    assertBroken(path, "shape must hold", () -> Safetensors.read(path));
  }

  @Test
  void refusesWhatIsNoFile() {
    final Path missing = folder.resolve("missing");
    assertThrows(NoSuchFileException.class, () -> Safetensors.read(missing));
    assertBroken(folder, "is not a regular file", () -> Safetensors.read(folder));
  }

  @Test
  @EnabledOnOs(OS.LINUX) // where such a file takes no space
  void readsMoreThanTwoGigabytes() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    final long size = 1_500_000_000;
    final String header =
        String.format(
            "{\"x\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
                + "\"y\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}",
            size, size, size, size, 2 * size);
    sparse(path, header, 2 * size);
    final TensorEntry y = Safetensors.read(path).entries().get("y");
    assertEquals(size, y.numel());
    assertEquals(7, y.data().get((int) size - 1));

    final String one =
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[3000000000],\"data_offsets\":[0,3000000000]}}";
    sparse(path, one, 3_000_000_000L);
    assertBroken(path, "tensor 'x' takes 3000000000 bytes", () -> Safetensors.read(path));
  }

  private static void sparse(Path path, String header, long dataBytes) throws IOException {
    Files.write(path, safetensors(header, 0));
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(8 + header.length() + dataBytes);
      file.seek(file.length() - 1);
      file.write(7);
    }
  }

  @Test
  void survivesDamage() throws Exception {
    final Path good = TestFiles.fixture(folder, "python.safetensors");
    TestFiles.fuzz(
        good,
        file -> {
          for (final TensorEntry entry : Safetensors.read(file).entries().values()) {
            entry.toDoubles();
          }
        });
  }

  private static TensorEntry entry(DType dtype, byte[] bytes, long... shape) {
    return TensorEntry.of(dtype, shape, ByteBuffer.wrap(bytes));
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
