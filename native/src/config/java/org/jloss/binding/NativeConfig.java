package org.jloss.binding;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP's parser how the family headers map to Java: each loss becomes one static native
 * method of {@code Native}, over the preset's own tensors. A new family is a line here.
 *
 * <p>The torch preset is not inherited, as its parser would then read headers that no jar carries;
 * the five torch types in use are named instead.
 */
@Properties(
    value =
        @Platform(
            value = "linux-x86_64",
            compiler = "cpp17",
            define = {
              "SHARED_PTR_NAMESPACE std",
              "OPTIONAL_NAMESPACE std",
              "GENERIC_EXCEPTION_CLASS std::exception",
              // Expands after "e.": the kind of the exception and its message without a backtrace.
              "GENERIC_EXCEPTION_TOSTRING what() == nullptr ? \"\" : jloss::describe(e)"
            },
            include = {
              "jloss/runtime.h",
              "jloss/types.h",
              "jloss/dispatch.h",
              "jloss/regression.h",
              "jloss/custom.h",
              "jloss/classification.h",
              "jloss/distribution.h",
              "jloss/metric_learning.h",
              "jloss/multi_task.h",
              "jloss/segmentation.h",
              "jloss/self_supervised.h",
            },
            link = "jloss",
            library = "jnijloss"),
    target = "org.jloss.binding",
    global = "org.jloss.binding.Native")
public class NativeConfig implements InfoMapper {
  @Override
  public void map(InfoMap infos) {
    infos
        .put(new Info("JLOSS_API").cppTypes().annotations())
        .put(new Info("at::Tensor").pointerTypes("org.bytedeco.pytorch.Tensor"))
        .put(
            new Info("std::optional<at::Tensor>")
                .annotations("@Optional")
                .pointerTypes("org.bytedeco.pytorch.Tensor"))
        .put(
            new Info("std::vector<at::Tensor>", "jloss::Gradients")
                .pointerTypes("org.bytedeco.pytorch.TensorVector"))
        .put(
            new Info("std::optional<int64_t>")
                .annotations("@Adapter(\"jloss::OptionalInt\")")
                .pointerTypes("long[]"))
        .put(
            new Info("at::ArrayRef<double>")
                .annotations("@Cast({\"double*\", \"std::vector<double>&\"}) @StdVector")
                .pointerTypes("double[]"))
        .put(
            new Info("at::IntArrayRef")
                .annotations("@Cast({\"int64_t*\", \"std::vector<int64_t>&\"}) @StdVector")
                .pointerTypes("long[]"))
        .put(new Info("torch::autograd::Node").pointerTypes("org.bytedeco.pytorch.Node"))
        .put(new Info("std::vector<int64_t>").pointerTypes("org.bytedeco.pytorch.LongVector"))
        .put(new Info("int64_t").valueTypes("long").cast())
        .put(new Info("jloss::describe", "jloss::OptionalInt").skip())
        .put(new Info("std::exception").skip());
  }
}
