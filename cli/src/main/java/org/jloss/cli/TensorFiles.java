package org.jloss.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;
import org.jloss.parity.TorchFile;

/** Files of tensors. */
final class TensorFiles {
  private static final Set<String> SUFFIXES = Set.of(".safetensors", ".pt", ".pth");

  private TensorFiles() {}

  /** The tensors of a safetensors file, or of one that torch.save wrote. */
  static Map<String, TensorEntry> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    return isTorch(file) ? TorchFile.read(file).entries() : Safetensors.read(file).entries();
  }

  private static boolean isTorch(Path file) throws IOException {
    final String suffix = suffix(file);
    if (suffix.equals(".pt") || suffix.equals(".pth") || !Files.isRegularFile(file)) {
      return !suffix.equals(".safetensors");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.read() == 'P' && in.read() == 'K';
    }
  }

  /** The files themselves, and the files of tensors in folders, at any depth and in order. */
  static List<Path> find(List<Path> paths) throws IOException {
    final Set<Path> files = new LinkedHashSet<>();
    for (final Path path : paths) {
      if (Files.isDirectory(path)) {
        final List<Path> found;
        try (Stream<Path> all = Files.walk(path)) {
          found = all.filter(f -> SUFFIXES.contains(suffix(f))).sorted().toList();
        }
        if (found.isEmpty()) {
          throw new Refusal(path + ": no .safetensors, .pt or .pth file in this folder");
        }
        files.addAll(found);
      } else if (Files.exists(path)) {
        files.add(path);
      } else {
        throw new NoSuchFileException(path.toString());
      }
    }
    return new ArrayList<>(files);
  }

  /** Makes the folder that a file is to be written to. */
  static void makeFolderOf(Path file) throws IOException {
    final Path folder = file.toAbsolutePath().getParent();
    if (folder != null && !Files.isDirectory(folder)) {
      Files.createDirectories(folder);
    }
  }

  /** The end of a file's name from its last dot, in lower case. */
  static String suffix(Path file) {
    final String name = file.getFileName() == null ? "" : file.getFileName().toString();
    return name.substring(Math.max(0, name.lastIndexOf('.'))).toLowerCase(Locale.ROOT);
  }
}
