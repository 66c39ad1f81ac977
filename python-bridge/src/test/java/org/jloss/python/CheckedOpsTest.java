package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch;
import org.jloss.NativeLibrary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Operators that trust their arguments get none that would make them read or write elsewhere, and
 * scripts store nothing but tensors and plain data.
 */
class CheckedOpsTest {
  private static PythonBridge python;

  @BeforeAll
  static void start(@TempDir Path folder) {
    python = PythonBridge.builder().writeFolder(folder).build();
    python.set("folder", folder.toString());
    python.exec(
        """
        import torch
        from torch._checked import ctc_loss, optimizer_step, rnn

        x = torch.zeros(6, 2, 5).log_softmax(2)
        t = torch.tensor([[1, 2, 2], [3, 4, 0]])
        p, g = torch.zeros(4), torch.ones(4)
        big, small, double, count = torch.zeros(1000), torch.zeros(1), g.double(), torch.tensor(0.0)

        def adam(params=(p,), grads=(g,), first=(p * 0,), second=(p * 0,), most=(), steps=(count,), **options):
            lists = tuple(map(list, (params, grads, first, second, most, steps)))
            optimizer_step("adam", lists, **{**dict(lr=0.1, beta1=0.9, beta2=0.9, weight_decay=0.0, eps=1e-8,
                amsgrad=False, maximize=False), **options})

        def sgd(*lists, **options):
            optimizer_step("sgd", lists, **{**dict(weight_decay=0.0, momentum=0.9, lr=0.1, dampening=0.0,
                nesterov=False, maximize=False, is_first_step=False), **options})

        def net(kind="GRU", input=torch.zeros(4, 2, 3), states=((1, 2, 5),), shapes=((15, 3), (15, 5), (15,), (15,)),
                bias=True, layers=1, batch_first=False, sizes=()):
            rnn(kind, input, [torch.zeros(*s) for s in states], [torch.zeros(*s) for s in shapes], bias, layers,
                0.0, False, False, batch_first, batch_sizes=sizes)

        packed = torch.zeros(5, 3)

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
      textBlock =
          """
          ctc_loss(x, t + 3, (6, 6), (3, 2)) | IndexError
          ctc_loss(x, t - 1, (6, 6), (3, 2)) | IndexError
          ctc_loss(x, t, (7, 6), (3, 2)) | RuntimeError
          ctc_loss(x, t, (-1, 6), (3, 2)) | RuntimeError
          ctc_loss(x, t, (6, 6), (4, 2)) | RuntimeError
          ctc_loss(x, t, (6, 6), (3, -2)) | RuntimeError
          ctc_loss(x, t, (6, 6), (2**62, 2**62)) | RuntimeError
          ctc_loss(x, t, (6,), (3, 2)) | RuntimeError
          ctc_loss(x, t, (6, 6.5), (3, 2)) | TypeError
          ctc_loss(x, t[:1], (6, 6), (3, 2)) | RuntimeError
          ctc_loss(x, t.reshape(-1), (6, 6), (3, 2)) | RuntimeError
          ctc_loss(x, t.float(), (6, 6), (3, 2)) | RuntimeError
          ctc_loss(x, t, (6, 6), (3, 2), blank=5) | RuntimeError
          ctc_loss(x, t, (6, 6), (3, 2), blank=-1) | RuntimeError
          ctc_loss(x.long(), t, (6, 6), (3, 2)) | RuntimeError
          ctc_loss(x[0, 0], t, (6, 6), (3, 2)) | RuntimeError
          ctc_loss(3, t, (6, 6), (3, 2)) | TypeError
          adam(grads=(big,)) | RuntimeError
          adam(grads=(small,)) | RuntimeError
          adam(grads=(double,)) | RuntimeError
          adam(grads=()) | RuntimeError
          adam(first=(small,)) | RuntimeError
          adam(second=(g.long(),)) | RuntimeError
          adam(params=(p.long(),), grads=(g.long(),), first=(g.long(),), second=(g.long(),)) | RuntimeError
          adam(steps=(double,)) | RuntimeError
          adam(steps=()) | RuntimeError
          adam(steps=(torch.zeros(1, dtype=torch.int64),)) | RuntimeError
          adam(first=()) | RuntimeError
          adam(amsgrad=True) | RuntimeError
          adam(amsgrad=True, most=(small,)) | RuntimeError
          sgd([p], [g], []) | RuntimeError
          sgd([p], [g], [small]) | RuntimeError
          sgd([p], [g]) | ValueError
          sgd([], [], []) | NotImplementedError
          sgd([p, p], [g], [p]) | RuntimeError
          optimizer_step("lbfgs", ([p], [g])) | ValueError
          optimizer_step("adam", ([p], [g])) | ValueError
          net() |
          net("LSTM") | RuntimeError
          net("RNN") | ValueError
          net(layers=2) | RuntimeError
          net(layers=2**40) | RuntimeError
          net(layers=0) | RuntimeError
          net(bias=False) | RuntimeError
          net(batch_first=True) | RuntimeError
          net(states=((1, 2, 50),)) | RuntimeError
          net(states=((1, 2),)) | RuntimeError
          net(states=()) | RuntimeError
          net(shapes=((15, 3), (15, 5), (15,), (1,))) | RuntimeError
          net(shapes=((15, 30), (15, 5), (15,), (15,))) | RuntimeError
          net(shapes=()) | RuntimeError
          net(input=torch.zeros(4, 2)) | RuntimeError
          net(input=packed, sizes=(2, 2, 1)) |
          net(input=packed) | RuntimeError
          net(sizes=(2, 2)) | RuntimeError
          net(input=packed, sizes=(2, 2)) | RuntimeError
          net(input=packed, sizes=(2, 2, 2)) | RuntimeError
          net(input=packed, sizes=(2, 1, 2)) | RuntimeError
          net(input=packed, sizes=(2, 3)) | RuntimeError
          net(input=packed, sizes=(6, -1)) | RuntimeError
          net(input=packed, sizes=(2, 3, 0)) | RuntimeError
          net(input=packed, sizes=(2.0, 2, 1)) | RuntimeError
          net(input=packed, sizes=(3, 2)) | RuntimeError
          net(input=packed, sizes=(2, 2**62, 2**62, 2**62)) | RuntimeError
          net(input=torch.zeros(4, 2, 3).double()) | RuntimeError
          net("LSTM", states=((1, 2, 2), (1, 2, 5)), shapes=((20, 3), (20, 2), (20,), (20,))) | RuntimeError
          torch.save({"a": [len]}, folder + "/x.pt") | TypeError
          torch.save(torch.nn.Linear(1, 1), folder + "/x.pt") | TypeError
          torch.save({"a": 1}, folder + "/x.safetensors") | TypeError
          torch.save(p, "/tmp/x.pt") | PermissionError
          torch.load("/etc/passwd") | PermissionError
          torch.load(folder + "/none.pt") | FileNotFoundError
          torch.load(folder) | ValueError
          """)
  void isRefused(String call, String expected) {
    assertEquals(expected, python.eval("error(lambda: " + call + ")"));
  }

  @Test
  void changesNothingWhenItRefuses() {
    python.exec("adam_count = count.item(); error(lambda: adam(grads=(small,)))");
    assertEquals(true, python.eval("count.item() == adam_count and p.abs().sum().item() == 0"));
  }

  @Test
  void unsignedIntegersAreStoredOrRefusedInWords() {
    python.exec(
        """
        def stored(suffix):
            try:
                torch.save({"a": torch.tensor([1, 65535], dtype=torch.uint16)}, folder + suffix)
                return str(torch.load(folder + suffix)["a"].tolist())
            except Exception as e:
                return f"{type(e).__name__}: {e}"
        """);
    final String refused = "TypeError: tensors of dtype UInt16 cannot be stored";
    assertEquals(refused, python.eval("stored('/u.pt')"));
    assertEquals(refused, python.eval("stored('/u.safetensors')"));
  }

  @Test
  void missingNamesAndFilesAreToldOnce() {
    python.exec(
        """
        def said(f):
            try:
                f()
            except Exception as e:
                return str(e)
        """);
    for (final String name : new String[] {"hub", "onnx", "quantization"}) {
      assertEquals(
          "module 'torch' has no attribute '" + name + "'",
          python.eval("said(lambda: torch." + name + ")"));
    }
    assertEquals(
        "module 'torch' has no attribute 'zeross'. Did you mean: 'zeros'?",
        python.eval("said(lambda: torch.zeross)"));
    assertEquals(
        true,
        python.eval(
            "said(lambda: torch.load(folder + '/none.pt'))"
                + " == f\"[Errno 2] No such file or directory: '{folder}/none.pt'\""));
  }

  @Test
  void storesSafetensors(@TempDir Path other) throws Exception {
    python.exec(
        """
        torch.save({"w": torch.arange(3), "b": torch.nn.Parameter(torch.ones(2))}, folder + "/y.safetensors")
        again = torch.load(folder + "/y.safetensors")
        """);
    assertEquals(
        "{'b': [1.0, 1.0], 'w': [0, 1, 2]}",
        python.eval("str({k: again[k].tolist() for k in sorted(again)})"));
    assertTrue(Files.exists(Path.of((String) python.eval("folder")).resolve("y.safetensors")));
  }

  /** Small tensors go apart from large ones. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.optim.Adam(ps, amsgrad=True)",
        "torch.optim.AdamW(ps)",
        "torch.optim.SGD(ps, 0.1)",
        "torch.optim.SGD(ps, 0.1, momentum=0.9)",
        "torch.optim.Adagrad(ps)"
      })
  void aStepTakesEachTensorAsIfAlone(String optimizer) {
    python.exec(
        """
        def stepped(make, *sizes):
            ps = [torch.full((n,), n / 1e4, requires_grad=True) for n in sizes]
            optimizer = make(ps)
            for k in range(3):
                for p in ps:
                    p.grad = torch.arange(1.0, p.numel() + 1) / (k + 1)
                optimizer.step()
            return ps
        """);
    final String make = "lambda ps: " + optimizer;
    assertEquals(
        true,
        python.eval(
            "all(torch.equal(p, stepped(%s, p.numel())[0]) for p in stepped(%s, 3, 20000, 5, 30000))"
                .formatted(make, make)));
  }

  /** The hand-over takes longer than the work, and on a busy machine a thousand times as long. */
  @ParameterizedTest
  @ValueSource(strings = {"train(800, 1000)", "torch.full((1_000_000,), 0.5)"})
  @EnabledOnOs(OS.LINUX)
  void smallWorkIsNotSpreadOverThreads(String large) throws Exception {
    final Callable<Object> work =
        () -> {
          NativeLibrary.load();
          final int all = torch.get_num_threads();
          torch.set_num_threads(2);
          try (PythonBridge own = PythonBridge.create()) {
            own.exec(
                """
                import torch

                def train(*shape):
                    w = torch.nn.Parameter(torch.zeros(*shape))
                    loss = torch.nn.functional.cross_entropy(w, torch.zeros(shape[0], dtype=torch.int64))
                    loss.backward()
                    torch.optim.Adam([w]).step()
                """);
            final long before = threads();
            own.exec("train(8, 100)");
            final long alone = threads() - before;
            own.exec(large);
            return alone + " " + (threads() - before);
          } finally {
            torch.set_num_threads(all);
          }
        };
    final FutureTask<Object> task = new FutureTask<>(work);
    new Thread(null, task, "solo-" + large.substring(0, 5), 16L << 20).start();
    assertEquals("0 1", task.get());
  }

  /** How many threads have the name of this one, as those that it starts below Java do. */
  private static long threads() throws IOException {
    final String name = Thread.currentThread().getName();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(t -> ChildJvm.read(t.resolve("comm")).strip().equals(name)).count();
    }
  }
}
