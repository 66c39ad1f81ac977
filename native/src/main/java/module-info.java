/** The native binding of jloss: nothing to be called directly. */
module org.jloss.binding {
  requires transitive org.bytedeco.javacpp;
  requires transitive org.bytedeco.pytorch;

  exports org.jloss.binding;
}
