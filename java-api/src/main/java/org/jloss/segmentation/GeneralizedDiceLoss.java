package org.jloss.segmentation;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Parameters;
import org.jloss.Reduction;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Generalized Dice loss: {@code L = 1 - (2 Σ_c w TP + smooth_nr) / (Σ_c w (P + G) + smooth_dr)}
 * with {@code TP = Σpg}, {@code P = Σp}, {@code G = Σg} a class and {@code w} from the volume G of
 * the class.
 *
 * <p>{@code input}: probabilities {@code (N,C,*)}; {@code target}: one-hot, of input's shape and
 * dtype. The sums go over space, with batch over N too. A class without target has the largest
 * finite weight of its sample; where no class has a target every weight is 0. No gradient flows
 * through the weights. The value is {@code (N)}, or one number with batch, before the reduction.
 *
 * <p>Source: Sudre et al., 2017; MONAI's GeneralizedDiceLoss.
 *
 * @param wType the class weight
 * @param smoothNr added above: not negative
 * @param smoothDr added below: not negative
 * @param batch whether the sums go over the batch too
 * @param softLabel whether {@code TP = (P + G - Σ|p - g|) / 2}
 * @param reduction none, mean or sum
 */
@Definition(
    id = "generalized_dice_loss",
    formula = "L = 1 - (2 sum_c w_c TP_c + smooth_nr) / (sum_c w_c (P_c + G_c) + smooth_dr)",
    source = "Sudre et al. 2017; monai.losses.GeneralizedDiceLoss")
@Input(name = "input", shape = "N,C,*", domain = Domain.PROBABILITY, differentiable = true)
@Input(name = "target", shape = "N,C,*", domain = Domain.BINARY)
public record GeneralizedDiceLoss(
    WeightType wType,
    @Range(min = 0, openMax = true) double smoothNr,
    @Range(min = 0, openMax = true) double smoothDr,
    boolean batch,
    boolean softLabel,
    Reduction reduction)
    implements Loss {

  /** The class weight. */
  public enum WeightType {
    /** 1 / G². */
    SQUARE,
    /** 1 / G. */
    SIMPLE,
    /** 1. */
    UNIFORM
  }

  /** Checks the parameters. */
  public GeneralizedDiceLoss {
    Parameters.check(
        GeneralizedDiceLoss.class, wType, smoothNr, smoothDr, batch, softLabel, reduction);
  }

  /** The defaults. */
  public GeneralizedDiceLoss() {
    this(WeightType.SQUARE, 1e-5, 1e-5, false, false, Reduction.MEAN);
  }

  /** A copy with this w type. */
  public GeneralizedDiceLoss wType(WeightType wType) {
    return Parameters.with(this, "wType", wType);
  }

  /** A copy with this smooth nr. */
  public GeneralizedDiceLoss smoothNr(double smoothNr) {
    return Parameters.with(this, "smoothNr", smoothNr);
  }

  /** A copy with this smooth dr. */
  public GeneralizedDiceLoss smoothDr(double smoothDr) {
    return Parameters.with(this, "smoothDr", smoothDr);
  }

  /** A copy with this batch. */
  public GeneralizedDiceLoss batch(boolean batch) {
    return Parameters.with(this, "batch", batch);
  }

  /** A copy with this soft label. */
  public GeneralizedDiceLoss softLabel(boolean softLabel) {
    return Parameters.with(this, "softLabel", softLabel);
  }

  /** A copy with this reduction. */
  public GeneralizedDiceLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.generalized_dice_loss(
        in[0],
        in[1],
        wType.ordinal(),
        smoothNr,
        smoothDr,
        batch,
        softLabel,
        reduction.code(),
        gradients);
  }
}
