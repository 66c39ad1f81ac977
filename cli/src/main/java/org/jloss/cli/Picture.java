package org.jloss.cli;

import de.erichseifert.vectorgraphics2d.Document;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A loss and its derivative, side by side. */
final class Picture {
  private static final int PANEL = 520;
  private static final int HEIGHT = 420;
  private static final int TITLE = 64;
  private static final int SCALE = 2;
  private static final int LONGEST_TITLE = 100;

  /** Okabe and Ito's, which the colour-blind can tell apart. */
  private static final Color[] COLORS = {
    new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7)
  };

  private static final Color INK = new Color(0x1C2430);
  private static final Color QUIET = new Color(0x667085);
  private static final Color GRID = new Color(0xE3E7EE);

  private final String id;
  private final String title;
  private final String formula;
  private final Curves curves;

  private Picture(Loss loss) {
    final Spec spec = loss.spec();
    id = spec.id();
    title = title(loss);
    formula = spec.formula();
    curves = Curves.of(loss);
  }

  /** The picture of a loss. */
  static Picture of(Loss loss) {
    return new Picture(loss);
  }

  /** The default loss's, or null where there is none to draw: a report goes without it. */
  static @Nullable String svgOrNull(String id) {
    try {
      return of(Losses.create(id)).svg();
    } catch (IOException | RuntimeException | LinkageError | InternalError e) {
      return null;
    }
  }

  /** The parameters that fit, those that are not the defaults first. */
  private static String title(Loss loss) {
    final Loss defaults = Losses.create(loss.spec().id(), Map.of());
    final StringBuilder changed = new StringBuilder();
    final StringBuilder usual = new StringBuilder();
    for (final Spec.Parameter parameter : loss.spec().parameters()) {
      final Object value = Losses.value(loss, parameter);
      final boolean isUsual = Objects.equals(value, Losses.value(defaults, parameter));
      if (value != null || !isUsual) {
        (isUsual ? usual : changed)
            .append(parameter.name())
            .append('=')
            .append(Values.text(value))
            .append("  ");
      }
    }
    final String all = loss.spec().id() + "   " + changed + usual;
    return all.length() <= LONGEST_TITLE
        ? all.strip()
        : all.substring(0, all.lastIndexOf("  ", LONGEST_TITLE)).strip() + " ...";
  }

  /** As a PNG file, at twice the size for sharp screens. */
  byte[] png() throws IOException {
    final BufferedImage image =
        new BufferedImage(2 * PANEL * SCALE, (TITLE + HEIGHT) * SCALE, BufferedImage.TYPE_INT_RGB);
    final Graphics2D graphics = image.createGraphics();
    graphics.scale(SCALE, SCALE);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    paint(graphics);
    graphics.dispose();
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  /** As an SVG element that scales with its place, and that may stand in a page with others. */
  String svg() throws IOException {
    final VectorGraphics2D graphics = new VectorGraphics2D();
    paint(graphics);
    final Document document =
        new SVGProcessor()
            .getDocument(graphics.getCommands(), new PageSize(2 * PANEL, TITLE + HEIGHT));
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    document.writeTo(bytes);
    return Svg.compact(bytes.toString(StandardCharsets.UTF_8), id);
  }

  private void paint(Graphics2D graphics) {
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, 2 * PANEL, TITLE + HEIGHT);
    graphics.setColor(INK);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
    graphics.drawString(title, 16, 28);
    graphics.setColor(QUIET);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    graphics.drawString(formula, 16, 50);
    paint(graphics, 0, chart("loss", false));
    paint(graphics, PANEL, chart("derivative of the loss", true));
  }

  private static void paint(Graphics2D graphics, int left, XYChart chart) {
    graphics.translate(left, TITLE);
    chart.paint(graphics, PANEL, HEIGHT);
    graphics.translate(-left, -TITLE);
  }

  private XYChart chart(String axis, boolean isSlope) {
    final XYChart chart =
        new XYChartBuilder()
            .width(PANEL)
            .height(HEIGHT)
            .xAxisTitle(curves.axis())
            .yAxisTitle(axis)
            .build();
    final XYStyler style = chart.getStyler();
    final Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    style.setAxisTitleFont(font.deriveFont(13f));
    style.setAxisTickLabelsFont(font);
    style.setLegendFont(font);
    style.setChartFontColor(INK);
    style.setAxisTickLabelsColor(QUIET);
    style.setXAxisTickLabelsFormattingFunction(Picture::tick);
    style.setYAxisTickLabelsFormattingFunction(Picture::tick);
    final double[] x = curves.curves().get(0).x();
    style.setXAxisMin(Math.rint(x[0] * 10) / 10);
    style.setXAxisMax(Math.rint(x[x.length - 1] * 10) / 10);
    style.setYAxisTickMarkSpacingHint(64);
    style.setXAxisTickMarkSpacingHint(80);
    style.setYAxisLeftWidthHint(64);
    style.setChartBackgroundColor(Color.WHITE);
    style.setPlotBackgroundColor(Color.WHITE);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setPlotGridLinesStroke(new BasicStroke(1));
    style.setLegendVisible(curves.curves().size() > 1);
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setLegendLayout(LegendLayout.Horizontal);
    style.setLegendBorderColor(Color.WHITE);
    for (int i = 0; i < curves.curves().size(); i++) {
      final Curves.Curve curve = curves.curves().get(i);
      final XYSeries series =
          chart.addSeries(
              curve.label().isEmpty() ? id : curve.label(),
              curve.x(),
              isSlope ? curve.slope() : curve.value());
      series.setMarker(SeriesMarkers.NONE);
      series.setLineColor(COLORS[i % COLORS.length]);
      series.setLineStyle(new BasicStroke(2, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    }
    return chart;
  }

  /** Without the last bits of the steps' rounding. */
  private static String tick(double x) {
    final double shown = new BigDecimal(x, new MathContext(6)).doubleValue();
    return Values.text(Math.abs(shown) < 1e-12 ? 0 : shown);
  }
}
