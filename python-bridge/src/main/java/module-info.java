/** Python scripts inside the JVM, with jloss. */
module org.jloss.python {
  requires transitive org.jloss;
  requires transitive org.graalvm.polyglot;
  requires org.jloss.binding;
  requires com.fasterxml.jackson.databind;

  exports org.jloss.python;
}
