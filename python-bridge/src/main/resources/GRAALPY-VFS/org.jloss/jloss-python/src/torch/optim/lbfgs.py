"""L-BFGS."""

import torch

from .optimizer import Optimizer, check_rate, number, real

# The decrease and the slope that a step has to reach, as shares of the slope at its start.
_DECREASE, _SLOPE = 1e-4, 0.9


class LBFGS(Optimizer):
    """Newton's method with an inverse Hessian out of the last gradients.

    step(closure) calls the closure, which computes the loss and its gradients, as often as it needs.
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_rate(lr)
        defaults = dict(
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def _gradient(self):
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._params]
        return torch.cat([real(g).reshape(-1) for g in gradients])

    def _move(self, step, direction):
        params = [real(p) for p in self._params]
        for parameter, part in zip(params, direction.split([p.numel() for p in params])):
            parameter.add_(part.view_as(parameter), alpha=step)

    @torch.no_grad()
    def step(self, closure):
        """Goes down until a tolerance or a limit is reached; the loss at the start."""
        closure = torch.enable_grad()(closure)
        group = self.param_groups[0]
        lr, tolerance = number(group["lr"]), group["tolerance_change"]
        # For all parameters, under the first: so state_dicts have it.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first = closure()
        loss, evaluations = float(first), 1
        state["func_evals"] += 1
        gradient = self._gradient()
        if gradient.abs().max() <= group["tolerance_grad"]:
            return first

        iteration = 0
        while iteration < group["max_iter"]:
            iteration += 1
            state["n_iter"] += 1
            direction = self._direction(state, gradient, group["history_size"])
            before, state["d"] = loss, direction
            state["prev_flat_grad"], state["prev_loss"] = gradient.clone(), loss
            start = state["n_iter"] == 1
            state["t"] = min(1.0, 1.0 / gradient.abs().sum()) * lr if start else lr
            slope = gradient.dot(direction)
            if slope > -tolerance:
                break
            count = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                search = _Search(self, closure, direction, loss, gradient, slope, tolerance)
                limit = group["max_eval"] - evaluations
                loss, gradient, state["t"], count = search.run(state["t"], limit)
                self._move(state["t"], direction)
            else:
                self._move(state["t"], direction)
                # Its value would not be used after the last one.
                if iteration != group["max_iter"]:
                    loss, count = float(closure()), 1
                    gradient = self._gradient()
            evaluations += count
            state["func_evals"] += count
            if (
                iteration == group["max_iter"]
                or evaluations >= group["max_eval"]
                or gradient.abs().max() <= group["tolerance_grad"]
                or direction.mul(state["t"]).abs().max() <= tolerance
                or abs(loss - before) < tolerance
            ):
                break
        return first

    @staticmethod
    def _direction(state, gradient, history_size):
        """Minus the gradient times the approximate inverse Hessian."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return gradient.neg()
        changes, steps, ratios = state["old_dirs"], state["old_stps"], state["ro"]
        change, step = gradient.sub(state["prev_flat_grad"]), state["d"].mul(state["t"])
        curvature = change.dot(step)
        if curvature > 1e-10:
            if len(changes) == history_size:
                for kept in (changes, steps, ratios):
                    kept.pop(0)
            changes.append(change)
            steps.append(step)
            ratios.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        shares = state.setdefault("al", [None] * history_size)
        rest = gradient.neg()
        for i in range(len(changes) - 1, -1, -1):
            shares[i] = steps[i].dot(rest) * ratios[i]
            rest.add_(changes[i], alpha=-shares[i])
        direction = torch.mul(rest, state["H_diag"])
        for i in range(len(changes)):
            direction.add_(steps[i], alpha=shares[i] - changes[i].dot(direction) * ratios[i])
        return direction


class _Search:
    """The search of a step that fulfils the strong Wolfe conditions."""

    def __init__(self, optimizer, closure, direction, loss, gradient, slope, tolerance):
        self._optimizer, self._closure, self._direction = optimizer, closure, direction
        self._start = [p.clone() for p in optimizer._params]
        self._loss, self._slope, self._tolerance = loss, slope, tolerance
        # Points: the step, and the loss, gradient and slope there.
        self._origin = (0, loss, gradient.clone(), slope)

    def _at(self, t):
        self._optimizer._move(t, self._direction)
        loss = float(self._closure())
        gradient = self._optimizer._gradient()
        for parameter, value in zip(self._optimizer._params, self._start):
            parameter.copy_(value)
        return t, loss, gradient, gradient.dot(self._direction)

    def _is_high(self, point):
        return point[1] > self._loss + _DECREASE * point[0] * self._slope

    def _is_flat(self, point):
        return abs(point[3]) <= -_SLOPE * self._slope

    def run(self, t, limit):
        """The loss, gradient and step that were found, and how often the closure was called."""
        before, point = self._origin, self._at(t)
        rounds, bracket, done = 0, None, False
        while rounds < limit:
            if self._is_high(point) or (rounds > 1 and point[1] >= before[1]):
                bracket = [before, point]
            elif self._is_flat(point):
                bracket, done = [point], True
            elif point[3] >= 0:
                bracket = [before, point]
            if bracket:
                break
            t = point[0]
            farther = _interpolated(before, point, (t + 0.01 * (t - before[0]), t * 10))
            before, point = point, self._at(farther)
            rounds += 1
        bracket = bracket or [self._origin, point]
        low, rounds = self._zoom(bracket, rounds, limit) if not done else (bracket[0], rounds)
        return low[1], low[2], low[0], rounds + 1

    def _zoom(self, bracket, rounds, limit):
        """Narrows a bracket down to a step."""
        low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        length = self._direction.abs().max()
        near_before = False
        while rounds < limit and abs(bracket[1][0] - bracket[0][0]) * length >= self._tolerance:
            t = _interpolated(*bracket)
            ends = [p[0] for p in bracket]
            least, most = min(ends), max(ends)
            margin = 0.1 * (most - least)
            near = min(most - t, t - least) < margin
            # Too near to an end, for the second time or at the end itself: a tenth away from it.
            if near and (near_before or t >= most or t <= least):
                t = most - margin if abs(t - most) < abs(t - least) else least + margin
                near = False
            near_before = near
            point = self._at(t)
            rounds += 1
            if self._is_high(point) or point[1] >= bracket[low][1]:
                bracket[high] = point
                low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
                continue
            done = self._is_flat(point)
            if not done and point[3] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
            if done:
                break
        return bracket[low], rounds


def _interpolated(a, b, bounds=None):
    """The step at the minimum of the cubic through two points, within bounds."""
    (x1, f1, _, g1), (x2, f2, _, g2) = a, b
    least, most = bounds or ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (least + most) / 2.0
    d2 = square.sqrt()
    if x1 <= x2:
        found = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        found = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(found, least), most)
