import torch
from torch.autograd import Function
class Exp(Function):
    @staticmethod
    def forward(ctx, i):
        r = i.exp(); ctx.save_for_backward(r); return r
    @staticmethod
    def backward(ctx, g):
        r, = ctx.saved_tensors
        return g * r
x = torch.tensor([1.,2.], dtype=torch.float64, requires_grad=True)
y = Exp.apply(x); print(y)
g, = torch.autograd.grad(y.sum(), x, create_graph=True); print(g)
print(torch.autograd.grad(g.sum(), x))
print(torch.autograd.gradcheck(Exp.apply, (x,)), torch.autograd.gradgradcheck(Exp.apply, (x,)))
class Two(Function):
    @staticmethod
    def forward(ctx, a, b, k):
        ctx.k = k; ctx.save_for_backward(a, b); print(ctx.needs_input_grad); 
        i = a.argmax()
        ctx.mark_non_differentiable(i)
        return a*b, a+b, i
    @staticmethod
    def backward(ctx, g1, g2, gi):
        print('grads', g1, g2, gi)
        a,b = ctx.saved_tensors
        return g1*b + g2, g1*a+g2, None
a = torch.ones(2, requires_grad=True); b = torch.tensor([2.,3.])
p,q,i = Two.apply(a,b,3); print(p,q,i)
p.sum().backward(); print(a.grad, b.grad)
class Bad(Function):
    @staticmethod
    def forward(ctx, a): return a*2
    @staticmethod
    def backward(ctx, g): raise KeyError('oops')
try: Bad.apply(a).sum().backward()
except KeyError as e: print('KeyError', e)
class Id(Function):
    @staticmethod
    def forward(ctx, a): return a
    @staticmethod
    def backward(ctx, g): return -g
a.grad=None; z=Id.apply(a); print(z); z.sum().backward(); print(a.grad)
class Wrong(Function):
    @staticmethod
    def forward(ctx, a): return a*2
    @staticmethod
    def backward(ctx, g): return g, g
try: Wrong.apply(a).sum().backward()
except RuntimeError as e: print(e)
h = a.register_hook(lambda g: g*10); a.grad=None; (a*a).sum().backward(); print(a.grad); h.remove(); a.grad=None; (a*a).sum().backward(); print(a.grad)
seen=[]; h=a.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone())); (a*3).sum().backward(); print(seen)
t = a*2; t.retain_grad(); (t*t).sum().backward(); print(t.grad)
f=lambda x: (x**3).sum()
print(torch.autograd.functional.jacobian(lambda x: x**2, b)); print(torch.autograd.functional.hessian(f, b)); print(torch.autograd.functional.jvp(lambda x:x**2,b,torch.ones(2)), torch.autograd.functional.vjp(f,b), torch.autograd.functional.vhp(f,b,torch.ones(2)))
from torch.autograd.function import once_differentiable
class Once(Function):
    @staticmethod
    def forward(ctx, a): ctx.save_for_backward(a); return a**2
    @staticmethod
    @once_differentiable
    def backward(ctx, g): return g*2*ctx.saved_tensors[0]
g,=torch.autograd.grad(Once.apply(a).sum(), a, create_graph=True); print(g)
try: g.sum().backward()
except RuntimeError as e: print(e)
y = Exp.apply(x).sum(); y.backward()
try: y.backward()
except RuntimeError as e: print(str(e)[:80])
y=Exp.apply(x)
try:
    y.mul_(2); y.sum().backward()
except RuntimeError as e: print(str(e)[:90])
try: torch.autograd.grad(x.sum(), a)
except RuntimeError as e: print(e)
print(torch.autograd.grad(x.sum(), a, allow_unused=True), torch.autograd.grad(x.sum(), a, materialize_grads=True))
u, v = torch.autograd.grad((a * b.requires_grad_()).sum(), (a, b)); print(u, v)
print(torch.autograd.grad((a * b, a + b), (a, b), (torch.ones(2), torch.full((2,), 3.0))))
try: torch.autograd.grad(a * 2, a, torch.ones(3))
except RuntimeError as e: print(e)
try: torch.autograd.grad(a * 2, a)
except RuntimeError as e: print(e)
b.grad = None; torch.autograd.backward((a * b).sum(), inputs=[b]); print(b.grad)
class Hooked(Exception): pass
def fail(g): raise Hooked('in a hook')
t = a * 2; t.register_hook(fail)
try: t.sum().backward()
except Hooked as e: print(e)
class Setup(Function):
    @staticmethod
    def forward(a, k): return a ** k
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.k = inputs[1]; ctx.save_for_backward(inputs[0])
    @staticmethod
    def backward(ctx, g): return g * ctx.k * ctx.saved_tensors[0] ** (ctx.k - 1), None
print(Setup.apply(b.detach().requires_grad_(), 3))
print(torch.autograd.functional.hessian(lambda q: Setup.apply(q, 3).sum(), torch.tensor([1.0, 2.0])))
class Nothing(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.set_materialize_grads(False)
        return a * 2, a * 3
    @staticmethod
    def backward(ctx, g, h): print(g, h); return g * 2
a.grad = None; Nothing.apply(a)[0].sum().backward(); print(a.grad)
m, n = torch.ones(2, requires_grad=True), torch.ones(2)
n.data = torch.zeros(3); print(n); m.data = torch.zeros(2); print(m)
m.data.add_(1); print(m)
with torch.no_grad(): m.mul_(3)
print(m, m.is_leaf, (m * 1).is_leaf, (m * 1).grad_fn.name())
with torch.inference_mode(): print((m * 2).requires_grad)
with torch.set_grad_enabled(False): print((m * 2).requires_grad)
print((m * 2).requires_grad)
with torch.no_grad(): print((a*2).requires_grad)
@torch.no_grad()
def ff(q): return (q*2).requires_grad
print(ff(a), torch.is_grad_enabled())
torch.manual_seed(0); g=torch.Generator().manual_seed(0); print(torch.rand(2), torch.rand(2,generator=g), torch.rand(2,generator=g), torch.initial_seed(), torch.randint(0,10,(3,)), torch.randperm(5), torch.normal(0.,1.,(2,)))
torch.set_default_dtype(torch.float64); print(torch.zeros(1).dtype, torch.tensor([1.]).dtype, (torch.arange(3)/2).dtype, torch.get_default_dtype())
