package org.jloss.python;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.graalvm.polyglot.io.FileSystem;
import org.jspecify.annotations.Nullable;

/**
 * All files that a script sees: the Python package jloss, read-only, and the folders that the
 * caller opened. Anything else is refused, whatever the operation.
 *
 * <p>Not python-embedding's virtual file system: that one can only be had together with a context
 * builder that opens everything, and it opens either no host folder or the whole disk.
 */
final class ScriptFiles implements FileSystem {
  /** Where a script finds the package: a path that hides whatever the machine has there. */
  static final Path MOUNT = Path.of("/jloss-python");

  private static final String RESOURCES = "/GRAALPY-VFS/org.jloss/jloss-python/";

  /** The package's files, read once a process. */
  private static final class Package {
    static final Map<Path, byte[]> FILES = read();
    static final Map<Path, Set<Path>> FOLDERS = folders();

    private static Map<Path, byte[]> read() {
      final Map<Path, byte[]> files = new HashMap<>();
      final String list = new String(resource("files.txt"), StandardCharsets.UTF_8);
      list.lines()
          .map(String::strip)
          .forEach(name -> files.put(MOUNT.resolve(name), resource(name)));
      return files;
    }

    private static Map<Path, Set<Path>> folders() {
      final Map<Path, Set<Path>> folders = new TreeMap<>();
      for (final Path file : FILES.keySet()) {
        for (Path path = file; !path.equals(MOUNT); ) {
          final Path folder = path.resolveSibling("");
          folders.computeIfAbsent(folder, p -> new TreeSet<>()).add(path);
          path = folder;
        }
      }
      return folders;
    }

    private static byte[] resource(String name) {
      try (InputStream in = ScriptFiles.class.getResourceAsStream(RESOURCES + name)) {
        if (in == null) {
          throw new IllegalStateException(RESOURCES + name + " is missing from jloss-python's jar");
        }
        return in.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static final FileSystem HOST = FileSystem.newDefaultFileSystem();

  /** What a script may change of a file: neither its owner nor more than the permissions' bits. */
  private static final Set<String> CHANGEABLE =
      Set.of("lastModifiedTime", "lastAccessTime", "permissions");

  /** What Truffle's wrapper for GraalPy's own files does not pass on. */
  private static final Set<String> OWN =
      Set.of("move", "setAttribute", "setCurrentWorkingDirectory");

  private final List<Path> readable;
  private final List<Path> writable;
  private Path workingDirectory;

  /**
   * Folders by their real paths; the first is the working directory, without one the package is.
   */
  ScriptFiles(List<Path> readable, List<Path> writable) {
    this.readable = readable;
    this.writable = writable;
    this.workingDirectory =
        !readable.isEmpty() ? readable.get(0) : !writable.isEmpty() ? writable.get(0) : MOUNT;
  }

  /** These and GraalPy's own files. */
  FileSystem withResources() {
    final FileSystem all = FileSystem.allowInternalResourceAccess(this);
    return (FileSystem)
        Proxy.newProxyInstance(
            FileSystem.class.getClassLoader(),
            new Class<?>[] {FileSystem.class},
            (proxy, method, arguments) -> {
              try {
                return method.invoke(OWN.contains(method.getName()) ? this : all, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static boolean inside(List<Path> folders, Path path) {
    return folders.stream().anyMatch(path::startsWith);
  }

  private Path normal(Path path) {
    return toAbsolutePath(path).normalize();
  }

  private static boolean inPackage(Path normal) {
    return normal.startsWith(MOUNT);
  }

  /** The host's path of a file that Java reads or writes for the script. */
  Path open(Path path, boolean write) throws IOException {
    return host(path, write, true);
  }

  /** The host's path, if the script may use it so; links count as what they point to. */
  private Path host(Path path, boolean write, boolean followLast) throws IOException {
    final Path normal = normal(path);
    if (inPackage(normal)) {
      throw new FileSystemException(path.toString(), null, "Read-only file system");
    }
    Path real;
    try {
      real =
          followLast || normal.getParent() == null
              ? normal.toRealPath()
              : normal.getParent().toRealPath().resolve(normal.getFileName());
    } catch (NoSuchFileException e) {
      if (Files.isSymbolicLink(normal) || normal.getParent() == null) {
        throw refusal(path);
      }
      // Nothing there yet: its folder decides. A missing folder is told only where it may be seen.
      if (!inside(readable, normal) && !inside(writable, normal)) {
        throw refusal(path);
      }
      real = normal.getParent().toRealPath().resolve(normal.getFileName());
    }
    if (inside(writable, real) || !write && inside(readable, real)) {
      return real;
    }
    throw refusal(path);
  }

  /**
   * The same for what changes an entry itself: the opened folders stay as they are, and where they
   * are.
   */
  private Path entryOf(Path path, boolean followLast) throws IOException {
    final Path real = host(path, true, followLast);
    if (writable.stream().noneMatch(f -> real.startsWith(f) && !real.equals(f))) {
      throw refusal(path);
    }
    return real;
  }

  /** Not a SecurityException: GraalPy ends the script at some of those. */
  private static AccessDeniedException refusal(Path path) {
    return new AccessDeniedException(
        path.toString(), null, "outside the folders that are open to this script");
  }

  @Override
  public Path parsePath(URI uri) {
    return Path.of(uri);
  }

  @Override
  public Path parsePath(String path) {
    return Path.of(path);
  }

  @Override
  public void checkAccess(Path path, Set<? extends AccessMode> modes, LinkOption... options)
      throws IOException {
    final Path normal = normal(path);
    if (inPackage(normal)) {
      entry(normal);
      if (modes.contains(AccessMode.WRITE)) {
        throw new FileSystemException(path.toString(), null, "Read-only file system");
      }
      return;
    }
    HOST.checkAccess(
        host(path, modes.contains(AccessMode.WRITE), options.length == 0), modes, options);
  }

  /** A file's bytes, or null for a folder. */
  private static byte @Nullable [] entry(Path normal) throws NoSuchFileException {
    final byte[] data = Package.FILES.get(normal);
    if (data == null && !Package.FOLDERS.containsKey(normal)) {
      throw new NoSuchFileException(normal.toString());
    }
    return data;
  }

  @Override
  public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
    HOST.createDirectory(host(path, true, false), attributes);
  }

  @Override
  public void delete(Path path) throws IOException {
    HOST.delete(entryOf(path, false));
  }

  @Override
  public void move(Path source, Path target, CopyOption... options) throws IOException {
    HOST.move(entryOf(source, false), entryOf(target, false), options);
  }

  /** Renames, also over folders, as the system does: null, or in the system's words why not. */
  @Nullable String rename(Path source, Path target) {
    try {
      move(source, target, StandardCopyOption.ATOMIC_MOVE);
      return null;
    } catch (AccessDeniedException e) {
      return "Permission denied";
    } catch (NoSuchFileException e) {
      return "No such file or directory";
    } catch (FileAlreadyExistsException e) {
      return "File exists";
    } catch (FileSystemException e) {
      return e.getReason() == null ? "I/O error" : e.getReason();
    } catch (IOException e) {
      return "I/O error";
    }
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    if (!CHANGEABLE.contains(attribute.substring(attribute.indexOf(':') + 1))) {
      throw new AccessDeniedException(path.toString(), null, attribute + " stays as it is");
    }
    HOST.setAttribute(entryOf(path, options.length == 0), attribute, value, options);
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    final boolean write = options.stream().anyMatch(o -> o != StandardOpenOption.READ);
    final Path normal = normal(path);
    if (inPackage(normal)) {
      final byte[] data = entry(normal);
      if (write || data == null) {
        throw new FileSystemException(
            path.toString(), null, write ? "Read-only file system" : "Is a directory");
      }
      return new Bytes(data);
    }
    return HOST.newByteChannel(host(path, write, true), options, attributes);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
    final Path normal = normal(folder);
    if (!inPackage(normal)) {
      return HOST.newDirectoryStream(host(folder, false, true), filter);
    }
    if (entry(normal) != null) {
      throw new NotDirectoryException(folder.toString());
    }
    final List<Path> entries = new ArrayList<>();
    for (final Path child : Package.FOLDERS.getOrDefault(normal, Set.of())) {
      if (filter.accept(child)) {
        entries.add(child);
      }
    }
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        return entries.iterator();
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public Path toAbsolutePath(Path path) {
    return path.isAbsolute() ? path : workingDirectory.resolve(path);
  }

  @Override
  public void setCurrentWorkingDirectory(Path path) {
    workingDirectory = path;
  }

  @Override
  public Path toRealPath(Path path, LinkOption... options) throws IOException {
    final Path normal = normal(path);
    if (inPackage(normal)) {
      entry(normal);
      return normal;
    }
    return HOST.toRealPath(host(path, false, options.length == 0), options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    final Path normal = normal(path);
    if (!inPackage(normal)) {
      return HOST.readAttributes(host(path, false, options.length == 0), attributes, options);
    }
    final byte[] data = entry(normal);
    final Map<String, Object> all = new HashMap<>();
    final FileTime time = FileTime.fromMillis(0);
    all.put("creationTime", time);
    all.put("lastModifiedTime", time);
    all.put("lastAccessTime", time);
    all.put("isRegularFile", data != null);
    all.put("isDirectory", data == null);
    all.put("isSymbolicLink", false);
    all.put("isOther", false);
    all.put("size", data == null ? 0L : (long) data.length);
    all.put("mode", data == null ? 0040555 : 0100444);
    all.put("ino", (long) normal.hashCode());
    all.put("dev", 0L);
    all.put("nlink", 1);
    all.put("uid", 0);
    all.put("gid", 0);
    all.put("ctime", time);
    final String names = attributes.substring(attributes.indexOf(':') + 1);
    if (!names.equals("*")) {
      all.keySet().retainAll(Arrays.asList(names.split(",")));
    }
    return all;
  }

  /** A read-only channel over an array. */
  private static final class Bytes implements SeekableByteChannel {
    private final ByteBuffer data;
    private boolean open = true;

    Bytes(byte[] data) {
      this.data = ByteBuffer.wrap(data);
    }

    @Override
    public int read(ByteBuffer target) {
      if (!data.hasRemaining()) {
        return -1;
      }
      final int count = Math.min(target.remaining(), data.remaining());
      target.put(data.slice(data.position(), count));
      data.position(data.position() + count);
      return count;
    }

    @Override
    public int write(ByteBuffer source) {
      throw new NonWritableChannelException();
    }

    @Override
    public long position() {
      return data.position();
    }

    @Override
    public SeekableByteChannel position(long position) {
      data.position((int) Math.min(position, data.limit()));
      return this;
    }

    @Override
    public long size() {
      return data.limit();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new NonWritableChannelException();
    }

    @Override
    public boolean isOpen() {
      return open;
    }

    @Override
    public void close() {
      open = false;
    }
  }
}
