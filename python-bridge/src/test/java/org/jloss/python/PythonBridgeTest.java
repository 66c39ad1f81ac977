package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.NdArray;
import org.jloss.Reduction;
import org.jloss.Tensors;
import org.jloss.regression.MseLoss;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Values between Java and Python. */
class PythonBridgeTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec("import jloss");
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  @Test
  void plainValues() {
    python.set("n", 3);
    python.set("s", "text");
    python.set("none", null);
    assertEquals(4L, python.eval("n + 1"));
    assertEquals(1.5, python.eval("n / 2"));
    assertEquals(2.0, python.eval("2.0"));
    assertEquals(true, python.eval("n == 3"));
    assertEquals("TEXT", python.eval("s.upper()"));
    assertNull(python.get("none"));
    assertEquals(List.of(1L, "a"), python.eval("[1, 'a']"));
  }

  @Test
  void tensorsShareTheirData() {
    try (Tensor x = Tensors.of(new float[] {1, 2, 3})) {
      python.set("x", x);
      python.exec("x += 1");
      assertArrayEquals(new float[] {2, 3, 4}, Tensors.toFloats(x));
      try (Tensor doubled = (Tensor) python.eval("x * 2")) {
        assertArrayEquals(new float[] {4, 6, 8}, Tensors.toFloats(doubled));
      }
    }
    assertEquals(9.0, python.eval("x.sum().item()"));
  }

  @Test
  void plainArraysBecomeTensors() {
    final float[] data = {1, 2, 3, 4};
    python.set("x", NdArray.of(data, 2, 2));
    python.exec("x += 1");
    assertArrayEquals(new float[] {1, 2, 3, 4}, data);
    assertEquals("tensor([[2., 3.],\n        [4., 5.]])", python.eval("repr(x)"));
    python.set("both", List.of(NdArray.of(new long[] {7}), NdArray.scalar(0.5)));
    assertEquals(
        List.of("[7]", "jloss.int64", "0.5", "jloss.float64"),
        python.eval("[str(y) for x in both for y in (x.tolist(), x.dtype)]"));
  }

  @Test
  void losses() {
    python.set("loss", new MseLoss(Reduction.SUM));
    assertEquals("MseLoss(reduction='sum')", python.eval("repr(loss)"));
    assertEquals(new MseLoss(Reduction.NONE), python.eval("jloss.MseLoss(reduction='none')"));
  }

  @Test
  void errors() {
    final PythonException error =
        assertThrows(PythonException.class, () -> python.exec("{}['key']"));
    assertEquals("KeyError", error.type());
    assertEquals("KeyError: 'key'", error.getMessage());
    assertTrue(error.traceback().startsWith("Traceback (most recent call last):"));
    assertThrows(IllegalArgumentException.class, () -> python.set("o", new Object()));
    assertThrows(PythonException.class, () -> python.get("nowhere"));
    // Whose class has no words for them, or ends the attempt to find some.
    python.exec("class M(type):\n  def __getattribute__(cls, name): 1 / 0");
    for (final String body :
        List.of(
            "Exception):\n  def __str__(self): 1 / 0",
            "Exception):\n  def __str__(self): raise SystemExit(3)",
            "Exception, metaclass=M): pass")) {
      final PythonException wordless =
          assertThrows(
              PythonException.class, () -> python.exec("class E(" + body + "\nraise E()"), body);
      assertEquals("E", wordless.type());
    }
    python.exec(
        "class E(Exception):\n  told = 0\n  def __str__(self):\n    E.told += 1\n    return 'e'");
    assertThrows(PythonException.class, () -> python.exec("raise E"));
    assertEquals(2L, python.eval("E.told"), "once by GraalPy, once by the bridge");
  }

  @Test
  void containers() {
    final Map<String, Object> map = new LinkedHashMap<>();
    map.put("list", List.of(1, List.of(), Map.of(2, 3)));
    map.put("bytes", new byte[] {0, 127, -1});
    map.put("ints", new int[] {1, 2});
    map.put("none", null);
    map.put("big", BigInteger.TEN.pow(30).negate());
    map.put("nan", Double.NaN);
    map.put("set", Set.of("x"));
    python.set("map", map);
    assertEquals(
        "{'list': [1, [], {2: 3}], 'bytes': b'\\x00\\x7f\\xff', 'ints': [1, 2], 'none': None,"
            + " 'big': -1000000000000000000000000000000, 'nan': nan, 'set': {'x'}}",
        python.eval("repr(map)"));
    final Map<?, ?> back = (Map<?, ?>) python.get("map");
    assertEquals(List.of(1L, List.of(), Map.of(2L, 3L)), back.get("list"));
    assertArrayEquals(new byte[] {0, 127, -1}, (byte[]) back.get("bytes"));
    assertEquals(map.get("big"), back.get("big"));
    assertEquals(Double.NaN, back.get("nan"));
    assertEquals(Set.of("x"), back.get("set"));
    assertEquals(List.of(1L, 2L), python.eval("(1, 2)"));
    assertEquals(Long.MIN_VALUE, python.eval("-2**63"));
    assertEquals(BigInteger.ONE.shiftLeft(63), python.eval("2**63"));
    assertArrayEquals(new byte[] {1, 2}, (byte[]) python.eval("memoryview(bytearray([1, 2]))"));
    try (Tensor x = Tensors.of(new float[] {1, 2})) {
      python.set("nested", Map.of("x", List.of(x, new MseLoss())));
      assertEquals(3.0, python.eval("nested['x'][0].sum().item()"));
      final List<?> list = (List<?>) python.eval("nested['x']");
      ((Tensor) list.get(0)).close();
      assertEquals(new MseLoss(), list.get(1));
    }
    final List<Object> endless = new ArrayList<>();
    endless.add(endless);
    assertThrows(IllegalArgumentException.class, () -> python.set("endless", endless));
    assertThrows(PythonException.class, () -> python.eval("(lambda e: e.append(e) or e)([])"));
    assertThrows(IllegalArgumentException.class, () -> python.eval("1j"));
  }

  @Test
  void listsOfNumbersCrossInOneGo() {
    final Map<List<?>, String> lists = new LinkedHashMap<>();
    lists.put(
        List.of(0.5, -0.0, Double.MAX_VALUE, Double.NaN),
        "[0.5, -0.0, 1.7976931348623157e+308, nan]");
    lists.put(List.of(1, 2L, (short) -3, Long.MIN_VALUE), "[1, 2, -3, -9223372036854775808]");
    lists.put(List.of(0.5f, 2.0), "[0.5, 2.0]");
    lists.put(List.of(true, false), "[True, False]");
    lists.put(List.of(List.of(1, 2), List.of(), new int[] {3}), "[[1, 2], [], [3]]");
    lists.put(List.of(List.of(0.25), List.of(1.0, 2.0)), "[[0.25], [1.0, 2.0]]");
    lists.forEach(
        (list, text) -> {
          python.set("x", list);
          assertEquals(text, python.eval("repr(x)"));
          python.set("y", python.get("x"));
          assertEquals(text, python.eval("repr(y)"), text);
          // No element of its own among what crosses.
          assertEquals(3, ((Object[]) python.values().encode(list)).length, text);
          assertEquals(3, ((List<?>) python.invoke("get_global", "x")).size(), text);
        });
    assertEquals(3, ((List<?>) python.invoke("evaluate", "((1, 2), (3,)) * 1000")).size());
    assertEquals(List.of(List.of(1L, 2L), List.of(3L)), python.eval("((1, 2), (3,))"));
    final List<Object> mixed = Arrays.asList(1L, 2.5, true, null, "a", List.of(), List.of(1L));
    python.set("x", mixed);
    assertEquals("[1, 2.5, True, None, 'a', [], [1]]", python.eval("repr(x)"));
    assertEquals(mixed, python.get("x"));
    assertEquals(List.of(1L, true), python.eval("[1, True]"));
    assertEquals(List.of(1L, BigInteger.ONE.shiftLeft(63)), python.eval("[1, 2**63]"));
    assertEquals(List.of(List.of(), List.of()), python.eval("[[], ()]"));
    python.exec("import enum\nclass Two(enum.IntEnum):\n  A = 2");
    assertEquals(List.of(1L, 2L), python.eval("[1, Two.A]"));
  }

  /** A script's own mischief is an exception of the documented types, or none. */
  @Test
  void listsCrossWhateverAScriptPatches() {
    try (PythonBridge patched = PythonBridge.create()) {
      patched.exec(
          """
          import array, builtins, itertools
          array.array = lambda code, values: array
          array.tobytes = lambda: b"12345"
          itertools.chain = itertools.islice = None
          builtins.len = lambda values: 7
          builtins.map = lambda function, values: iter([3])
          """);
      assertEquals(List.of(1L, 2L), patched.eval("[1, 2]"));
      assertEquals(List.of(List.of(1L, 2L), List.of(3L)), patched.eval("[[1, 2], [3]]"));
      patched.set("x", List.of(List.of(1.5), List.of(2.5, 3.5)));
      assertEquals(List.of(List.of(1.5), List.of(2.5, 3.5)), patched.get("x"));
    }
    python.exec("class Fake:\n  def __init__(self, *tree): self._jloss = tree");
    final String one = "('numbers', 'q', '\\x01' + '\\0' * 7)";
    assertEquals(List.of(List.of(1L)), python.eval("Fake('lists', " + one + ", " + one + ")"));
    for (final String tree :
        List.of(
            "'numbers', 'q', '12345'",
            "'numbers', 'd', '12345'",
            "'numbers', 'x', '1'",
            "'numbers', 'q', 3",
            "'numbers', 'q'",
            "'lists', " + one + ", ('numbers', '?', '')",
            "'lists', ('numbers', 'q', '\\xff' * 8), " + one,
            "'lists', ('numbers', '?', '1'), " + one,
            "'lists', ('lists', " + one + ", " + one + "), " + one,
            "'lists', 1, 2")) {
      final RuntimeException e =
          assertThrows(RuntimeException.class, () -> python.eval("Fake(" + tree + ")"), tree);
      assertEquals(IllegalArgumentException.class, e.getClass(), tree);
      assertTrue(
          e.getMessage().startsWith("expected the length of one")
              || e.getMessage().startsWith("expected a Python list's numbers, got "),
          e.getMessage());
    }
  }

  @Test
  void arraysAreLists() {
    final Map<Object, String> arrays = new LinkedHashMap<>();
    arrays.put(new float[] {0.5f, 2}, "[0.5, 2.0]");
    arrays.put(new byte[][] {{1}, {2}}, "[b'\\x01', b'\\x02']");
    arrays.put(new int[][] {{1, 2}, {}, {3}}, "[[1, 2], [], [3]]");
    arrays.put(new Object[] {1, 0.5, new boolean[] {true}}, "[1, 0.5, [True]]");
    arrays.put(new Object[] {new int[] {1}, new double[] {0.5}}, "[[1], [0.5]]");
    arrays.forEach(
        (array, text) -> {
          python.set("x", array);
          assertEquals(text, python.eval("repr(x)"));
        });
  }

  /** What a caller passes in. */
  public static class Account {
    /** Not exported. */
    public int secret = 42;

    private int calls;

    /** A sum. */
    @HostAccess.Export
    public long add(long a, int b) {
      calls++;
      return a + b;
    }

    /** Another sum of the name. */
    @HostAccess.Export
    public double add(double a) {
      return a;
    }

    /** All kinds. */
    @HostAccess.Export
    public List<Object> all(String text, List<?> list, Map<?, ?> map, Tensor tensor, Object any) {
      return Arrays.asList(text, list, map, Tensors.toFloats(tensor), any);
    }

    /** A tensor. */
    @HostAccess.Export
    public Tensor tensor() {
      return Tensors.of(new float[] {1, 2});
    }

    /** Fails. */
    @HostAccess.Export
    public void fail() {
      throw new IllegalArgumentException("not this");
    }

    /** Itself. */
    @HostAccess.Export
    public Account self() {
      return this;
    }

    /** What scripts must not get. */
    @HostAccess.Export
    public Object type() {
      return Account.class;
    }

    /** Not exported. */
    public int secret() {
      return secret;
    }
  }

  @Test
  void objectsByTheirExportedMethods() {
    final Account account = new Account();
    python.set("account", account);
    assertEquals(5L, python.eval("account.add(2, 3)"));
    assertEquals(1, account.calls);
    assertEquals(2.5, python.eval("account.add(2.5)"));
    assertEquals(
        "['a', [1, 2], {'k': None}, [1.0], 7]",
        python.eval("repr(account.all('a', (1, 2), {'k': None}, jloss.ones(1), 7))"));
    assertEquals(3.0, python.eval("account.tensor().sum().item()"));
    assertEquals(5L, python.eval("account.self().self().add(2, 3)"));
    assertEquals("<Java Account>", python.eval("repr(account)"));
    assertEquals(
        List.of("add", "all", "fail", "self", "tensor", "type"), python.eval("dir(account)"));
    assertEquals("ValueError: not this", error("account.fail()"));
    assertEquals(
        "TypeError: add: argument 2: expected a int, got a String", error("account.add(1, 'x')"));
    assertEquals("TypeError: add() takes no 3 arguments", error("account.add(1, 2, 3)"));
    for (final String member :
        List.of("secret", "getClass", "hashCode", "clone", "wait", "calls", "_Account__x")) {
      assertEquals(
          "AttributeError: <Java Account> has no method '" + member + "'",
          error("account." + member),
          member);
    }
    // A class is no value, whoever returns it.
    assertTrue(error("account.type()").startsWith("ValueError: "), error("account.type()"));
  }

  private static String error(String expression) {
    return assertThrows(PythonException.class, () -> python.eval(expression)).getMessage();
  }

  /** Calls another interpreter. */
  public static final class Inner {
    private final PythonBridge python;

    Inner(PythonBridge python) {
      this.python = python;
    }

    @HostAccess.Export
    public Object state() {
      return python.eval("state()");
    }
  }

  /** Limit, warnings and grad mode are each interpreter's own, also where one calls another. */
  @Test
  void interpretersWithinOneAnother() {
    try (PythonBridge outer = PythonBridge.builder().memory(64 << 20).build();
        PythonBridge inner = PythonBridge.builder().memory(64 << 20).build()) {
      final String text =
          """
          import torch, warnings
          warnings.simplefilter("error")
          def state():
              found = [torch.ones(1, requires_grad=True).mul(2).requires_grad]
              for f in (lambda: torch.ones(40_000_000), lambda: torch.ones(1).std()):
                  try:
                      f()
                      found.append("no error")
                  except Exception as error:
                      found.append(type(error).__name__)
              return str(found)
          """;
      outer.exec(text);
      inner.exec(text);
      outer.set("inner", new Inner(inner));
      outer.exec("before = state()");
      outer.exec("with torch.no_grad():\n    nested = [state(), inner.state(), state()]");
      outer.exec("after = state()");
      final String with = "[True, 'MemoryError', 'UserWarning']";
      final String without = with.replace("True", "False");
      assertEquals(with, outer.eval("before"));
      assertEquals(List.of(without, with, without), outer.eval("nested"));
      assertEquals(with, outer.eval("after"));
    }
  }

  /** An interface of one's own. */
  interface Scaled {
    float scale(float by, List<Double> values);

    default float twice(List<Double> values) {
      return scale(2, values);
    }
  }

  @Test
  void functionsAsInterfaces() {
    python.exec("def scale(by, values): return by * sum(values)");
    final Scaled scaled = python.function("scale", Scaled.class);
    assertEquals(6f, scaled.scale(2, List.of(1.0, 2.0)));
    assertEquals(6f, scaled.twice(List.of(1.0, 2.0)));
    assertEquals("scale of Python", scaled.toString());
    assertEquals(scaled, scaled);
    assertEquals(scaled.hashCode(), scaled.hashCode());
    // It is the function that the name stood for.
    python.exec("scale = None");
    assertEquals(3f, scaled.scale(1, List.of(1.0, 2.0)));
    @SuppressWarnings("unchecked")
    final BiFunction<Object, Object, Object> pow = python.function("pow", BiFunction.class);
    assertEquals(1024L, pow.apply(2, 10));
    @SuppressWarnings("unchecked")
    final Comparator<Object> compare =
        python.function("lambda a, b: len(a) - len(b)", Comparator.class);
    assertEquals(List.of("a", "bb"), Stream.of("bb", "a").sorted(compare).toList());
    @SuppressWarnings("unchecked")
    final ToDoubleFunction<Object> wrong =
        python.function("lambda x: 'text'", ToDoubleFunction.class);
    final var e = assertThrows(IllegalArgumentException.class, () -> wrong.applyAsDouble(1));
    assertTrue(e.getMessage().contains("expected a double, got a String"), e.getMessage());
    final Runnable raises = python.function("lambda: 1 / 0", Runnable.class);
    assertThrows(PythonException.class, raises::run);
    assertThrows(IllegalArgumentException.class, () -> python.function("pow", List.class));
    assertThrows(IllegalArgumentException.class, () -> python.function("pow", String.class));
    assertEquals(
        "TypeError: 3 is a int, not a function",
        assertThrows(PythonException.class, () -> python.function("3", Runnable.class))
            .getMessage());
    // Java that a script calls may call the script.
    python.set("compare", new Caller(pow));
    assertEquals(8L, python.eval("compare.call(2, 3)"));
  }

  /** Calls back. */
  public static final class Caller {
    private final BiFunction<Object, Object, Object> function;

    Caller(BiFunction<Object, Object, Object> function) {
      this.function = function;
    }

    /** Calls the function. */
    @HostAccess.Export
    public Object call(Object a, Object b) {
      return function.apply(a, b);
    }
  }

  @Test
  void systemExitIsAnExceptionOutsideAProgram() {
    for (final String way : List.of("sys.exit(3)", "exit(3)", "(lambda: sys.exit(3))()")) {
      final PythonException e =
          assertThrows(PythonException.class, () -> python.exec("import sys\n" + way), way);
      assertEquals("SystemExit: 3", e.getMessage());
      assertEquals(3L, python.eval("1 + 2"));
    }
    final Runnable exits = python.function("lambda: sys.exit(3)", Runnable.class);
    assertEquals("SystemExit", assertThrows(PythonException.class, exits::run).type());
    assertEquals(3L, python.eval("1 + 2"));
  }

  @Test
  void threadsTakeTurnsAndContextsDoNot() throws Exception {
    try (PythonBridge other = PythonBridge.create()) {
      final ExecutorService threads = Executors.newFixedThreadPool(4);
      try {
        python.exec("count = 0\ndef more():\n  global count\n  n = count + 1\n  count = n");
        other.exec("count = 0\ndef more():\n  global count\n  n = count + 1\n  count = n");
        final Runnable here = python.function("more", Runnable.class);
        final Runnable there = other.function("more", Runnable.class);
        final List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
          all.add(threads.submit(i % 2 == 0 ? here : there));
        }
        for (final Future<?> each : all) {
          each.get();
        }
      } finally {
        threads.shutdown();
      }
      assertEquals(200L, python.eval("count"));
      assertEquals(200L, other.eval("count"));
    }
  }

  @Test
  void closedOnesSaySo() {
    final PythonBridge closed = PythonBridge.create();
    closed.close();
    closed.close();
    assertThrows(IllegalStateException.class, () -> closed.eval("1"));
    assertThrows(IllegalStateException.class, () -> closed.runScript("s.py", "", List.of()));
  }

  @Test
  void exportedMembersHandOutNoPointer() {
    final List<Class<?>> all = HostSweep.exporting();
    assertTrue(all.containsAll(List.of(Host.class, PyTensor.class, PyLoss.class)), all.toString());
    for (final Class<?> type : all) {
      for (final Method method : HostSweep.exported(type)) {
        Stream.concat(Stream.of(method.getReturnType()), Arrays.stream(method.getParameterTypes()))
            .forEach(t -> assertFalse(Pointer.class.isAssignableFrom(t), method.toString()));
      }
      assertTrue(
          Arrays.stream(type.getFields())
              .noneMatch(f -> f.isAnnotationPresent(HostAccess.Export.class)));
      assertTrue(
          Arrays.stream(type.getConstructors())
              .noneMatch(c -> c.isAnnotationPresent(HostAccess.Export.class)));
      final int modifiers = type.getModifiers();
      assertTrue(Modifier.isFinal(modifiers) || Modifier.isAbstract(modifiers), type.toString());
    }
  }
}
