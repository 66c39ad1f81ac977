"""What PythonBridge calls: evaluated before anything of the user's, in a namespace of its own."""


def _boot(host, opening, interrupts):
    import sys

    # Bound now: what a script later puts in their place in these modules is not asked.
    from array import array
    from builtins import bool, bytearray, bytes, callable, dict, float, frozenset, getattr, hasattr
    from builtins import int, isinstance, len, list, map, memoryview, set, str, tuple, type, zip
    from itertools import chain, islice

    here = (lambda: 0).__code__.co_filename

    CLOSED = " are not open to this script"

    def refuse(module, names, what, error=PermissionError):
        def refused(*args, **kwargs):
            raise error(what + CLOSED)

        for name in names:
            if hasattr(module, name):
                setattr(module, name, refused)

    # raise_signal ends the JVM and alarm starts a thread, whatever the context allows. The module
    # signal, slow to import, takes them from here.
    import _signal

    def heed(number, frame):
        host.heeded()
        raise KeyboardInterrupt

    if interrupts:
        _signal.signal(_signal.SIGINT, heed)
    refuse(_signal, ("raise_signal", "alarm", "setitimer", "pthread_kill"), "signals")
    # As CPython outside its main thread, which libraries are prepared for.
    refuse(_signal, ("signal",), "signals", ValueError)

    # GraalPy refuses these by an internal error, which no script can catch.
    import os
    import posix

    for module in (os, posix):
        refuse(
            module,
            "system execv kill killpg waitpid getpgid getpgrp getppid getsid setpgid setpgrp setsid".split(),
            "processes",
        )
        # The module threading calls it at its import, where it is there.
        if hasattr(module, "register_at_fork"):
            del module.register_at_fork
        refuse(module, ("openpty",), "terminals")
        refuse(module, ("chown", "lchown", "fchown"), "owners of files")
        refuse(module, ("set_blocking",), "modes of streams")

    # GraalPy's own end the script by an internal error: over a folder, and at what is no link.
    import errno
    import stat

    def renaming(really):
        def rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None):
            if src_dir_fd is not None or dst_dir_fd is not None or not os.path.isdir(dst):
                return really(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            posix.lstat(src)
            refusal = host.rename(os.fsdecode(src), os.fsdecode(dst))
            if refusal is not None:
                refusal = str(refusal)
                # Not all of errno: GraalPy has no words for some, and ends the script.
                names = "EACCES EBUSY EEXIST EINVAL EISDIR ENOENT ENOSPC ENOTDIR ENOTEMPTY EPERM EROFS"
                numbers = {os.strerror(n): n for n in (getattr(errno, name) for name in names.split())}
                raise OSError(numbers.get(refusal, errno.EIO), refusal, src, None, dst)

        rename.__name__ = rename.__qualname__ = really.__name__
        return rename

    os.rename = posix.rename = renaming(posix.rename)
    os.replace = posix.replace = renaming(posix.replace)
    really_readlink = posix.readlink

    def readlink(path, *, dir_fd=None):
        if not stat.S_ISLNK(posix.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return really_readlink(path, dir_fd=dir_fd)

    os.readlink = posix.readlink = readlink

    really_exit = posix._exit

    def _exit(status):
        status = int(status)
        host.exits(status & 0xFF)
        really_exit(status)

    os._exit = posix._exit = _exit

    import _multiprocessing
    import _multiprocessing_graalpy

    refuse(
        _multiprocessing_graalpy,
        [n for n in dir(_multiprocessing_graalpy) if not n.startswith("__")],
        "processes",
    )
    refuse(_multiprocessing, ("SemLock", "sem_unlink"), "processes")

    import _imp

    # The standard library does without, where an import fails as imports do.
    refuse(_imp, ("create_dynamic", "exec_dynamic"), "extensions in native code", ImportError)

    import _thread

    refuse(_thread, ("start_new_thread", "start_new", "start_joinable_thread"), "threads")

    import faulthandler

    refuse(faulthandler, ("dump_traceback_later",), "threads")

    import mmap

    refuse(mmap, ("mmap",), "memory maps")

    import _socket
    import select

    refuse(select, ("select",), "networks")

    class Refused:
        __slots__ = ()  # the module socket's class adds its own

        def __init__(self, *args, **kwargs):
            raise PermissionError("networks" + CLOSED)

    _socket.socket = _socket.SocketType = Refused
    # What asks the network or makes a socket; constants, timeouts and byte orders stay.
    refuse(
        _socket,
        [n for n in dir(_socket) if n.startswith(("get", "sethost", "dup", "socketpair", "if_"))
         and n != "getdefaulttimeout"],
        "networks",
    )

    class OwnEventLoop:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != "asyncio.unix_events":
                return None
            import importlib.util

            own = importlib.util.find_spec("jloss").submodule_search_locations[0]
            return importlib.util.spec_from_file_location(name, own + "/_asyncio.py")

    sys.meta_path.insert(0, OwnEventLoop)

    import _sitebuiltins
    import builtins

    # Of site, which is not imported as it looks for packages on the disk.
    builtins.help = _sitebuiltins._Helper()
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")

    main = sys.modules["__main__"]

    def explain(error):
        quote()
        # GraalPy drops the words of the file system, which says no with EACCES.
        if isinstance(error, PermissionError) and error.errno in (13, None):
            if not str(error).endswith(CLOSED) and not getattr(error, "__notes__", None):
                error.add_note(opening)

    def show(error):
        """Prints a traceback as CPython does: without the frames of this file, which come first."""
        import traceback

        explain(error)
        tb = error.__traceback__
        while tb is not None and tb.tb_frame.f_code.co_filename == here:
            tb = tb.tb_next
        last = tb
        while last is not None and last.tb_next is not None:
            if last.tb_next.tb_frame.f_code is heed.__code__:
                last.tb_next = None
            last = last.tb_next
        traceback.print_exception(type(error), error, tb)

    sources = {}

    def remember(name, source):
        sources[name] = source

    def quote():
        """Lets tracebacks quote the scripts' lines, also where their files are not open to them."""
        import importlib.util
        import linecache

        for name, source in sources.items():
            try:
                text = importlib.util.decode_source(source)
            except (SyntaxError, UnicodeDecodeError):
                continue
            linecache.cache[name] = (len(text), None, text.splitlines(True), name)

    def run(name, source, arguments):
        name = str(name)
        source = str(source).encode("latin-1")
        # As python has it for a text and for its standard input.
        file = {"-c": "<string>", "-": "<stdin>"}.get(name, name)

        def body():
            main.__dict__.pop("__file__", None)
            if file == name:
                main.__dict__["__file__"] = name
            remember(file, source)
            exec(compile(source, file, "exec", dont_inherit=True), main.__dict__)

        return as_main(name, arguments, file.rpartition("/")[0], body)

    def module(name, arguments):
        import runpy

        def body():
            try:
                runpy._run_module_as_main(str(name))
            except SystemExit as exit:
                if isinstance(exit.code, str) and exit.code.startswith(": "):
                    exit.code = "python" + exit.code
                raise

        return as_main(name, arguments, "", body)

    def as_main(name, arguments, folder, body):
        """Runs something as the program: the status that the process would end with."""
        sys.argv = [str(name), *from_java(arguments)]
        saved_path = list(sys.path)
        sys.path.insert(0, folder)
        main.__dict__["__name__"] = "__main__"
        status = 0
        try:
            try:
                body()
            except SystemExit as exit:
                status = exit_status(exit.code)
            except BaseException as error:
                show(error)
                status = 130 if isinstance(error, KeyboardInterrupt) else 1
            finally:
                at_exit()
        finally:
            sys.path[:] = saved_path
            flush()
        return status

    def exit_status(code):
        if code is None:
            return 0
        if isinstance(code, int):
            return int(code) & 0xFF
        print(code, file=sys.stderr)
        return 1

    def at_exit():
        atexit = sys.modules.get("atexit")
        if atexit is not None:
            atexit._run_exitfuncs()

    def flush():
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, ValueError, OSError):
                pass  # the script replaced or closed it, or nobody reads it

    def execute(source, name):
        remember(name, source.encode())
        try:
            exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)
        finally:
            flush()

    def evaluate(source):
        try:
            code = compile(source, "<eval>", "eval", dont_inherit=True)
            return to_java(eval(code, main.__dict__))
        finally:
            flush()

    # Values between the two, see Values.java and Packed.java.

    CODES = {float: "d", int: "q", bool: "?"}

    def numbers(values):
        """Numbers of one type in one text, or None."""
        kinds = set(map(type, values))
        code = CODES.get(kinds.pop()) if len(kinds) == 1 else None
        if code is None:
            return None
        try:
            packed = array("b" if code == "?" else code, values)
        except OverflowError:
            return None
        return "numbers", code, packed.tobytes().decode("latin-1")

    def pack(values):
        """The same for lists of such numbers."""
        packed = numbers(values)
        if packed is None and values and set(map(type, values)) <= {list, tuple}:
            packed = numbers(list(chain.from_iterable(values)))
            packed = packed and ("lists", numbers(list(map(len, values))), packed)
        return packed

    def to_java(value):
        """Plain values as themselves, containers with their kind, jloss's as Java's objects."""
        if value is None or isinstance(value, (bool, float, str)):
            return value
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**63 else ("int", "%x" % value)
        handle = getattr(value, "_jloss", None)
        if handle is not None:
            return handle
        if isinstance(value, (list, tuple)):
            return pack(value) or ("list", *map(to_java, value))
        if isinstance(value, dict):
            return ("dict", *(to_java(part) for item in value.items() for part in item))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return "bytes", bytes(value).decode("latin-1")
        if isinstance(value, (set, frozenset)):
            return ("set", *map(to_java, value))
        if not isinstance(value, type) and (callable(value) or hasattr(value, "forward")):
            # A function, or an object with a method forward, as a loss.
            import jloss

            return jloss.loss(value)._jloss
        return "unknown", type(value).__name__

    def from_java(value):
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        kind = value[0]
        if kind == "numbers":
            return memoryview(value[2].encode("latin-1")).cast(str(value[1])).tolist()
        if kind == "lists":
            rest = iter(from_java(value[2]))
            return [list(islice(rest, length)) for length in from_java(value[1])]
        if kind == "list":
            return [from_java(v) for v in value[1:]]
        if kind == "dict":
            parts = [from_java(v) for v in value[1:]]
            return dict(zip(parts[::2], parts[1::2]))
        if kind == "set":
            return {from_java(v) for v in value[1:]}
        if kind == "bytes":
            return value[1].encode("latin-1")
        if kind == "int":
            return int(value[1], 16)
        if kind == "float":
            return float(value[1])
        if kind == "object":
            return JavaObject(value[1])
        if kind == "tensor":
            from jloss._tensor import _wrap

            return _wrap(value[1])
        from jloss import _losses

        return _losses.from_java(value[1])

    class JavaObject:
        """An object of Java: its methods annotated with HostAccess.Export, and nothing else."""

        __slots__ = ("__object",)

        def __init__(self, object):
            self.__object = object

        def __getattr__(self, name):
            object = self.__object
            if not object.has(name):
                raise AttributeError(f"{self!r} has no method {name!r}", name=name, obj=self)

            def method(*arguments):
                try:
                    return from_java(object.call(name, tuple(map(to_java, arguments))))
                except BaseException as error:
                    from jloss._errors import translated

                    raise translated(error) from None

            method.__name__ = method.__qualname__ = name
            return method

        def __dir__(self):
            return [str(name) for name in self.__object.names()]

        def __repr__(self):
            return f"<Java {self.__object.type()}>"

    functions = {}

    def function(expression):
        """The number of a function, for call."""
        found = eval(compile(expression, "<function>", "eval", dont_inherit=True), main.__dict__)
        if not callable(found):
            raise TypeError(f"{expression} is a {type(found).__name__}, not a function")
        functions[len(functions)] = found
        return len(functions) - 1

    def call(number, arguments):
        try:
            return to_java(functions[number](*from_java(arguments)))
        finally:
            flush()

    def get_global(name):
        return to_java(main.__dict__[name])

    def set_global(name, value):
        main.__dict__[name] = from_java(value)

    def warn(kind, text):
        """A warning of libtorch's, as one of the line that called the package."""
        import warnings

        warnings.warn(str(text), getattr(builtins, str(kind)), skip_file_prefixes=("/jloss-python/", here))

    name_of = type.__dict__["__name__"].__get__

    def describe(error):
        """The class's name, the message and the traceback, whatever the script's class does."""
        import traceback

        try:
            explain(error)
            told = traceback.TracebackException(type(error), error, error.__traceback__)
            return name_of(type(error)), str(told), "".join(told.format())
        except BaseException:
            return name_of(type(error)), "", ""

    host_module = type(sys)("_jloss_host")
    host_module.host = host
    sys.modules["_jloss_host"] = host_module
    # The functions above, as attributes.
    return type("Boot", (), {k: staticmethod(v) for k, v in locals().items() if callable(v)})


_boot
