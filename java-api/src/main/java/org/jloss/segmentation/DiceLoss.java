package org.jloss.segmentation;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.ClassWeights;
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
 * Dice loss: {@code L = 1 - (2 TP + smooth_nr) / (P + G + smooth_dr)} with {@code TP = Σpg}, {@code
 * P = Σp}, {@code G = Σg}.
 *
 * <p>{@code input}: {@code (N,C,*)}, probabilities, or scores with {@code fromLogits}. {@code
 * target}: {@code (N,C,*)} of input's dtype or int64; for multiclass also class indices, int64
 * {@code (N,*)}, and for binary with one channel {@code (N,*)}.
 *
 * <p>The sums go over space; with dims batch over N too; with average micro over C too. Micro:
 * {@code 1 - (2 Σ_c w TP + nr) / (Σ_c w (P + G) + dr)}. Macro: the mean over classes of {@code w
 * L}, or with normalized weights {@code Σ w L / Σ w}. None: {@code w L} a class. Micro and macro
 * leave {@code (N)}, or one value for the whole batch; none leaves {@code (N,C)} or {@code (C)};
 * the reduction acts on that.
 *
 * <p>With smooth 0 two empty masks give NaN. A float target is differentiable, a class index is
 * not.
 *
 * <p>Source: Milletari, Navab, Ahmadi, V-Net, 2016, with the options of MONAI, kornia and
 * segmentation_models_pytorch.
 *
 * @param mode what the channels are
 * @param fromLogits whether a sigmoid (binary, multilabel) or a softmax over C (multiclass) is
 *     taken first
 * @param dims whether each sample has sums of its own
 * @param average how the classes are joined
 * @param smooth added above and below: not negative
 * @param smoothNr added above, null for smooth
 * @param smoothDr added below, null for smooth
 * @param squared whether P and G are sums of squares
 * @param softLabel whether {@code TP = (P + G - Σ|p - g|) / 2}, which is right for soft targets
 * @param classes the channels that take part, counted after the background has been left out; null
 *     for all
 * @param weight a factor a class, or null
 * @param weightMode what a macro average with weights divides by
 * @param absent what a macro average does with a class that has no target
 * @param ignoreIndex elements with this target take no part; null for none
 * @param includeBackground whether channel 0 takes part
 * @param reduction none, mean or sum
 */
@Definition(
    id = "dice_loss",
    formula = "L = 1 - (2 TP + smooth_nr) / (P + G + smooth_dr)",
    source = "Milletari et al. 2016; options of MONAI, kornia, segmentation_models_pytorch")
@Input(name = "input", shape = "N,C,*", domain = Domain.PROBABILITY, differentiable = true)
@Input(name = "target", shape = "N,C,*|N,*", domain = Domain.PROBABILITY, differentiable = true)
@Input(name = "weight", shape = "C", domain = Domain.WEIGHT, optional = true)
public record DiceLoss(
    Mode mode,
    boolean fromLogits,
    Dims dims,
    Average average,
    @Range(min = 0, openMax = true) double smooth,
    @Range(min = 0, openMax = true) @Nullable Double smoothNr,
    @Range(min = 0, openMax = true) @Nullable Double smoothDr,
    boolean squared,
    boolean softLabel,
    @Nullable List<Long> classes,
    @Nullable ClassWeights weight,
    WeightMode weightMode,
    Absent absent,
    @Nullable Long ignoreIndex,
    boolean includeBackground,
    Reduction reduction)
    implements Loss {

  /** What the channels are. */
  public enum Mode {
    /** Masks, each on its own; a target of one channel may leave the axis out. */
    BINARY,
    /** Masks, each on its own. */
    MULTILABEL,
    /** One class a pixel. */
    MULTICLASS
  }

  /** Over what the sums go besides space. */
  public enum Dims {
    /** Nothing else. */
    PER_SAMPLE,
    /** The batch. */
    BATCH
  }

  /** How the classes are joined. */
  public enum Average {
    /** By their sums. */
    MICRO,
    /** By their losses. */
    MACRO,
    /** Not at all. */
    NONE
  }

  /** What a macro average with weights divides by. */
  public enum WeightMode {
    /** The number of classes. */
    PLAIN,
    /** The sum of the weights. */
    NORMALIZED
  }

  /** What a macro average does with a class that has no target. */
  public enum Absent {
    /** Counts it like any other. */
    COUNT,
    /** Takes its loss for 0. */
    ZERO,
    /** Leaves it out; with none left the loss is 1. */
    SKIP
  }

  /** Checks the parameters. */
  public DiceLoss {
    classes = classes == null ? null : List.copyOf(classes);
    Parameters.check(
        DiceLoss.class,
        mode,
        fromLogits,
        dims,
        average,
        smooth,
        smoothNr,
        smoothDr,
        squared,
        softLabel,
        classes,
        weight,
        weightMode,
        absent,
        ignoreIndex,
        includeBackground,
        reduction);
  }

  /** The defaults. */
  public DiceLoss() {
    this(
        Mode.BINARY,
        false,
        Dims.PER_SAMPLE,
        Average.MICRO,
        1e-6,
        null,
        null,
        false,
        false,
        null,
        null,
        WeightMode.PLAIN,
        Absent.COUNT,
        null,
        true,
        Reduction.MEAN);
  }

  /** A copy with this mode. */
  public DiceLoss mode(Mode mode) {
    return Parameters.with(this, "mode", mode);
  }

  /** A copy with this from logits. */
  public DiceLoss fromLogits(boolean fromLogits) {
    return Parameters.with(this, "fromLogits", fromLogits);
  }

  /** A copy with this dims. */
  public DiceLoss dims(Dims dims) {
    return Parameters.with(this, "dims", dims);
  }

  /** A copy with this average. */
  public DiceLoss average(Average average) {
    return Parameters.with(this, "average", average);
  }

  /** A copy with this smooth. */
  public DiceLoss smooth(double smooth) {
    return Parameters.with(this, "smooth", smooth);
  }

  /** A copy with this smooth nr. */
  public DiceLoss smoothNr(@Nullable Double smoothNr) {
    return Parameters.with(this, "smoothNr", smoothNr);
  }

  /** A copy with this smooth dr. */
  public DiceLoss smoothDr(@Nullable Double smoothDr) {
    return Parameters.with(this, "smoothDr", smoothDr);
  }

  /** A copy with this squared. */
  public DiceLoss squared(boolean squared) {
    return Parameters.with(this, "squared", squared);
  }

  /** A copy with this soft label. */
  public DiceLoss softLabel(boolean softLabel) {
    return Parameters.with(this, "softLabel", softLabel);
  }

  /** A copy with this classes. */
  public DiceLoss classes(@Nullable List<Long> classes) {
    return Parameters.with(this, "classes", classes);
  }

  /** A copy with this weight. */
  public DiceLoss weight(@Nullable ClassWeights weight) {
    return Parameters.with(this, "weight", weight);
  }

  /** A copy with this weight mode. */
  public DiceLoss weightMode(WeightMode weightMode) {
    return Parameters.with(this, "weightMode", weightMode);
  }

  /** A copy with this absent. */
  public DiceLoss absent(Absent absent) {
    return Parameters.with(this, "absent", absent);
  }

  /** A copy with this ignore index. */
  public DiceLoss ignoreIndex(@Nullable Long ignoreIndex) {
    return Parameters.with(this, "ignoreIndex", ignoreIndex);
  }

  /** A copy with this include background. */
  public DiceLoss includeBackground(boolean includeBackground) {
    return Parameters.with(this, "includeBackground", includeBackground);
  }

  /** A copy with this reduction. */
  public DiceLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.dice_loss(
        in[0],
        in[1],
        in[2],
        mode.ordinal(),
        fromLogits,
        dims.ordinal(),
        average.ordinal(),
        smooth,
        smoothNr == null ? smooth : smoothNr,
        smoothDr == null ? smooth : smoothDr,
        squared,
        softLabel,
        classes == null ? new long[0] : classes.stream().mapToLong(Long::longValue).toArray(),
        weightMode.ordinal(),
        absent.ordinal(),
        ignoreIndex == null ? null : new long[] {ignoreIndex},
        includeBackground,
        reduction.code(),
        gradients);
  }
}
