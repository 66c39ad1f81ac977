package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.List;
import org.graalvm.polyglot.HostAccess;
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

  /** What scripts hold of a caller's object, for the ways out through it. */
  public static final class Passed {
    /** A text. */
    @HostAccess.Export
    public String hello() {
      return "hello";
    }
  }

  @Test
  void everyWayOutIsRefused() {
    try (Python child = PythonBridge.isolated().stdout(OUT).stderr(ERR).build()) {
      final ProcessHandle process = ((IsolatedPython) child).process();
      OUT.reset();
      assertEquals(0, child.runScript("escape.py", ATTEMPTS, List.of()), ERR.toString());
      assertEquals("end\n", OUT.toString());
      // These end a script by an error of GraalPy's own, or end its interpreter; never the JVM.
      for (final String code :
          List.of(
              "(lambda: 0).__code__.replace(co_code=b'\\xff' * 20)",
              "import _imp\nfrom importlib.machinery import ModuleSpec\n"
                  + "_imp.create_builtin(ModuleSpec('posix', None)).getppid()",
              "import __graalpython__\nprint(__graalpython__.unsafe_object_new(int))",
              "import atexit\natexit.register(lambda: 1 / 0)\nimport sys\nsys.exit(1)",
              "import sys\nsys.excepthook = None\nsys.stderr = None\n1 / 0")) {
        assertNotEquals(-1, child.runScript("fatal.py", code, List.of()), code);
        assertEquals(3L, child.eval("1 + 2"), code);
      }
      assertEquals(3, child.runScript("exit.py", "import os\nos._exit(3)", List.of()));
      assertThrows(IllegalStateException.class, () -> child.eval("1"));
      assertTrue(process.isAlive());
    }
  }

  private static final ByteArrayOutputStream OUT = new ByteArrayOutputStream();
  private static final ByteArrayOutputStream ERR = new ByteArrayOutputStream();

  /** Each must raise an exception; what does not prints its name. */
  private static final String ATTEMPTS =
      """
      import os, sys
      import _imp, _signal, signal, importlib, importlib.machinery
      import _jloss_host, jloss

      host = _jloss_host.host
      x = jloss.tensor([1.0])
      loss = jloss.MseLoss()

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

      def import_hook():
          class Finder:
              def find_spec(self, name, path=None, target=None):
                  if name == "hooked":
                      return importlib.machinery.ModuleSpec(
                          name, importlib.machinery.ExtensionFileLoader(name, "/tmp/x.so"))
          sys.meta_path.insert(0, Finder())
          import hooked

      def path_hook():
          sys.path.insert(0, "/etc")
          importlib.machinery.SourceFileLoader("passwd", "/etc/passwd").load_module()

      def marshalled():
          import marshal
          code = compile("open('/etc/passwd')", "x", "exec")
          exec(marshal.loads(marshal.dumps(code)), {})

      def subclasses():
          for cls in object.__subclasses__():
              if "Popen" in cls.__name__:
                  cls(["/bin/true"])
          raise LookupError

      def frame():
          frame = sys._getframe()
          while frame is not None:
              if "context" in frame.f_locals or "jvm" in frame.f_globals:
                  return frame
              frame = frame.f_back
          raise LookupError

      def members(held):
          # Everything that Java lets out, against the names that would lead on.
          for name in ("getClass", "class", "__class__", "pool", "tensor", "entry", "loss",
                       "files", "object", "wait", "notify", "hashCode", "clone"):
              found = getattr(held, name, None)
              if found is not None and "polyglot" not in str(type(found)) and name != "__class__":
                  return name
          type(held).getName()

      def deep():
          sys.setrecursionlimit(10**9)
          (lambda f: f(f))(lambda f: f(f))

      pickled = "__import__('pickle').loads"
      attempts = dict(
          read=lambda: open("/etc/passwd"),
          environ=lambda: open("/proc/self/environ"),
          memory=lambda: open("/proc/self/mem", "rb"),
          null=lambda: open("/dev/null"),
          write=lambda: open("/tmp/jloss-escape", "w"),
          package=lambda: open(jloss.__file__, "w"),
          listing=lambda: os.listdir("/"),
          scan=lambda: os.scandir("/"),
          chdir=lambda: os.chdir("/"),
          remove=lambda: os.remove("/etc/hostname"),
          rename=lambda: os.rename("/etc/hostname", "x"),
          times=lambda: os.utime("/etc/hostname"),
          mode=lambda: os.chmod("/etc/hostname", 0),
          owner=lambda: os.chown("/etc/hostname", 0, 0),
          own_owner=lambda: os.fchown(1, 0, 0),
          blocking=lambda: os.set_blocking(0, False),
          stat=lambda: os.stat("/etc/passwd"),
          link=lambda: os.symlink("/etc/passwd", "passwd"),
          temporary=lambda: __import__("tempfile").TemporaryFile(),
          zip=lambda: __import__("zipfile").ZipFile("/tmp/x.zip", "w"),
          log=lambda: __import__("logging").FileHandler("/tmp/x.log"),
          database=lambda: __import__("sqlite3").connect("/tmp/x.db"),
          graalpy=lambda: __import__("__graalpython__").read_file("/etc/passwd"),
          system=lambda: os.system("id"),
          posix_system=lambda: __import__("posix").system("id"),
          popen=lambda: os.popen("id"),
          fork=lambda: os.fork(),
          execv=lambda: os.execv("/bin/true", ["true"]),
          execve=lambda: os.execve("/bin/true", ["true"], {}),
          spawn=lambda: os.posix_spawn("/bin/true", ["true"], {}),
          kill=lambda: os.kill(os.getpid(), 9),
          killpg=lambda: os.killpg(0, 9),
          getppid=lambda: os.getppid(),
          getpgid=lambda: os.getpgid(0),
          setsid=lambda: os.setsid(),
          waitpid=lambda: os.waitpid(-1, 1),
          openpty=lambda: os.openpty(),
          abort=lambda: os.abort(),
          subprocess=lambda: __import__("subprocess").run(["/bin/true"]),
          fork_exec=lambda: __import__("_posixsubprocess").fork_exec(),
          process=lambda: __import__("multiprocessing").Process(target=print).start(),
          pool=lambda: __import__("multiprocessing").Pool(2),
          queue=lambda: __import__("multiprocessing").Queue(),
          executor=lambda: __import__("concurrent.futures").futures.ProcessPoolExecutor(1).submit(print),
          socket=lambda: __import__("socket").socket(),
          name=lambda: __import__("socket").getaddrinfo("localhost", 80),
          connection=lambda: __import__("socket").create_connection(("localhost", 80)),
          url=lambda: __import__("urllib.request").request.urlopen("http://localhost/"),
          select=lambda: __import__("select").select([0], [], [], 0),
          ctypes=lambda: __import__("ctypes").CDLL(None),
          extension=lambda: importlib.machinery.ExtensionFileLoader("x", "/tmp/x.so").create_module(
              importlib.machinery.ModuleSpec("x", None, origin="/tmp/x.so")),
          import_hook=import_hook,
          path_hook=path_hook,
          thread=lambda: __import__("threading").Thread(target=print).start(),
          thread_pool=lambda: __import__("concurrent.futures").futures.ThreadPoolExecutor(1).submit(print),
          timer=lambda: __import__("threading").Timer(1, print).start(),
          dump_later=lambda: __import__("faulthandler").dump_traceback_later(1),
          sigsegv=lambda: __import__("faulthandler")._sigsegv(),
          rlimit=lambda: __import__("resource").setrlimit(0, (1, 1)),
          mmap=lambda: __import__("mmap").mmap(-1, 1 << 40),
          raise_signal=lambda: signal.raise_signal(15),
          alarm=lambda: signal.alarm(1),
          handler=lambda: signal.signal(2, print),
          fresh_signal=fresh_signal,
          reloaded_signal=reloaded_signal,
          reimported_signal=reimported_signal,
          pickle_system=lambda: eval(pickled)(b'cos\\nsystem\\n(S"id"\\ntR.'),
          pickle_posix=lambda: eval(pickled)(b'cposix\\nsystem\\n(S"id"\\ntR.'),
          pickle_java=lambda: eval(pickled)(b'cjava\\ntype\\n(S"java.lang.System"\\ntR.'),
          marshalled=marshalled,
          subclasses=subclasses,
          frame=frame,
          java_type=lambda: __import__("java").type("java.lang.System"),
          java_import=lambda: __import__("java.lang.System"),
          classpath=lambda: __import__("java").add_to_classpath("/tmp"),
          polyglot=lambda: __import__("polyglot").eval(language="python", string="1"),
          polyglot_file=lambda: __import__("polyglot").eval(language="python", path="/etc/passwd"),
          import_value=lambda: __import__("polyglot").import_value("x"),
          host_members=lambda: members(host),
          tensor_members=lambda: members(x._jloss),
          loss_members=lambda: members(loss._jloss),
          code_members=lambda: members(host.code(6)),
          array_members=lambda: members(host.names()),
          get_class=lambda: host.getClass(),
          pointer=lambda: x._jloss.tensor(),
          entry=lambda: x._jloss.entry,
          file_tensor=lambda: jloss.from_file("/etc/passwd", False, 10),
          raw_storage=lambda: x.set_(x),
          internal=lambda: x._local_scalar_dense(),
          deep=deep,
          deep_json=lambda: __import__("json").loads("[" * 200000),
          deep_code=lambda: compile("-" * 300000 + "1", "x", "eval"),
          deep_attribute=lambda: type("A", (), {"__getattr__": lambda s, n: getattr(s, n)})().x,
          huge_bytes=lambda: bytes(10**12),
          huge_list=lambda: [0] * 10**10,
          huge_int=lambda: 1 << 10**10,
          huge_tensor=lambda: jloss.zeros(1 << 40),
      )
      for name, attempt in attempts.items():
          try:
              attempt()
              print("ESCAPED", name)
          except BaseException as error:
              assert not isinstance(error, SystemExit), name
      print("end")
      """;

  @Test
  void aPassedObjectLeadsNowhere() {
    try (PythonBridge python = PythonBridge.create()) {
      python.set("passed", new Passed());
      assertEquals("hello", python.eval("passed.hello()"));
      for (final String way :
          List.of(
              "passed.getClass()",
              "passed.class_",
              "passed._JavaObject__object.object",
              "passed._JavaObject__object.getClass()",
              "passed._JavaObject__object.values",
              "passed._JavaObject__object.call('getClass', ())",
              "passed._JavaObject__object.call('wait', ())",
              "passed.hello.__self__",
              "passed.hello.__closure__[0].cell_contents.methods",
              "passed.x = 1",
              "type(passed._JavaObject__object).forName('java.lang.System')",
              "__import__('polyglot').as_super(passed)")) {
        assertThrows(PythonException.class, () -> python.exec(way), way);
      }
    }
  }

  @Test
  void theEnvironmentIsNotShown() {
    final Script script =
        Script.run("import os; print('PATH' in os.environ, 'HOME' in os.environ)");
    assertEquals("False False\n", script.out);
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
            import io, jloss, torch
            wide = torch.ones(1).expand(10**8)
            for make in (lambda: jloss.zeros(1 << 40), lambda: jloss.zeros(1 << 25),
                         lambda: jloss.ones(100_000, 1) * jloss.ones(1, 100_000),
                         lambda: torch.save({"a": wide}, io.BytesIO()), lambda: wide.tobytes()):
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
    assertEquals("MemoryError True\n".repeat(5) + "True\nend\n", script.out, script.toString());
    assertTrue(script.err.isEmpty(), script.err);
  }
}
