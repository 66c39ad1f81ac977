package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** torch.autograd does as PyTorch's: autograd.txt is what CPython prints of autograd.py. */
class AutogradTest {
  @Test
  void printsAsPyTorch() throws IOException {
    final Script script = Script.run(resource("autograd.py"));
    assertEquals(resource("autograd.txt"), script.out, script.err);
  }

  @Test
  void transformsAreRefusedInWords() {
    final Script script =
        Script.run(
            """
            import torch
            for f in (lambda: torch.func.grad, lambda: torch.vmap(abs)):
                try:
                    f()
                except NotImplementedError as error:
                    print(error)
            """);
    assertTrue(script.out.startsWith("torch.func.grad is not supported"), script.toString());
    assertEquals(2, script.out.lines().count());
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = Objects.requireNonNull(AutogradTest.class.getResourceAsStream(name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
