"""Which error, finding and caveat codes the source can produce, found by reading its syntax trees.

An error is a call ``XxxError("code", …)``. A finding is a call of `Finding`, `Caveat`, `Fault` or `Problem` with
``code=…``; where that is put together from parameters of the function around it, the function counts as a maker, and
its callers are read in turn.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("evidence_desk", "tsa", "reports")
RECORDS = frozenset({"Finding", "Caveat", "Fault", "Problem"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Use:
    """One place where a code arises; `facts` are the names of parameters given there, None when not known."""

    code: str
    place: str
    facts: frozenset[str] | None


@dataclass
class Module:
    path: Path
    tree: ast.Module
    constants: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, Function] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            module = Module(path, ast.parse(path.read_text("utf-8")))
            for node in ast.walk(module.tree):
                if isinstance(node, Function):
                    module.functions[node.name] = node
                elif isinstance(node, ast.ImportFrom):
                    for alias in node.names:
                        module.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            for statement in module.tree.body:
                _assigned(statement, module.constants)
            found.append(module)
    return tuple(found)


def _assigned(node: ast.AST, constants: dict[str, list[ast.expr]]) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Name):
                    constants[target.id].append(value)
                elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    for name, item in zip(target.elts, value.elts, strict=False):
                        if isinstance(name, ast.Name):
                            constants[name.id].append(item)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            constants[name].append(value)
        case _:
            pass


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _within(function: Function) -> Iterator[ast.AST]:
    """Nodes of a function, not those of functions within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Function):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _inside(function: Function) -> Iterator[ast.Call]:
    return (node for node in _within(function) if isinstance(node, ast.Call))


Given = dict[str, list[str]]


def _texts(node: ast.expr, module: Module, given: Given, depth: int = 0) -> list[str]:
    """Strings an expression may have; none when the source does not tell."""
    if depth > 6:
        return []
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, module, given, depth + 1) + _texts(other, module, given, depth + 1)
        case ast.BoolOp(op=ast.Or(), values=[first, *rest]):
            texts = _texts(first, module, given, depth + 1)
            others = [text for value in rest for text in _texts(value, module, given, depth + 1)]
            return [text for text in texts if text] + (others if not all(texts) or not texts else [])
        case ast.JoinedStr(values=values):
            parts = [
                _texts(part.value if isinstance(part, ast.FormattedValue) else part, module, given, depth + 1)
                for part in values
            ]
            return ["".join(choice) for choice in product(*parts)]
        case ast.Attribute(value=ast.Name(id="Status")):
            return [ast.unparse(node)]
        case ast.Subscript(value=ast.Name(id=name), slice=key) if name in module.constants:
            keys = _texts(key, module, given, depth + 1)
            return [
                text
                for table in module.constants[name]
                if isinstance(table, ast.Dict)
                for entry, value in zip(table.keys, table.values, strict=True)
                if entry is None or not keys or ast.unparse(entry) in keys
                for text in _texts(value, module, given, depth + 1)
            ]
        case ast.Name(id=name) if name in given:
            return given[name]
        case ast.Name(id=name):
            return [
                text
                for value in module.constants.get(name, [])
                for text in _texts(value, module, given, depth + 1)
            ]
        case _:
            return []


def _parameters(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args]


def _bind(function: Function, call: ast.Call, module: Module, given: Given) -> Given:
    """What a call gives to each parameter, with defaults."""
    names = [arg.arg for arg in _parameters(function)]
    if isinstance(call.func, ast.Attribute) and names[:1] == ["self"]:
        names = names[1:]
    bound: Given = {}
    defaults = function.args.defaults
    for arg, default in zip(
        _parameters(function)[len(_parameters(function)) - len(defaults) :], defaults, strict=True
    ):
        bound[arg.arg] = _texts(default, module, {})
    for arg, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        bound[arg.arg] = [] if value is None else _texts(value, module, {})
    for name, value in zip(names, call.args, strict=False):
        bound[name] = _texts(value, module, given)
    for keyword in call.keywords:
        if keyword.arg is not None:
            bound[keyword.arg] = _texts(keyword.value, module, given)
    return {name: texts for name, texts in bound.items() if texts}


_VERIFYING = "evidence_desk.verify."
_SHARED = "evidence_desk.verify.findings"
"""Methods that steps of a verification inherit."""


@cache
def _makers() -> dict[str, tuple[Module, Function]]:
    """Functions whose call makes a record, by full name."""
    makers: dict[str, tuple[Module, Function]] = {}
    for _ in range(4):
        for module in modules():
            for function in module.functions.values():
                parameters = {arg.arg for arg in (*_parameters(function), *function.args.kwonlyargs)}
                for call in _inside(function):
                    record = _called(call) in RECORDS or _maker(module, call, makers) is not None
                    names = {
                        n.id for value in _arguments(call) for n in ast.walk(value) if isinstance(n, ast.Name)
                    }
                    if record and names & parameters & {"check", "code", "reason", "why"}:
                        makers[f"{module.name}.{function.name}"] = (module, function)
    return makers


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _maker(
    module: Module, call: ast.Call, makers: dict[str, tuple[Module, Function]]
) -> tuple[Module, Function] | None:
    name = _called(call)
    found = makers.get(module.imported.get(name, f"{module.name}.{name}"))
    if found is None and isinstance(call.func, ast.Attribute) and module.name.startswith(_VERIFYING):
        return makers.get(f"{_SHARED}.{name}")
    return found


def _record_codes(call: ast.Call, module: Module, given: Given, depth: int) -> Iterator[str]:
    if _called(call) in RECORDS:
        for keyword in call.keywords:
            if keyword.arg == "code":
                yield from _texts(keyword.value, module, given)
        return
    maker = _maker(module, call, _makers())
    if maker is None or depth > 4:
        return
    home, function = maker
    bound = _bind(function, call, module, given)
    bound = {**_locals(function, home, bound), **bound}
    for inner in _inside(function):
        yield from _record_codes(inner, home, bound, depth + 1)


def _locals(function: Function, module: Module, given: Given) -> Given:
    assigned: dict[str, list[ast.expr]] = defaultdict(list)
    for node in _within(function):
        _assigned(node, assigned)
    return {
        name: [text for value in values for text in _texts(value, module, given)]
        for name, values in assigned.items()
    }


def errors() -> list[Use]:
    """Every literal error code with the facts it carries."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not _called(node).endswith("Error") or not node.args:
                continue
            facts = frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None)
            spread = any(keyword.arg is None for keyword in node.keywords)
            found += [
                Use(code, _place(module, node), None if spread else facts)
                for code in _texts(node.args[0], module, {})
                if _is_code(code)
            ]
    return found


def findings() -> list[Use]:
    """Every code of findings, caveats and faults that the source spells out."""
    found = []
    makers = {id(function) for _, function in _makers().values()}
    for module in modules():
        for function in ast.walk(module.tree):
            if not isinstance(function, Function) or id(function) in makers:
                continue
            given = _locals(function, module, {})
            for call in _inside(function):
                found += [
                    Use(code, _place(module, call), None) for code in _record_codes(call, module, given, 0)
                ]
    return [use for use in found if _is_code(use.code)]


def _is_code(text: str) -> bool:
    return text.replace(".", "").replace("_", "").isalnum() and text.islower() and "." in text


def _place(module: Module, node: ast.Call) -> str:
    return f"{module.path.relative_to(ROOT)}:{node.lineno}"


ASKING = frozenset({"say", "text", "sentence", "passphrase"})
"""Functions that are given the code of a sentence, as first argument or as `code`."""


def said() -> list[Use]:
    """Every sentence that a program asks for by its code; ``*`` stands for what the source does not spell out."""
    found = []
    for module in modules():
        for function in ast.walk(module.tree):
            if not isinstance(function, Function):
                continue
            given = _locals(function, module, {})
            for call in _inside(function):
                if _called(call) not in ASKING:
                    continue
                named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
                facts = frozenset(keyword.arg for keyword in call.keywords if keyword.arg is not None)
                known = _called(call) in {"say", "text"} and None not in {item.arg for item in call.keywords}
                found += [
                    Use(code, _place(module, call), facts if known else None)
                    for value in [*call.args[:1], *named]
                    for code in _patterns(value, module, given)
                    if _is_code(code.replace("*", "x"))
                ]
    return found


def _patterns(node: ast.expr, module: Module, given: Given) -> list[str]:
    match node:
        case ast.JoinedStr(values=values):
            parts = [
                _texts(part.value if isinstance(part, ast.FormattedValue) else part, module, given) or ["*"]
                for part in values
            ]
            return ["".join(choice) for choice in product(*parts)]
        case ast.IfExp(body=body, orelse=other):
            return _patterns(body, module, given) + _patterns(other, module, given)
        case _:
            return _texts(node, module, given)


def literals(name: str, *, argument: str | int) -> dict[str, str]:
    """String literals given to every call of `name`, by position or by keyword, with their places."""
    found = {}
    for module in modules():
        for call in ast.walk(module.tree):
            if not isinstance(call, ast.Call) or _called(call) != name:
                continue
            values = [item.value for item in call.keywords if item.arg == argument]
            if isinstance(argument, int):
                values = call.args[argument : argument + 1]
            for value in values:
                for text in _texts(value, module, {}):
                    found[text] = _place(module, call)
    return found
