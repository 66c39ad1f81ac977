/** Self-supervised learning: contrastive losses and their queues. */
@Family("self_supervised")
@NullMarked
package org.jloss.selfsupervised;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
