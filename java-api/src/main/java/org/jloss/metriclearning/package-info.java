/** Metric learning: losses on distances between embeddings, and miners. */
@Family("metric_learning")
@NullMarked
package org.jloss.metriclearning;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
