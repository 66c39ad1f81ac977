package org.jloss.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.jloss.Reduction;

/** Names a loss and says what it computes. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Definition {
  /** The name in snake case: of the operator, in Python and on the command line. */
  String id();

  /** The formula in one line. */
  String formula();

  /** Where the definition comes from: the function that it equals, or a paper. */
  String source();

  /** The reductions that its parameter {@code reduction} takes. */
  Reduction[] reductions() default {Reduction.NONE, Reduction.MEAN, Reduction.SUM};

  /** Whether a second derivative exists almost everywhere, and is given. */
  boolean twiceDifferentiable() default true;
}
