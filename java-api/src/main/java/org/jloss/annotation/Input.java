package org.jloss.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A tensor that a loss takes, in the order of the arguments. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Repeatable(Inputs.class)
public @interface Input {
  /** The name, as in PyTorch. */
  String name();

  /**
   * The shape: axes separated by commas, alternatives by {@code |}, {@code *} for any number of
   * axes, {@code ()} for a scalar. The same letter stands for the same size in all inputs.
   */
  String shape();

  /** What the values mean. */
  Domain domain();

  /** Whether the loss has a gradient with respect to it. */
  boolean differentiable() default false;

  /** Whether it may be left out. */
  boolean optional() default false;

  /** Whether it is broadcast to the shape of the first input. */
  boolean broadcasts() default false;
}
