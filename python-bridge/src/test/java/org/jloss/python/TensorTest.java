package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tensors behave and print as PyTorch's; the expected texts are PyTorch's own. */
class TensorTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec(
        """
        import jloss, array, pickle
        x = jloss.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        i = jloss.tensor([3, 1, 2])

        def error(f):
            try:
                f()
            except Exception as e:
                return type(e).__name__
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
          x.tolist() | [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
          x.shape == (2, 3) and x.size(1) == 3 and len(x) == 2 and x.ndim == 2 | True
          (x + 1).tolist(), (1 - x[0]).tolist() | ([[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]], [0.0, -1.0, -2.0])
          (x[0] * x[1]).tolist(), (6 / x[0]).tolist() | ([4.0, 10.0, 18.0], [6.0, 3.0, 2.0])
          (x @ x.T).tolist() | [[14.0, 32.0], [32.0, 77.0]]
          (x ** 2)[1].tolist(), (2 ** i).tolist() | ([16.0, 25.0, 36.0], [8, 2, 4])
          (i // 2).tolist(), (i % 2).tolist(), (-i).tolist() | ([1, 0, 1], [1, 1, 0], [-3, -1, -2])
          (x > 2).tolist() | [[False, False, True], [True, True, True]]
          x.sum().item(), x.mean().item(), x.sum(1).tolist(), x.sum(dim=0).tolist() | (21.0, 3.5, [6.0, 15.0], [5.0, 7.0, 9.0])
          x[1, 2].item(), x[-1].tolist(), x[:, 1:].tolist(), x[..., 0].tolist() | (6.0, [4.0, 5.0, 6.0], [[2.0, 3.0], [5.0, 6.0]], [1.0, 4.0])
          x[x > 4].tolist(), x[:, [2, 0]].tolist(), x[None].shape == (1, 2, 3) | ([5.0, 6.0], [[3.0, 1.0], [6.0, 4.0]], True)
          [r.sum().item() for r in x] | [6.0, 15.0]
          x.reshape(3, 2).tolist() == x.reshape((3, -1)).tolist() == x.view(3, 2).tolist() | True
          x.max().item(), x.argmax().item(), x.max(1)[1].tolist() | (6.0, 5, [2, 2])
          jloss.cat([x, x]).shape == (4, 3), jloss.stack((x, x), 1).shape == (2, 2, 3) | (True, True)
          jloss.zeros(2).tolist(), jloss.ones((1, 2)).tolist(), jloss.arange(3).tolist() | ([0.0, 0.0], [[1.0, 1.0]], [0, 1, 2])
          repr(jloss.tensor([1.0, 2.5])) | tensor([1.0000, 2.5000])
          repr(jloss.tensor([1e-8, 1.0])) | tensor([1.0000e-08, 1.0000e+00])
          repr(jloss.tensor(3)), repr(jloss.tensor([True])) | ('tensor(3)', 'tensor([True])')
          repr(jloss.tensor([1.0], dtype=jloss.float64)) | tensor([1.], dtype=jloss.float64)
          repr(jloss.tensor([])), repr(jloss.zeros(0, 2)) | ('tensor([])', 'tensor([], size=(0, 2))')
          repr(jloss.arange(2000)) | tensor([   0,    1,    2,  ..., 1997, 1998, 1999])
          repr(jloss.tensor([float('nan'), float('inf'), 1.0])) | tensor([nan, inf, 1.])
          jloss.tensor(b'ab').tolist(), jloss.tensor(array.array('d', [0.5])).dtype | ([97, 98], jloss.float64)
          jloss.tensor(memoryview(array.array('i', [1, 2]))).dtype, jloss.tensor([1, 2.0]).dtype | (jloss.int32, jloss.float32)
          jloss.tensor([1, 0], dtype=jloss.bool).tolist(), x.to(jloss.bfloat16).dtype | ([True, False], jloss.bfloat16)
          jloss.tensor([[]]).shape == (1, 0), jloss.zeros(2, 0).tolist(), jloss.zeros(0, 2).tolist() | (True, [[], []], [])
          error(lambda: x[2]), error(lambda: x['a']), error(lambda: x[0, 0, 0]) | ('IndexError', 'TypeError', 'IndexError')
          error(lambda: x @ x), error(lambda: bool(x)), error(lambda: x.item()) | ('RuntimeError', 'RuntimeError', 'RuntimeError')
          error(lambda: x + 'a'), error(lambda: x.nothing), error(lambda: x.sum('a')) | ('TypeError', 'AttributeError', 'RuntimeError')
          error(lambda: jloss.tensor([[1], [1, 2]])), error(lambda: jloss.tensor(['a'])) | ('ValueError', 'ValueError')
          jloss.Tensor.logaddexp2(x[0, 0] * 0, x[0, 0] * 0).item(), hasattr(jloss.Tensor, 'nothing') | (1.0, False)
          error(lambda: i.requires_grad_()), error(lambda: len(x[0, 0])) | ('RuntimeError', 'TypeError')
          pickle.loads(pickle.dumps(x)).tolist() == x.tolist() | True
          """)
  void isPyTorchs(String expression, String expected) {
    assertEquals(
        expected,
        String.valueOf(
            python.eval(
                "str("
                    + (expression.startsWith("repr(") && !expression.contains("), ")
                        ? expression
                        : "(" + expression + ")")
                    + ")")));
  }

  @Test
  void gradients() {
    python.exec(
        """
        w = jloss.tensor([2.0, 3.0], requires_grad=True)
        y = (w * w).sum()
        y.backward()
        first = w.grad.tolist()
        w.grad = None
        (w ** 3).sum().backward()
        with jloss.no_grad():
            free = w * 2
        """);
    assertEquals("[4.0, 6.0]", python.eval("str(first)"));
    assertEquals("[12.0, 27.0]", python.eval("str(w.grad.tolist())"));
    assertEquals(false, python.eval("free.requires_grad"));
    assertEquals(true, python.eval("(w * 2).requires_grad and w.is_leaf"));
    assertEquals("tensor([2., 3.], requires_grad=True)", python.eval("repr(w)"));
    assertEquals("tensor([4., 6.], grad_fn=<MulBackward0>)", python.eval("repr(w * 2)"));
  }

  @Test
  void writes() {
    python.exec(
        """
        z = jloss.zeros(2, 3)
        z[0, 1] = 5
        z[1] = jloss.tensor([1.0, 2.0, 3.0])
        z[z > 4] = -1
        z[:, 0] += 10
        z.add_(1).mul_(2)
        """);
    assertEquals("[[22.0, 0.0, 2.0], [24.0, 6.0, 8.0]]", python.eval("str(z.tolist())"));
  }

  @Test
  void seedGivesPyTorchsNumbers() {
    python.exec("jloss.manual_seed(0)");
    assertEquals("tensor([ 1.5410, -0.2934, -2.1788])", python.eval("repr(jloss.randn(3))"));
  }
}
