"""What the type stubs refuse. Each line says by which of mypy's errors."""

import jloss

x = jloss.tensor([1.0])
jloss.FocalLoss(gama=2.0)  # error: call-arg
jloss.FocalLoss(gamma="2")  # error: arg-type
jloss.MseLoss("sum")  # error: call-arg
jloss.MseLoss(reduction="median")  # error: arg-type
jloss.MseLoss()(x)  # error: call-arg
jloss.MseLoss()(x, [1.0])  # error: arg-type
jloss.MseLoss().gamma  # error: attr-defined
jloss.MseLoss().value_and_grad(x, x)[1].output  # error: attr-defined
jloss.functional.mse_los(x, x)  # error: attr-defined
jloss.functional.mse_loss(x, x, delta=1.0)  # error: call-arg
jloss.MseLoss() + 1.0  # error: operator
jloss.MseLoss() * jloss.MseLoss()  # error: operator
jloss.tensor({"a": 1})  # error: arg-type
number: int = jloss.MseLoss()(x, x)  # error: assignment
