/** Loss functions on libtorch tensors. */
module org.jloss {
  requires transitive org.bytedeco.javacpp;
  requires transitive org.bytedeco.pytorch;
  requires transitive org.jspecify;
  requires org.jloss.binding;
  requires com.fasterxml.jackson.databind;

  exports org.jloss;
  exports org.jloss.annotation;
  exports org.jloss.classification;
  exports org.jloss.distribution;
  exports org.jloss.metriclearning;
  exports org.jloss.multitask;
  exports org.jloss.parity;
  exports org.jloss.regression;
  exports org.jloss.segmentation;
  exports org.jloss.selfsupervised;
}
