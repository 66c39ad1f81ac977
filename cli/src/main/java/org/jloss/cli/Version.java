package org.jloss.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} says. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() throws IOException {
    final Properties versions = new Properties();
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      versions.load(in);
    }
    return new String[] {
      "jloss "
          + versions.getProperty("jloss")
          + " (libtorch "
          + versions.getProperty("torch")
          + ", Java "
          + System.getProperty("java.version")
          + ")"
    };
  }
}
