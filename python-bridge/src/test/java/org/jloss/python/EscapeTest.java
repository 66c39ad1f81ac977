package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a script may not do it cannot do, and the JVM lives on: these run in the tests' own. */
class EscapeTest {
  /** Operators that do not check their indices, and the one division that a processor traps on. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "jloss.tensor([-2**63]).div(jloss.tensor([-1]), rounding_mode='trunc')",
        "jloss.tensor([-2**63]).floor_divide(-1)",
        "jloss.tensor([-2**63]).remainder(jloss.tensor([-1]))",
        "jloss.op.max_pool2d_with_indices_backward",
        "jloss.max_pool2d_with_indices_backward",
        "jloss.sparse_coo_tensor",
        "jloss.segment_reduce",
        "jloss.tensor([1.0]).to_sparse()",
        "__import__('sys').modules['_jloss_host'].host.code(47)",
      })
  void operatorsThatWouldEndTheJvm(String expression) {
    try (PythonBridge python = PythonBridge.create()) {
      assertThrows(RuntimeException.class, () -> python.exec("import jloss\n" + expression));
      assertEquals("3", String.valueOf(python.eval("1 + 2")));
    }
  }

  @Test
  void everyWayOutIsRefused() {
    final Script script =
        Script.run(
            """
            import os, sys
            import _imp, _signal, signal, importlib, importlib.machinery
            import _jloss_host, jloss

            host = _jloss_host.host
            x = jloss.tensor([1.0])

            def fresh_signal():
                spec = importlib.machinery.ModuleSpec(
                    "_signal", importlib.machinery.BuiltinImporter, origin="built-in")
                module = _imp.create_builtin(spec)
                _imp.exec_builtin(module)
                module.raise_signal(15)

            def reloaded_signal():
                importlib.reload(_signal).raise_signal(15)

            def reimported_signal():
                del sys.modules["_signal"]
                import _signal
                _signal.raise_signal(15)

            attempts = dict(
                read=lambda: open("/etc/passwd"),
                write=lambda: open("/tmp/jloss-escape", "w"),
                package=lambda: open(jloss.__file__, "w"),
                listing=lambda: os.listdir("/"),
                chdir=lambda: os.chdir("/"),
                remove=lambda: os.remove("/etc/hostname"),
                stat=lambda: os.stat("/etc/passwd"),
                link=lambda: os.symlink("/etc/passwd", "passwd"),
                system=lambda: os.system("id"),
                posix_system=lambda: __import__("posix").system("id"),
                execv=lambda: os.execv("/bin/true", ["true"]),
                kill=lambda: os.kill(os.getpid(), 9),
                killpg=lambda: os.killpg(0, 9),
                subprocess=lambda: __import__("subprocess").run(["/bin/true"]),
                socket=lambda: __import__("socket").socket(),
                name=lambda: __import__("socket").getaddrinfo("localhost", 80),
                ctypes=lambda: __import__("ctypes").CDLL(None),
                thread=lambda: __import__("threading").Thread(target=print).start(),
                raise_signal=lambda: signal.raise_signal(15),
                alarm=lambda: signal.alarm(1),
                handler=lambda: signal.signal(2, print),
                fresh_signal=fresh_signal,
                reloaded_signal=reloaded_signal,
                reimported_signal=reimported_signal,
                java_type=lambda: __import__("java").type("java.lang.System"),
                classpath=lambda: __import__("java").add_to_classpath("/tmp"),
                polyglot=lambda: __import__("polyglot").eval(language="python", string="1"),
                get_class=lambda: host.getClass(),
                pool=lambda: host.pool,
                pointer=lambda: x._jloss.tensor(),
                entry=lambda: x._jloss.entry,
                file_tensor=lambda: jloss.from_file("/etc/passwd", False, 10),
                raw_storage=lambda: x.set_(x),
                internal=lambda: x._local_scalar_dense(),
            )
            for name, attempt in attempts.items():
                try:
                    attempt()
                    print("ESCAPED", name)
                except BaseException as error:
                    assert not isinstance(error, SystemExit)
            print("end")
            """);
    assertEquals("end\n", script.out, script.toString());
    assertEquals(0, script.status, script.toString());
  }

  @Test
  void theEnvironmentIsNotShown() {
    final Script script =
        Script.run("import os; print('PATH' in os.environ, 'HOME' in os.environ)");
    assertEquals("False False\n", script.out);
  }

  @Test
  void aFailureOfTheInterpreterEndsTheScriptAlone() {
    // GraalPy starts an inner context for it, which is refused by an error of its own.
    final Script script =
        Script.run("import multiprocessing\nmultiprocessing.Process(target=print).start()\n");
    assertEquals(1, script.status, script.toString());
  }

  @Test
  void interrupt() throws InterruptedException {
    try (PythonBridge python = PythonBridge.create()) {
      final Thread other =
          new Thread(
              () -> {
                try {
                  Thread.sleep(500);
                } catch (InterruptedException e) {
                  return;
                }
                python.interrupt(Duration.ofSeconds(20));
              });
      other.start();
      final int status = python.runScript("loop.py", "while True: pass\n", List.of());
      other.join();
      assertEquals(130, status);
      assertEquals(0, python.runScript("after.py", "print", List.of()));
    }
  }

  @Test
  void memoryBudget() {
    final Script script =
        Script.run(
            PythonBridge.builder().memory(64 << 20),
            """
            import jloss
            for make in (lambda: jloss.zeros(1 << 40), lambda: jloss.zeros(1 << 25),
                         lambda: jloss.ones(100_000, 1) * jloss.ones(1, 100_000)):
                try:
                    make()
                except MemoryError as error:
                    print("MemoryError", "budget" in str(error))
            kept = []
            try:
                while True:
                    kept.append(jloss.zeros(1 << 20))
            except MemoryError:
                print(10 < len(kept) <= 16)
            del kept
            for _ in range(100):
                last = jloss.zeros(1 << 20)
            print("end")
            """);
    assertEquals(
        "MemoryError True\nMemoryError True\nMemoryError True\nTrue\nend\n",
        script.out,
        script.toString());
    assertTrue(script.err.isEmpty(), script.err);
  }
}
