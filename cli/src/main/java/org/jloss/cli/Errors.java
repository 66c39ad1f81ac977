package org.jloss.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Map;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** From exceptions to one line and an exit status. */
final class Errors {
  private Errors() {}

  /** Says in a line what went wrong; the exit status is the result. */
  static int report(CommandLine command, Throwable thrown) {
    final Throwable cause =
        thrown instanceof UncheckedIOException e ? Objects.requireNonNull(e.getCause()) : thrown;
    final boolean refused = isRefusal(cause);
    command
        .getErr()
        .println(
            command.getCommandSpec().qualifiedName()
                + ": "
                + (refused ? "" : "internal error: " + cause.getClass().getSimpleName() + ": ")
                + describe(command, cause)
                + hint(command, cause, refused));
    if (Boolean.getBoolean("jloss.debug")) {
      thrown.printStackTrace(command.getErr());
    }
    return refused ? Main.REFUSED : Main.BUG;
  }

  /** Whether the user can do something about it: a loss's own words, a file, too little memory. */
  private static boolean isRefusal(Throwable thrown) {
    return thrown instanceof ParameterException
        || thrown instanceof Refusal
        || thrown instanceof IOException
        || thrown instanceof OutOfMemoryError
        || thrown.getClass() == IllegalArgumentException.class
        || thrown.getClass() == IllegalStateException.class
        || thrown.getClass() == IndexOutOfBoundsException.class
        || thrown.getClass() == UnsupportedOperationException.class;
  }

  /** The problem in one line; of what is no command, those that there are. */
  private static String describe(CommandLine command, Throwable thrown) {
    final Map<String, CommandLine> commands = command.getSubcommands();
    if (thrown instanceof UnmatchedArgumentException e
        && !e.isUnknownOption()
        && !commands.isEmpty()) {
      return "there is no command '"
          + e.getUnmatched().get(0)
          + "'; there are "
          + String.join(", ", commands.keySet());
    }
    return describe(thrown);
  }

  private static String hint(CommandLine command, Throwable thrown, boolean refused) {
    if (thrown instanceof ParameterException) {
      return " (see " + command.getCommandSpec().qualifiedName() + " --help)";
    }
    return refused ? "" : " (JLOSS_OPTS=-Djloss.debug=true shows where)";
  }

  /** The problem in one line. */
  static String describe(Throwable thrown) {
    if (thrown instanceof NoSuchFileException e) {
      return e.getFile() + ": no such file";
    }
    if (thrown instanceof AccessDeniedException e) {
      return e.getFile() + ": permission denied";
    }
    if (thrown instanceof FileAlreadyExistsException e) {
      return e.getFile() + ": not a folder"; // where one was to be made
    }
    if (thrown instanceof NotDirectoryException e) {
      return e.getFile() + ": not a folder";
    }
    if (thrown instanceof FileSystemException e && e.getReason() != null) {
      return e.getFile() + ": " + e.getReason();
    }
    final String message = thrown.getMessage();
    if (message == null || message.isBlank()) {
      return thrown instanceof OutOfMemoryError
          ? "out of memory"
          : thrown.getClass().getSimpleName();
    }
    // Picocli says "option option" of a map's.
    return message.strip().lines().findFirst().orElseThrow().replace("option option", "option");
  }
}
