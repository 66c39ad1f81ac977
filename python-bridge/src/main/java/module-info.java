/** Python scripts inside the JVM, with jloss. */
module org.jloss.python {
  requires transitive org.jloss;
  requires transitive org.graalvm.polyglot;

  exports org.jloss.python;
}
