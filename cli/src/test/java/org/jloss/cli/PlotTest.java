package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jloss.FormulaLoss;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PlotTest {
  @TempDir Path folder;

  static Stream<String> losses() {
    return Losses.all().stream().filter(s -> Loss.class.isAssignableFrom(s.type())).map(Spec::id);
  }

  /** Pulls rows of one label together and pushes the others apart. */
  @Definition(id = "pull", formula = "", source = "")
  @Input(name = "embeddings", shape = "N,D", domain = Domain.EMBEDDING, differentiable = true)
  @Input(name = "labels", shape = "N", domain = Domain.LABEL)
  public record Pull() implements FormulaLoss {
    @Override
    public Tensor formula(Tensor[] in) {
      final Tensor same = in[1].unsqueeze(0).eq(in[1].unsqueeze(1)).to(in[0].scalar_type());
      return in[0]
          .matmul(in[0].t())
          .mul(same.sub(torch.full_like(same, new Scalar(0.5))))
          .sum()
          .neg();
    }
  }

  /** Cross entropy against a distribution. */
  @Definition(id = "soft", formula = "", source = "")
  @Input(name = "input", shape = "N,C", domain = Domain.LOGITS, differentiable = true)
  @Input(name = "target", shape = "N,C", domain = Domain.SIMPLEX)
  public record Soft() implements FormulaLoss {
    @Override
    public Tensor formula(Tensor[] in) {
      return torch.log_softmax(in[0], 1).mul(in[1]).sum().neg();
    }
  }

  /** Distance of the corners. */
  @Definition(id = "corners", formula = "", source = "")
  @Input(name = "input", shape = "N,4", domain = Domain.BOX_XYXY, differentiable = true)
  @Input(name = "target", shape = "N,4", domain = Domain.BOX_XYXY)
  public record Corners() implements FormulaLoss {
    @Override
    public Tensor formula(Tensor[] in) {
      return in[0].sub(in[1]).abs().sum();
    }
  }

  @Test
  void drawsWhateverTensorsMean() {
    assertEquals(2, checkSlopes(new Pull()).curves().size());
    assertEquals(2, checkSlopes(new Soft()).curves().size());
    assertEquals(1, checkSlopes(new Corners()).curves().size());
  }

  @ParameterizedTest
  @MethodSource("losses")
  void theSlopeIsThatOfTheCurve(String id) {
    checkSlopes(Losses.create(id));
  }

  private static Curves checkSlopes(Loss loss) {
    final Curves curves = Curves.of(loss);
    assertFalse(curves.curves().isEmpty());
    for (final Curves.Curve curve : curves.curves()) {
      final double[] x = curve.x();
      final double largest =
          Arrays.stream(curve.slope()).filter(Double::isFinite).map(Math::abs).max().orElseThrow();
      assertTrue(Arrays.stream(curve.value()).allMatch(Double::isFinite), curve.label());
      int wrong = 0;
      for (int i = 1; i < x.length - 1; i++) {
        final double secant = (curve.value()[i + 1] - curve.value()[i - 1]) / (x[i + 1] - x[i - 1]);
        wrong += Math.abs(secant - curve.slope()[i]) > 0.02 * largest ? 1 : 0;
      }
      // At a kink, and where it bends most.
      assertTrue(wrong <= 12, loss + ", " + curve.label() + ": " + wrong + " are wrong");
    }
    return curves;
  }

  @ParameterizedTest
  @MethodSource("losses")
  void drawsEveryLoss(String id) throws Exception {
    final Path png = folder.resolve(id + ".png");
    assertEquals(png + System.lineSeparator(), Run.jloss("plot", id, "--out", png).assertHeld());
    assertEquals(2080, ImageIO.read(png.toFile()).getWidth());

    final Path svg = folder.resolve(id + ".svg");
    Run.jloss("plot", id, "-o", svg).assertHeld();
    final var root =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(svg.toFile())
            .getDocumentElement();
    assertEquals("svg", root.getTagName());
    assertFalse(root.getAttribute("viewBox").isEmpty());
    assertTrue(Files.size(svg) < 200_000, Files.size(svg) + " bytes");
  }

  @Test
  void parametersChangeTheCurve() {
    final Curves huber = Curves.of((Loss) Values.system("huber_loss", Map.of("delta", "0.5")));
    final double[] slope = huber.curves().get(0).slope();
    assertEquals(0.5, slope[slope.length - 1]);
  }

  @Test
  void asManyClassesAsWeights() {
    final Loss loss = (Loss) Values.system("cross_entropy_loss", Map.of("weight", "1,2,3,4"));
    assertEquals(2, Curves.of(loss).curves().size());
  }

  @Test
  void makesTheFolder() {
    final Path file = folder.resolve("new/folder/mse.svg");
    Run.jloss("plot", "mse_loss", "-o", file).assertHeld();
    assertTrue(Files.exists(file));
  }

  @Test
  void refusesAPictureThatCannotBeWritten() throws IOException {
    final Path file = Files.writeString(folder.resolve("file"), "");
    Run.jloss("plot", "mse_loss", "-o", file.resolve("x.png"))
        .assertRefused("jloss plot: " + file + ": not a folder");
  }
}
