package org.jloss.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The legal values of a numeric parameter. NaN is never legal. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Range {
  /** The lower bound. */
  double min() default Double.NEGATIVE_INFINITY;

  /** The upper bound. */
  double max() default Double.POSITIVE_INFINITY;

  /** Whether the lower bound itself is illegal. */
  boolean openMin() default false;

  /** Whether the upper bound itself is illegal. */
  boolean openMax() default false;
}
