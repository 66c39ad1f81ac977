package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scripts end as they do under {@code python script.py}. */
class ScriptTest {
  @Test
  void argumentsAndName() {
    final Script script = Script.run("import sys; print(sys.argv, __name__, __file__)", "a", "b c");
    assertEquals("['script.py', 'a', 'b c'] __main__ script.py\n", script.out);
    assertEquals(0, script.status);
  }

  @Test
  void exitStatus() {
    assertEquals(7, Script.run("import sys; sys.exit(7)").status);
    assertEquals(0, Script.run("import sys; sys.exit()").status);
    assertEquals(0, Script.run("exit()").status);
    assertEquals(3, Script.run("import os; os._exit(3)").status);
    final Script text = Script.run("raise SystemExit('no luck')");
    assertEquals(1, text.status);
    assertEquals("no luck\n", text.err);
  }

  @Test
  void tracebackNamesTheScriptsLines() {
    final Script script =
        Script.run(
            """
            def f(x):
                return 1 / x

            f(0)
            """);
    assertEquals(1, script.status);
    assertEquals(
        """
        Traceback (most recent call last):
          File "script.py", line 4, in <module>
            f(0)
          File "script.py", line 2, in f
            return 1 / x
        ZeroDivisionError: division by zero
        """,
        // GraalPy marks the place a little otherwise than CPython.
        script.err.replaceAll("(?m)^ *[~^]+\n", ""));
  }

  @Test
  void syntaxErrorHasNoTraceback() {
    final Script script = Script.run("def f(:\n");
    assertEquals(1, script.status);
    assertTrue(script.err.startsWith("  File \"script.py\", line 1\n"), script.err);
    assertTrue(script.err.contains("SyntaxError: "), script.err);
  }

  @Test
  void keyboardInterrupt() {
    final Script script = Script.run("raise KeyboardInterrupt");
    assertEquals(130, script.status);
    assertTrue(script.err.endsWith("KeyboardInterrupt\n"), script.err);
  }

  @Test
  void coroutines() {
    final Script script =
        Script.run(
            """
            import asyncio

            async def later(value, seconds):
                await asyncio.sleep(seconds)
                return value

            async def main():
                queue = asyncio.Queue(1)

                async def produce():
                    for i in range(3):
                        await queue.put(i)

                task = asyncio.create_task(produce())
                print(await asyncio.gather(later("b", 0.02), later("a", 0.01)))
                print([await queue.get() for _ in range(3)])
                await task
                try:
                    async with asyncio.timeout(0.01):
                        await later(1, 60)
                except TimeoutError:
                    print("timeout")
                for outside in (asyncio.to_thread(print), asyncio.open_connection("localhost", 80),
                                asyncio.create_subprocess_exec("true")):
                    try:
                        await outside
                    except (PermissionError, NotImplementedError) as error:
                        print(type(error).__name__)

            asyncio.run(main())

            async def stuck():
                await asyncio.Event().wait()

            try:
                asyncio.run(stuck())
            except RuntimeError as error:
                print(error)
            asyncio.run(asyncio.to_thread(print))
            """);
    assertEquals(
        """
        ['b', 'a']
        [0, 1, 2]
        timeout
        PermissionError
        PermissionError
        NotImplementedError
        all coroutines wait for one another: sockets, processes and threads, which could end that, are \
        not open to this script
        """,
        script.out,
        script.toString());
    // And no hint about folders.
    assertTrue(
        script.err.endsWith("PermissionError: threads are not open to this script\n"), script.err);
  }

  @Test
  void javasErrorsEndInTheScriptsLine() {
    final Script script =
        Script.run(
            """
            import jloss
            x = jloss.tensor([1.0, 2.0])
            x[5]
            """);
    assertEquals(1, script.status);
    assertTrue(
        script.err.contains("File \"script.py\", line 3, in <module>\n    x[5]\n"), script.err);
    assertTrue(
        script.err.endsWith("IndexError: index 5 is out of bounds for dimension 0 with size 2\n"),
        script.err);
  }

  @Test
  void importsFromItsFolderOnceThatIsOpen(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("helper.py"), "answer = 42\n");
    final Path file =
        Files.writeString(
            folder.resolve("main.py"), "import helper, sys\n" + "sys.exit(helper.answer)\n");
    try (PythonBridge python = PythonBridge.builder().readFolder(folder).build()) {
      assertEquals(42, python.runScript(file, List.of()));
    }
    final Script closed = Script.run(Files.readString(file));
    assertTrue(closed.err.endsWith("ModuleNotFoundError: No module named 'helper'\n"), closed.err);
  }

  @Test
  void modules(@TempDir Path folder) throws Exception {
    Files.writeString(
        folder.resolve("tool.py"),
        "import sys, atexit\natexit.register(print, 'bye')\n"
            + "if __name__ == '__main__': print(sys.argv[1:], sys.argv[0].endswith('tool.py'))\n"
            + "sys.exit('later')\n");
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (PythonBridge python =
        PythonBridge.builder().readFolder(folder).stdout(out).stderr(err).build()) {
      assertEquals(1, python.runModule("tool", List.of("a", "--b")));
      assertEquals("['a', '--b'] True\nbye\n", out.toString());
      assertEquals("later\n", err.toString());
      assertEquals(1, python.runModule("nothing", List.of()));
      assertTrue(err.toString().endsWith("python: No module named nothing\n"), err.toString());
    }
  }

  @Test
  void aFileThatIsNotOpenSaysHowToOpenIt() {
    final Script script = Script.run("open('/etc/passwd')");
    assertTrue(
        script.err.endsWith(
            "Permission denied: '/etc/passwd'\nIt lies outside the folders that are open to this"
                + " script (readFolder, writeFolder).\n"),
        script.err);
  }

  @Test
  void libtorchsWarningsAreThoseOfTheScript() {
    final String text =
        """
        import torch, warnings

        def warn():
            return torch.ones(1).std()

        warn()
        warn()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warn()
            warn()
        print([(w.category.__name__, w.filename, w.lineno) for w in caught])
        warnings.simplefilter("error")
        try:
            warn()
        except UserWarning as e:
            print("raised", str(e)[:8])
        w = torch.ones(2, requires_grad=True)
        try:
            (w * w).sum().backward(create_graph=True)
        except UserWarning as e:
            print("raised", str(e)[:16])
        try:
            (w * 2).grad
        except UserWarning as e:
            print("raised", str(e)[:13])
        try:
            torch.cross(torch.zeros(3, 3), torch.zeros(3, 4))
        except (UserWarning, RuntimeError) as e:
            print("raised", type(e).__name__)
        torch.ones(1)  # has no warning of another call
        warnings.simplefilter("ignore")
        print(warn().item())
        """;
    final Script script = Script.run(text);
    final String where = "('UserWarning', 'script.py', 4)";
    assertEquals(
        "[%s, %s]\nraised std(): d\nraised Using backward()\nraised The .grad att\nraised RuntimeError\nnan\n"
            .formatted(where, where),
        script.out,
        script.err);
    assertTrue(
        script.err.matches("script\\.py:4: UserWarning: std\\(\\): degrees of freedom is .*\n"),
        script.err);
  }

  @Test
  void brokenStreams() {
    final Script closed = Script.run("import os\nos.close(1)\nprint('x', flush=True)");
    assertEquals(1, closed.status);
    final OutputStream nobody =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    try (PythonBridge python = PythonBridge.builder().stdout(nobody).stderr(nobody).build()) {
      assertEquals(1, python.runScript("s.py", "while True: print('x' * 100)", List.of()));
    }
  }

  @Test
  void folders(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("in.txt"), "hello");
    Files.createSymbolicLink(folder.resolve("link"), Path.of("/etc"));
    final String text =
        """
        import sys
        folder = sys.argv[1]
        print(open(folder + "/in.txt").read())
        for name, mode in (("in.txt", "w"), ("link/passwd", "r"), ("../x", "r")):
            try:
                open(folder + "/" + name, mode)
                print("opened", name)
            except PermissionError as error:
                print("refused", name)
        """;
    final Script read =
        Script.run(PythonBridge.builder().readFolder(folder), text, folder.toString());
    assertEquals("hello\nrefused in.txt\nrefused link/passwd\nrefused ../x\n", read.out, read.err);
    final Script write =
        Script.run(PythonBridge.builder().writeFolder(folder), text, folder.toString());
    assertEquals("hello\nopened in.txt\nrefused link/passwd\nrefused ../x\n", write.out, write.err);
  }

  /** As scripts keep their best checkpoint. */
  @Test
  void filesOfAWritableFolder(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("last"), "weights");
    final String text =
        """
        import os, pathlib, shutil, sys
        os.chdir(sys.argv[1])
        try:
            shutil.copy("last", "copy"), shutil.copy2("last", "best.tmp"), os.replace("best.tmp", "best")
            os.rename("copy", "kept"), shutil.move("last", "moved"), pathlib.Path("done").touch()
            os.utime("best", (5, 7)), os.chmod("best", 0o4400)
            print(sorted(os.listdir()), open("best").read(), os.stat("best").st_mtime, oct(os.stat("best").st_mode))
        except OSError as error:
            print(type(error).__name__)
        for escape in (lambda: os.rename("/etc/hostname", "x"), lambda: os.rename("best", "/tmp/x"),
                       lambda: os.utime("/etc/hostname"), lambda: os.chmod("/etc/hostname", 0),
                       lambda: os.rename("best", os.__file__), lambda: os.rename(os.__file__, "x")):
            try:
                escape()
                print("done")
            except OSError as error:
                print(type(error).__name__)
        """;
    final String refused = "PermissionError\n".repeat(6);
    final Script write =
        Script.run(PythonBridge.builder().writeFolder(folder), text, folder.toString());
    assertEquals(
        "['best', 'done', 'kept', 'moved'] weights 7.0 0o100400\n" + refused,
        write.out,
        write.toString());
    Files.writeString(folder.resolve("last"), "weights");
    final Script read =
        Script.run(PythonBridge.builder().readFolder(folder), text, folder.toString());
    assertEquals("PermissionError\n" + refused, read.out, read.toString());
  }

  /** As the system renames, and with an error that a script can catch. */
  @Test
  void renamesOverFolders(@TempDir Path folder) throws Exception {
    for (final String name : List.of("full", "full2", "empty", "empty/inner", "free", "linked")) {
      Files.createDirectory(folder.resolve(name));
    }
    for (final String name : List.of("file", "file2", "full/x", "full2/x")) {
      Files.writeString(folder.resolve(name), name);
    }
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("linked"));
    final String text =
        """
        import errno, os, pathlib, sys
        os.chdir(sys.argv[1])
        for rename in (os.rename, os.replace, lambda a, b: pathlib.Path(a).rename(b)):
            for a, b in (("file", "full"), ("file", "free"), ("full", "full2"), ("full", "link"),
                         ("full", "file"), ("nothing", "full"), ("empty", "empty/inner"),
                         ("empty", "empty"), ("full", ".")):
                try:
                    rename(a, b)
                    print(a, b, "done")
                except OSError as e:
                    print(a, b, type(e).__name__, errno.errorcode[e.errno], e.filename, e.filename2)
        os.rename("full", b"free"), os.rename(pathlib.Path("file"), "link")
        print(sorted(os.listdir()), os.listdir("free"), open("link").read())
        try:
            os.readlink("link")
        except OSError as e:
            print(e)
        """;
    final String refused =
        """
        file full IsADirectoryError EISDIR file full
        file free IsADirectoryError EISDIR file free
        full full2 OSError ENOTEMPTY full full2
        full link NotADirectoryError ENOTDIR full link
        full file NotADirectoryError ENOTDIR full file
        nothing full FileNotFoundError ENOENT nothing None
        empty empty/inner OSError EINVAL empty empty/inner
        empty empty done
        full . PermissionError EACCES full .
        """;
    final Script script =
        Script.run(PythonBridge.builder().writeFolder(folder), text, folder.toString());
    assertEquals(
        refused.repeat(3)
            + "['empty', 'file2', 'free', 'full2', 'link', 'linked'] ['x'] file\n"
            + "[Errno 22] Invalid argument: 'link'\n",
        script.out,
        script.toString());
  }

  /** What is in an opened folder may change, the folder itself not. */
  @Test
  void openedFoldersStay(@TempDir Path folder) throws Exception {
    final Path one = Files.createDirectory(folder.resolve("one"));
    final Path two = Files.createDirectory(folder.resolve("two"));
    Files.setPosixFilePermissions(one, PosixFilePermissions.fromString("rwx------"));
    final String text =
        """
        import os, sys
        one, two = sys.argv[1:]
        os.mkdir(one + "/empty")
        for change in (lambda: os.chmod(one, 0o777), lambda: os.utime(one, (1, 1)),
                       lambda: os.rename(two, one + "/stolen"), lambda: os.rename(two, one + "/empty"),
                       lambda: os.rename(one + "/empty", two), lambda: os.rmdir(two),
                       lambda: os.chmod(one + "/.", 0o777)):
            try:
                change()
                print("changed")
            except PermissionError:
                print("refused")
        os.rename(one + "/empty", two + "/moved"), os.chmod(two + "/moved", 0o700)
        print(os.listdir(one), os.listdir(two))
        """;
    final Script script =
        Script.run(
            PythonBridge.builder().writeFolder(one).writeFolder(two),
            text,
            one.toString(),
            two.toString());
    assertEquals("refused\n".repeat(7) + "[] ['moved']\n", script.out, script.toString());
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(one)));
  }

  @Test
  void missingFile() {
    try (PythonBridge python = PythonBridge.create()) {
      assertThrows(
          UncheckedIOException.class,
          () -> python.runScript(Path.of("no such file.py"), List.of()));
    }
  }
}
