package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Python's data as tensors and back: values, shapes, dtypes, errors. */
class DataTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec(
        """
        import jloss, array, pickle, struct
        from jloss import tensor as T

        def error(f):
            try:
                return f()
            except Exception as e:
                return f"{type(e).__name__}: {e}"
        """);
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          [str(T(v).dtype)[6:] for v in ([1, 2.5], [True, 0.5], [1, True], [True, 1], [True], 3, True, 2.5, [])] | ['float32', 'float32', 'int64', 'int64', 'bool', 'int64', 'bool', 'float32', 'float32']
          T([(1, 2), range(2)]).tolist(), T([[[1], [2]]]).tolist(), T([[], []]).tolist() | ([[1, 2], [0, 1]], [[[1], [2]]], [[], []])
          T([1, 0, 2.5, float('nan')], dtype=jloss.bool).tolist() | [True, False, True, True]
          T([1.7, -1.7], dtype=jloss.int64).tolist(), T([1, 2], dtype=float).tolist() | ([1, -1], [1.0, 2.0])
          T([T(1), 2]).tolist(), T([T(1.5), 2]).tolist(), T([1.0, T(2)]).tolist(), T([T(True)]).tolist() | ([1, 2], [1.5, 2.0], [1.0, 2.0], [True])
          T([0.1], dtype=jloss.float64).tolist(), T([1e300]).tolist(), T([2 ** 63 - 1]).tolist() | ([0.1], [inf], [9223372036854775807])
          T([[1, 2], [3, 4]]).T.tolist(), jloss.zeros(2, 0, 3).tolist(), jloss.zeros(0, 2).tolist() | ([[1, 3], [2, 4]], [[], []], [])
          T(3).tolist(), T(True).tolist(), T(0.5).tolist() | (3, True, 0.5)
          T(b'ab').tolist(), T(bytearray(b'ab')).dtype, T(b'').shape | ([97, 98], jloss.uint8, jloss.Size([0]))
          T(memoryview(b'abcdef').cast('B', (2, 3))).tolist(), T(memoryview(b'abcd')[::2]).tolist() | ([[97, 98, 99], [100, 101, 102]], [97, 99])
          T([1.0, -2.0]).tobytes() == struct.pack('2f', 1, -2), T([[1, 2], [3, 4]]).T.tobytes() == struct.pack('4q', 1, 3, 2, 4) | (True, True)
          T([[1, 2]]).buffer().tolist(), T([[1, 2]]).buffer().shape, T(2.5).buffer().tolist(), T([[1.0]]).buffer().readonly | ([[1, 2]], (1, 2), [2.5], True)
          T(T([[1.5, 2.0]]).buffer()).tolist(), T(jloss.zeros(0).buffer()).tolist() | ([[1.5, 2.0]], [])
          T([[1.0, 2.0]]).__array_interface__ == {'version': 3, 'shape': (1, 2), 'typestr': '<f4', 'data': struct.pack('2f', 1, 2)} | True
          [T([1], dtype=d).__array_interface__['typestr'][1:] for d in (bool, int, jloss.uint8, jloss.float16)] | ['b1', 'i8', 'u1', 'f2']
          pickle.loads(pickle.dumps(T([[1.5, 2]], requires_grad=True))) | tensor([[1.5000, 2.0000]], requires_grad=True)
          [error(lambda: T(v)) for v in (['a'], [None], {}, 'ab', object())] | ["ValueError: too many dimensions 'str'", 'RuntimeError: Could not infer dtype of NoneType', 'RuntimeError: Could not infer dtype of dict', "TypeError: new(): invalid data type 'str'", 'RuntimeError: Could not infer dtype of object']
          error(lambda: T([[1], [1, 2]])) | ValueError: expected sequence of length 1 at dim 1 (got 2)
          error(lambda: T([[1], 2])), error(lambda: T([[1, 2], 'ab'])) | ('TypeError: expected a sequence at dim 1, got int', 'TypeError: expected a sequence at dim 1, got str')
          error(lambda: T([1, [2]])) | ValueError: expected a number at dim 1, got a sequence
          error(lambda: T([2 ** 63])), error(lambda: T([300], dtype=jloss.uint8)) | ('ValueError: Overflow when unpacking long long', 'RuntimeError: value cannot be converted to type uint8 without overflow')
          error(lambda: T([float('nan')], dtype=int)) | ValueError: cannot convert float NaN to integer
          error(lambda: T([1.0], dtype=jloss.float16).buffer()) | TypeError: jloss.float16 has no buffer format; use float()
          error(lambda: T([1.0], dtype=jloss.bfloat16).__array_interface__) | TypeError: jloss.bfloat16 is unknown to NumPy; use float()
          error(lambda: T([1.0]).numpy()) | ModuleNotFoundError: NumPy does not load in the JVM: use tolist(), tobytes() or buffer()
          error(lambda: jloss.zeros(2, device='meta').tolist()) | NotImplementedError: a meta tensor has no data
          error(lambda: jloss.zeros(1).expand(2 ** 31).tobytes()) | MemoryError: a tensor of 8589934592 bytes is too large for Python
          error(lambda: T(array.array('u', 'ab'))) | TypeError: a buffer of format 'w' has no dtype
          """)
  void isWhatPythonHas(String expression, String expected) {
    assertEquals(expected, String.valueOf(python.eval("str((" + expression + "))")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"float16", "float32", "float64", "bfloat16", "int64", "int32", "int16"})
  void everyDtypeGoesThereAndBack(String dtype) {
    assertEquals(
        "[[-3, 0], [1, 100]]",
        python.eval(
            "str([[int(v) for v in r] for r in T([[-3, 0], [1, 100]], dtype=jloss.%s).tolist()])"
                .formatted(dtype)));
  }

  /** More than one piece at a time, and a last one that is shorter. */
  @Test
  void large() {
    python.exec(
        """
        values = [i * 0.5 for i in range(150_001)]
        rows = [values[i : i + 3] for i in range(0, 150_000, 3)]
        packed = array.array('d', values)
        """);
    assertEquals(
        true,
        python.eval(
            "T(values).tolist() == values and T(packed).tolist() == values"
                + " and T(packed.tobytes()).view(jloss.float64).tolist() == values"
                + " and T(rows).tolist() == rows and T(rows).shape == (50_000, 3)"
                + " and T(memoryview(packed)[1:]).tobytes() == packed.tobytes()[8:]"));
  }
}
