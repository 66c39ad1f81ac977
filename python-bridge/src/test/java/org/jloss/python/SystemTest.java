package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Indices;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.selfsupervised.NegativeQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Miners and memories in Python are those in Java. */
class SystemTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec("import pickle, jloss");
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  static Stream<Spec> miners() {
    return Losses.all().stream().filter(s -> Miner.class.isAssignableFrom(s.type()));
  }

  static Stream<Spec> memories() {
    return Losses.all().stream().filter(s -> Memory.class.isAssignableFrom(s.type()));
  }

  @Test
  void everySystemIsThere() {
    for (final Spec spec : Losses.all()) {
      final String name = spec.type().getSimpleName();
      assertEquals(true, python.eval("'%s' in dir(jloss)".formatted(name)), name);
      assertTrue(
          ((String) python.eval("jloss.%s.__doc__".formatted(name))).contains(spec.formula()),
          name);
    }
  }

  @ParameterizedTest
  @MethodSource("miners")
  void minersPickAsInJava(Spec spec) {
    final Random random = new Random(1);
    final List<Tensor> inputs = new ArrayList<>();
    final List<String> names = new ArrayList<>();
    for (final Spec.InputSpec input : spec.inputs()) {
      if (!input.optional()) {
        final Tensor tensor = LossTest.input(input, random);
        inputs.add(tensor);
        names.add("in_" + input.name());
        python.set("in_" + input.name(), tensor);
      }
    }
    final String arguments = "(" + String.join(", ", names) + ")";
    final String cls = "jloss." + spec.type().getSimpleName();
    final Miner miner = (Miner) Losses.instantiate(spec, java.util.Map.of());
    try (Indices expected = miner.mine(inputs.toArray(new Tensor[0]))) {
      for (final String call :
          List.of(cls + "()" + arguments, "jloss.functional." + spec.id() + arguments)) {
        python.exec("picked = " + call);
        assertEquals((long) expected.size(), python.eval("len(picked)"));
        expected
            .tensors()
            .forEach(
                (name, vector) -> {
                  try (Tensor got = (Tensor) python.eval("picked." + name)) {
                    assertEquals(vector.scalar_type().intern(), got.scalar_type().intern());
                    assertArrayEquals(Tensors.toLongs(vector), Tensors.toLongs(got));
                  }
                });
      }
    }
    assertEquals(miner, python.eval(cls + "()"));
    assertEquals(
        true,
        python.eval(
            "pickle.loads(pickle.dumps(%1$s())) == %1$s() and hash(%1$s()) == hash(%1$s())"
                .formatted(cls)));
    inputs.forEach(Tensor::close);
  }

  @Test
  void minersErrors() {
    assertTrue(
        LossTest.message(python, "jloss.BatchHardMiner(distance='far')")
            .startsWith("ValueError: batch_hard_miner: expected distance"));
    assertEquals(
        "TypeError: batch_hard_miner: expected labels to be a Tensor, got list",
        LossTest.message(python, "jloss.BatchHardMiner()(jloss.zeros(2, 2), [0, 1])"));
  }

  @ParameterizedTest
  @MethodSource("memories")
  void memoriesAreFilledAndClosed(Spec spec) {
    final String cls = "jloss." + spec.type().getSimpleName();
    python.exec("memory = " + cls + "(4, 2)\nmemory.enqueue(jloss.ones(3, 2))");
    assertEquals(3L, python.eval("memory.position"));
    assertEquals("[4, 2]", python.eval("str(list(memory.keys().shape))"));
    assertEquals(6.0, python.eval("memory.keys()[:3].sum().item()"));
    assertEquals(
        spec.type().getSimpleName() + "(keys of shape [4, 2], position 3)",
        python.eval("repr(memory)"));
    assertEquals(3L, ((Memory) python.get("memory")).position());
    assertTrue(
        LossTest.message(python, "memory.enqueue(jloss.ones(3, 3))").startsWith("ValueError: "));
    assertTrue(LossTest.message(python, "memory.enqueue([1])").startsWith("TypeError: "));
    assertTrue(LossTest.message(python, cls + "(0, 2)").startsWith("ValueError: "));
    assertTrue(LossTest.message(python, "pickle.dumps(memory)").startsWith("TypeError: "));
    python.exec("with memory: pass");
    assertTrue(LossTest.message(python, "memory.keys()").startsWith("RuntimeError: "));
    assertTrue(LossTest.message(python, "memory.position").startsWith("RuntimeError: "));
    assertEquals(spec.type().getSimpleName() + "(closed)", python.eval("repr(memory)"));
  }

  @Test
  void aMemoryOfJavaIsShared() {
    try (NegativeQueue queue = new NegativeQueue(4, 2)) {
      python.set("queue", queue);
      python.exec("queue.enqueue(jloss.ones(1, 2)); same = queue; del queue");
      assertEquals(1, queue.position());
      assertEquals(queue, python.get("same"));
    }
  }

  @Test
  void memoriesTooLarge() {
    final Script script =
        Script.run(
            PythonBridge.builder().memory(64 << 20),
            """
            import jloss
            try:
                jloss.NegativeQueue(1 << 30, 1 << 10)
            except MemoryError as error:
                print("MemoryError")
            for _ in range(50):
                last = jloss.NegativeQueue(1 << 12, 1 << 8)
            print("end")
            """);
    assertEquals("MemoryError\nend\n", script.out, script.toString());
  }

  @Test
  void savedAndLoadedInOpenFoldersAlone(@TempDir Path folder) {
    final String text =
        """
        import sys, jloss
        file = sys.argv[1] + "/queue.safetensors"
        queue = jloss.NegativeQueue(4, 2)
        queue.enqueue(jloss.ones(3, 2))
        for step in (lambda: queue.save(file), lambda: jloss.NegativeQueue.load(file),
                     lambda: jloss.NegativeQueue.load(sys.argv[1] + "/nothing"),
                     lambda: jloss.NegativeQueue.load("/etc/passwd")):
            try:
                made = step()
                print("done" if made is None else made)
            except Exception as error:
                print(type(error).__name__)
        """;
    final String path = folder.toString();
    assertEquals(
        List.of("PermissionError", "PermissionError", "PermissionError", "PermissionError"),
        Arrays.asList(Script.run(text, path).out.split("\n")));
    final Script write = Script.run(PythonBridge.builder().writeFolder(folder), text, path);
    final String loaded = "NegativeQueue(keys of shape [4, 2], position 3)";
    assertEquals(
        List.of("done", loaded, "FileNotFoundError", "PermissionError"),
        Arrays.asList(write.out.split("\n")),
        write.toString());
    final Script read = Script.run(PythonBridge.builder().readFolder(folder), text, path);
    assertEquals(
        List.of("PermissionError", loaded, "FileNotFoundError", "PermissionError"),
        Arrays.asList(read.out.split("\n")),
        read.toString());
  }
}
