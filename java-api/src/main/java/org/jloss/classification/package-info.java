/** Classification losses: scores against classes, one of many or many at once. */
@Family("classification")
@NullMarked
package org.jloss.classification;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
