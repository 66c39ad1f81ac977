package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A training loop that frees nothing stays small. */
class MemoryTest {
  @Test
  void tenThousandSteps() {
    // About 70 KiB of tensors a step: seven times the budget in all.
    final Script script =
        Script.run(
            PythonBridge.builder().memory(100L << 20),
            """
            import jloss
            w = jloss.zeros(64, 16, requires_grad=True)
            x, y = jloss.randn(256, 64), jloss.randn(256, 16)
            loss = jloss.MseLoss()
            first = None
            for step in range(10_000):
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
