package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.junit.jupiter.api.Test;

/** torch.autograd does as PyTorch's: autograd.txt is what CPython prints of autograd.py. */
class AutogradTest {
  @Test
  void printsAsPyTorch() throws IOException {
    final Script script = Script.run(resource("autograd.py"));
    assertEquals(resource("autograd.txt"), script.out, script.err);
  }

  @Test
  void backwardPassesWithinOneAnotherEndBeforeTheyWaitForThemselves() {
    final Script script =
        Script.run(
            """
            import torch

            class Nested(torch.autograd.Function):
                @staticmethod
                def forward(ctx, x, more):
                    ctx.more = more
                    return x.clone()

                @staticmethod
                def backward(ctx, upstream):
                    if ctx.more > 0:
                        with torch.enable_grad():
                            inner(ctx.more - 1)
                    return upstream, None

            def inner(depth):
                x = torch.ones(2, requires_grad=True)
                Nested.apply(x, depth).sum().backward()
                return x.grad.tolist()

            print(inner(40))
            try:
                inner(100)
            except RecursionError:
                print("refused")
            print(inner(3), torch.is_grad_enabled())
            """);
    assertEquals("[1.0, 1.0]\nrefused\n[1.0, 1.0] True\n", script.out, script.err);
  }

  @Test
  void whatLibtorchHasNotImplementedSaysSo() {
    final Script script =
        Script.run(
            """
            import torch
            try:
                torch.softmax(torch.arange(3), 0)
            except NotImplementedError as error:
                print(error)
            """);
    assertEquals(
        "\"softmax_lastdim_kernel_impl\" not implemented for 'Long'\n", script.out, script.err);
  }

  @Test
  void anEdgeThatIsNotOfALeafSaysSo() {
    final Script script =
        Script.run(
            """
            import torch
            x = torch.ones(2, requires_grad=True)
            y = x * 2
            try:
                torch.autograd.grad(y.sum(), torch.autograd.graph.get_gradient_edge(y))
            except NotImplementedError as error:
                print(error)
            """);
    assertEquals(
        "a GradientEdge here has to be of a leaf, not of MulBackward0\n", script.out, script.err);
  }

  @Test
  void aHookGetsItsLeaf() {
    final Script script =
        Script.run(
            """
            import torch
            def summed():
                leaf = torch.ones(2, requires_grad=True)
                leaf.register_post_accumulate_grad_hook(lambda p: print(p, p.grad))
                return leaf.sum()
            kept = torch.ones(2, requires_grad=True)
            kept.register_post_accumulate_grad_hook(lambda p: print(p is kept))
            kept.sum().backward()
            summed().backward()
            """);
    assertEquals(
        "True\ntensor([1., 1.], requires_grad=True) tensor([1., 1.])\n", script.out, script.err);
  }

  @Test
  void importsNothingThatItDoesNotNeed() {
    final Script script =
        Script.run(
            """
            import sys
            import torch
            torch.optim.SGD(torch.nn.Linear(2, 1).parameters())
            print(hasattr(torch.nn, "_private"))
            print([m for m in ("difflib", "re", "inspect", "json", "typing") if m in sys.modules])
            """);
    assertEquals("False\n[]\n", script.out, script.err);
  }

  /** What Java makes while a script runs. */
  public static final class Maker {
    /** The dtype of libtorch's default. */
    @HostAccess.Export
    public String dtype() {
      try (Tensor ones = torch.ones(1)) {
        return ones.scalar_type().toString();
      }
    }
  }

  @Test
  void aDefaultDtypeIsTheInterpretersOwn() {
    try (PythonBridge one = PythonBridge.create();
        PythonBridge other = PythonBridge.create()) {
      final String dtypes =
          "str((torch.ones(1).dtype, (torch.arange(2) / 2).dtype, maker.dtype()))";
      one.exec("import torch; torch.set_default_dtype(torch.float64)");
      other.exec("import torch");
      one.set("maker", new Maker());
      other.set("maker", new Maker());
      assertEquals("(torch.float64, torch.float64, 'Float')", one.eval(dtypes));
      assertEquals("(torch.float32, torch.float32, 'Float')", other.eval(dtypes));
      // Past the package's own check: a code of libtorch's that is no float's.
      other.exec(
          """
          from jloss import _tensor
          for code in (4, 11, 12, 99, -1):
              try:
                  _tensor.call(_tensor.host.setDefaultDtype, code)
                  assert False, code
              except TypeError:
                  pass
          """);
      assertEquals("(torch.float32, torch.float32, 'Float')", other.eval(dtypes));
    }
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = Objects.requireNonNull(AutogradTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
