package org.jloss.bench;

import static org.bytedeco.pytorch.global.torch.binary_cross_entropy_with_logits;
import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;
import static org.bytedeco.pytorch.global.torch.huber_loss;
import static org.bytedeco.pytorch.global.torch.kl_div;
import static org.bytedeco.pytorch.global.torch.maximum;
import static org.bytedeco.pytorch.global.torch.mse_loss;
import static org.bytedeco.pytorch.global.torch.one_hot;
import static org.bytedeco.pytorch.global.torch.pairwise_distance;
import static org.bytedeco.pytorch.global.torch.rsub;
import static org.bytedeco.pytorch.global.torch.triplet_margin_loss;

import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The losses as a user of the preset would write them: by ATen's own fused operator where there is
 * one, else composed. Each runs inside a PointerScope, which closes its intermediates.
 */
final class Composed {
  private Composed() {}

  static Tensor mse(Tensor[] in) {
    return mse_loss(in[0], in[1]);
  }

  static Tensor huber(Tensor[] in) {
    return huber_loss(in[0], in[1]);
  }

  static Tensor quantile(Tensor[] in) {
    final Tensor e = in[1].sub(in[0]);
    return maximum(e.mul(number(0.9)), e.mul(number(0.9 - 1))).mean();
  }

  static Tensor bceWithLogits(Tensor[] in) {
    return binary_cross_entropy_with_logits(in[0], in[1]);
  }

  /** As torchvision has it. */
  static Tensor sigmoidFocal(Tensor[] in) {
    final Tensor x = in[0];
    final Tensor t = in[1];
    final Tensor p = x.sigmoid();
    final Tensor ce =
        binary_cross_entropy_with_logits(x, t, new TensorOptional(), new TensorOptional(), 0);
    final Tensor pt = p.mul(t).add(oneMinus(p).mul(oneMinus(t)));
    final Tensor loss = ce.mul(oneMinus(pt).pow(number(2)));
    final Tensor alpha = t.mul(number(0.25)).add(oneMinus(t).mul(number(0.75)));
    return alpha.mul(loss).mean();
  }

  static Tensor crossEntropy(Tensor[] in) {
    return cross_entropy_loss(in[0], in[1]);
  }

  static Tensor focal(Tensor[] in) {
    final Tensor ce = cross_entropy_loss(in[0], in[1], new TensorOptional(), 0, -100, 0.0);
    return oneMinus(ce.neg().exp()).pow(number(2)).mul(ce).mean();
  }

  static Tensor klDiv(Tensor[] in) {
    return kl_div(in[0], in[1]);
  }

  /** Probabilities and masks, one sum a sample. */
  static Tensor dice(Tensor[] in) {
    final Tensor tp = in[0].mul(in[1]).sum(1, 2, 3);
    final Tensor both = in[0].sum(1, 2, 3).add(in[1].sum(1, 2, 3));
    return diceOf(tp, both, 1e-6).mean();
  }

  /** Logits and class indices, one sum a sample and class. */
  static Tensor diceOfClasses(Tensor[] in) {
    final Tensor p = torch.softmax(in[0], 1);
    final Tensor g = one_hot(in[1], in[0].size(1)).movedim(-1, 1).to(ScalarType.Float);
    final Tensor tp = p.mul(g).sum(2, 3);
    return diceOf(tp, p.sum(2, 3).add(g.sum(2, 3)), 1e-6).mean();
  }

  /** As MONAI has it. */
  static Tensor generalizedDice(Tensor[] in) {
    final Tensor g = in[1].sum(2, 3);
    final Tensor tp = in[0].mul(in[1]).sum(2, 3);
    final Tensor both = in[0].sum(2, 3).add(g);
    final Tensor w = g.mul(g).reciprocal();
    final Tensor absent = w.isinf();
    final Tensor present = w.masked_fill(absent, number(0));
    final Tensor largest = present.amax(new long[] {1}, true);
    final Tensor weight = present.add(absent.mul(largest));
    return diceOf(tp.mul(weight).sum(1), both.mul(weight).sum(1), 1e-5).mean();
  }

  private static Tensor diceOf(Tensor tp, Tensor both, double smooth) {
    final Tensor numerator = tp.mul(number(2)).add(number(smooth));
    return oneMinus(numerator.div(both.add(number(smooth))));
  }

  static Tensor contrastive(Tensor[] in) {
    final Tensor d = pairwise_distance(in[0], in[1]);
    final Tensor similar = in[2].mul(d.square());
    final Tensor others = oneMinus(in[2]).mul(oneMinus(d).relu().square());
    return similar.add(others).mean();
  }

  static Tensor tripletMargin(Tensor[] in) {
    return triplet_margin_loss(in[0], in[1], in[2]);
  }

  static Tensor infoNce(Tensor[] in) {
    final Tensor logits = in[0].matmul(in[1].t()).div(number(0.1));
    return cross_entropy_loss(logits, torch.arange(new Scalar(in[0].size(0))));
  }

  static Tensor uncertaintyWeighting(Tensor[] in) {
    final Scalar half = number(0.5);
    return in[1].neg().exp().mul(in[0]).mul(half).add(in[1].mul(half)).sum();
  }

  /** The nearest of another class; beside it the farthest of the same. By masks over all pairs. */
  static Tensor batchHard(Tensor[] in) {
    final Tensor x = torch.normalize(in[0]);
    final Tensor distance = torch.cdist(x, x);
    final Tensor same = in[1].unsqueeze(1).eq(in[1].unsqueeze(0));
    final Tensor positives = same.clone().fill_diagonal_(number(0));
    final LongOptional along = new LongOptional(1);
    final Tensor p =
        distance
            .masked_fill(positives.logical_not(), number(Double.NEGATIVE_INFINITY))
            .argmax(along, false);
    final Tensor n =
        distance.masked_fill(same, number(Double.POSITIVE_INFINITY)).argmin(along, false);
    final Tensor keep = positives.any(1).logical_and(same.logical_not().any(1));
    final Tensor anchors = torch.where(keep).get(0);
    p.index_select(0, anchors);
    return n.index_select(0, anchors);
  }

  private static Scalar number(double value) {
    return new Scalar(value);
  }

  private static Tensor oneMinus(Tensor x) {
    return rsub(x, number(1));
  }
}
