package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A training loop that frees nothing stays small. */
class MemoryTest {
  @Test
  void manySteps() {
    // About 2.6 MiB of tensors a step: several times the budget in all.
    final Script script =
        Script.run(
            PythonBridge.builder().memory(300L << 20),
            """
            import jloss
            w = jloss.zeros(64, 16, requires_grad=True)
            x, y = jloss.randn(10_000, 64), jloss.randn(10_000, 16)
            loss = jloss.MseLoss()
            first = None
            for step in range(1000):
                value = loss(x @ w + 0.1, y)
                if first is None:
                    first = value.item()
                w.grad = None
                value.backward()
                with jloss.no_grad():
                    w -= 0.1 * w.grad
            print(value.item() < first)
            """);
    assertEquals("True\n", script.out, script.toString());
  }
}
