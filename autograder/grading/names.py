"""The global names that a cell uses from earlier cells, and those that it binds or changes."""

import ast
import symtable

from IPython.core.inputtransformer2 import TransformerManager


class Names:
    """Names of one cell. Empty for a cell that Python cannot read: it fails whatever ran before.

    Attributes:
        used: global names that the cell may take from earlier cells.
        bound: names that the cell binds, or whose object it changes.
        reached: names of attributes and of imported modules.
    """

    def __init__(self, source: str):
        self.used: set[str] = set()
        self.bound: set[str] = set()
        self.reached: set[str] = set()
        self._plain: set[int] = set()  # attributes that are called in a way that reaches no name
        try:
            text, tree = _parsed(source)
            table = symtable.symtable(text, "<cell>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        self.bound |= {s.get_name() for s in table.get_symbols() if _binds(s)}
        self._later(table, self._block(tree.body, set()))
        for node in ast.walk(tree):
            self._changes(node)

    def _later(self, table: symtable.SymbolTable, known: set[str]) -> None:
        """Functions run when the cell has bound its own names, of which `known` for certain."""
        for child in table.get_children():
            for symbol in child.get_symbols():
                if symbol.is_global():
                    if _binds(symbol):
                        self.bound.add(symbol.get_name())
                    elif symbol.get_name() not in known:
                        self.used.add(symbol.get_name())
            self._later(child, known)

    def _block(self, body: list[ast.stmt], known: set[str]) -> set[str]:
        """Statements in their order. known: names that the cell has bound. Returns it, grown."""
        for statement in body:
            known = self._statement(statement, set(known))
        return known

    def _statement(self, node: ast.stmt, known: set[str]) -> set[str]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            at_once = [*node.decorator_list]
            if isinstance(node, ast.ClassDef):
                at_once += [*node.bases, *node.keywords]
                # Its methods run later, and do not see what the class body binds: see _later.
                self._block(node.body, known)
            else:
                at_once += filter(None, [node.args, node.returns])
            self._expressions(at_once, known)
            return known | {node.name}
        if isinstance(node, ast.For | ast.AsyncFor):
            self._expressions([node.iter], known)
            return self._block(node.body + node.orelse, known | _stored(node.target))
        if isinstance(node, ast.With | ast.AsyncWith):
            self._expressions(node.items, known)
            return self._block(node.body, known | _stored(*node.items))
        if isinstance(node, ast.If):
            self._expressions([node.test], known)
            return self._block(node.body, known) & self._block(node.orelse, known)
        if isinstance(node, ast.While | ast.Try | ast.TryStar | ast.Match):
            self._expressions([node], known)
            return known
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.used |= {node.target.id} - known
        self._expressions([node], known)
        return known | _stored(node)

    def _expressions(self, nodes: list[ast.AST], known: set[str]) -> None:
        """Loads of names that the cell has not bound before."""
        for top in nodes:
            known_here = known | _inner(top)
            for node in ast.walk(top):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self.used |= {node.id} - known_here

    def _changes(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call) and _evaluates_nothing(node):
            self._plain.add(id(node.func))
        if isinstance(node, ast.Attribute) and id(node) not in self._plain:
            self.reached.add(node.attr)
        if isinstance(node, ast.Attribute | ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                self._base(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
            self.reached.update(".".join(modules).split("."))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._base(node.value.func)

    def _base(self, node: ast.AST) -> None:
        """x of `x.append(1)`, `x[0] = 1`, `x.y.z = 1`: the cell changes what x is."""
        base = node
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if isinstance(base, ast.Name) and base is not node:
            self.bound.add(base.id)


def _parsed(source: str) -> tuple[str, ast.Module]:
    """A cell as Python text and its tree; IPython's own forms are no Python and are rewritten."""
    try:
        return source, ast.parse(source)
    except SyntaxError:
        text = TransformerManager().transform_cell(source)
        return text, ast.parse(text)


def _evaluates_nothing(call: ast.Call) -> bool:
    """`model.eval()`: Python's own `eval` takes a text, so without one this is something else."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "eval"
        and not call.args
        and not call.keywords
    )


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported()


def _stored(*nodes: ast.AST) -> set[str]:
    """Names that these bind in the scope they stand in."""
    found = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).split(".")[0])
    return found


def _inner(top: ast.AST) -> set[str]:
    """Names of comprehensions' targets and lambdas' arguments."""
    found = set()
    for node in ast.walk(top):
        if isinstance(node, ast.comprehension):
            found |= _stored(node.target)
        elif isinstance(node, ast.Lambda):
            found |= {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}
    return found
