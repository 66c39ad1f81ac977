/** Segmentation losses: maps of classes or masks. */
@Family("segmentation")
@NullMarked
package org.jloss.segmentation;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
