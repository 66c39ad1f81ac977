"""What PythonBridge calls: evaluated before anything of the user's, in a namespace of its own."""


def _boot(host):
    import sys

    def refuse(module, names, what):
        def refused(*args, **kwargs):
            raise PermissionError(f"{what} are not open to this script")

        for name in names:
            if hasattr(module, name):
                setattr(module, name, refused)

    # raise_signal ends the JVM and alarm starts a thread, whatever the context allows. The module
    # signal, slow to import, takes them from here.
    import _signal

    refuse(_signal, ("raise_signal", "alarm", "setitimer", "pthread_kill", "signal"), "signals")

    # GraalPy refuses these by an internal error, which no script can catch.
    import os
    import posix

    for module in (os, posix):
        refuse(module, ("system", "killpg"), "processes")

    import _thread

    refuse(_thread, ("start_new_thread", "start_new", "start_joinable_thread"), "threads")

    import _socket

    class Refused:
        __slots__ = ()  # the module socket's class adds its own

        def __init__(self, *args, **kwargs):
            raise PermissionError("networks are not open to this script")

    _socket.socket = _socket.SocketType = Refused
    # What asks the network or makes a socket; constants, timeouts and byte orders stay.
    refuse(
        _socket,
        [n for n in dir(_socket) if n.startswith(("get", "sethost", "dup", "socketpair", "if_"))
         and n != "getdefaulttimeout"],
        "networks",
    )

    import _sitebuiltins
    import builtins

    # Of site, which is not imported as it looks for packages on the disk.
    builtins.help = _sitebuiltins._Helper()
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")

    here = (lambda: 0).__code__.co_filename

    main = sys.modules["__main__"]

    def show(error):
        """Prints a traceback as CPython does: without the frames of this file, which come first."""
        import traceback

        tb = error.__traceback__
        while tb is not None and tb.tb_frame.f_code.co_filename == here:
            tb = tb.tb_next
        traceback.print_exception(type(error), error, tb)

    def remember(name, source):
        import importlib.util
        import linecache

        # Tracebacks quote the script's lines, also where its file is not open to it.
        try:
            text = importlib.util.decode_source(source)
        except (SyntaxError, UnicodeDecodeError):
            return
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)

    def run(name, source, arguments):
        name = str(name)
        sys.argv = [name, *(str(a) for a in arguments)]
        folder = name.rpartition("/")[0]
        saved_path = list(sys.path)
        sys.path.insert(0, folder)
        main.__dict__["__name__"] = "__main__"
        main.__dict__["__file__"] = name
        status = 0
        try:
            source = bytes(source)
            try:
                code = compile(source, name, "exec", dont_inherit=True)
                exec(code, main.__dict__)
            except SystemExit as exit:
                status = exit_status(exit.code)
            except BaseException as error:
                remember(name, source)
                show(error)
                status = 130 if isinstance(error, KeyboardInterrupt) else 1
        finally:
            sys.path[:] = saved_path
            flush()
        return status

    def exit_status(code):
        if code is None:
            return 0
        if isinstance(code, int):
            return int(code)
        print(code, file=sys.stderr)
        return 1

    def flush():
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, ValueError):
                pass  # the script replaced or closed it

    def execute(source, name):
        remember(name, source.encode())
        exec(compile(source, name, "exec", dont_inherit=True), main.__dict__)
        flush()

    def evaluate(source):
        return to_java(eval(compile(source, "<eval>", "eval", dont_inherit=True), main.__dict__))

    def to_java(value):
        # Tensors and losses as the Java objects that they wrap; a function as a loss.
        handle = getattr(value, "_jloss", None)
        if handle is not None:
            return handle
        if not isinstance(value, type) and (callable(value) or hasattr(value, "forward")):
            import jloss

            return jloss.loss(value)._jloss
        return value

    def get_global(name):
        return to_java(main.__dict__[name])

    def set_global(name, value):
        main.__dict__[name] = value

    def set_tensor(name, handle):
        from jloss._tensor import _wrap

        main.__dict__[name] = _wrap(handle)

    def set_system(name, handle, description):
        import jloss

        main.__dict__[name] = jloss._losses._from_java(handle, description)

    def describe(error):
        import traceback

        return type(error).__name__, str(error), "".join(traceback.format_exception(error))

    host_module = type(sys)("_jloss_host")
    host_module.host = host
    sys.modules["_jloss_host"] = host_module
    # The functions above, as attributes.
    return type("Boot", (), {k: staticmethod(v) for k, v in locals().items() if callable(v)})


_boot
