/** Speed and memory of each loss, beside the same loss composed from ATen. */
package org.jloss.bench;
