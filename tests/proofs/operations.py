# SPDX-License-Identifier: MIT
"""Functions of operations.ops, as Gappa's definitions and as C."""
import ast
import re
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(r"\[(fma|plain|both)\] (\w+)\((.*)\) -> (.*)$")
C_TYPES = {"f32": "float", "f64": "double"}


@dataclass
class Function:
    name: str
    arguments: dict  # name: type
    results: dict
    steps: list  # (name, text)


def _typed(text):
    return dict(part.strip().split(": ") for part in text.split(","))


def read(path, kind):
    """The functions of one class of bits, "fma" or "plain", by name."""
    functions = {}
    current = None
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        header = HEADER.match(line)
        if header:
            of, name, arguments, results = header.groups()
            current = Function(name, _typed(arguments), _typed(results), [])
            if of in (kind, "both"):
                functions[name] = current
        elif current and line.startswith("    ") and " = " in line:
            current.steps.append(tuple(line.strip().split(" = ", 1)))
        else:
            raise SystemExit(f"{path}:{number}: not a function, nor a step: {line}")
    return functions


def gappa(function):
    return "".join(f"{name} = {re.sub('f64[(]', 'rw(', re.sub('f32[(]', 'rn(', text))};\n" for name, text in function.steps)


class _C:
    """An expression in C; `types` are those of the names."""

    def __init__(self, types):
        self.types = types

    def number(self, node):
        return isinstance(node, ast.Constant)

    def operand(self, node, to):
        """As an operand of an operation in this type."""
        text, kind = self.of(node)
        if kind == "f64" and to == "f32":
            raise SystemExit(f"operations.ops: an f64 where an f32 is: {ast.unparse(node)}")
        return f"({C_TYPES[to]}){text}"

    def of(self, node):
        if isinstance(node, ast.Name):
            return node.id, self.types[node.id]
        if self.number(node):
            return f"{float(node.value)!r}", "f32"
        if isinstance(node, ast.Call):
            to = node.func.id
            return f"({C_TYPES[to]})({self.rounded(node.args[0], to)})", to
        raise SystemExit(f"operations.ops: not rounded: {ast.unparse(node)}")

    def rounded(self, node, to):
        if not isinstance(node, ast.BinOp):
            return self.of(node)[0]
        a, b = node.left, node.right
        fma = "fmaf" if to == "f32" else "fma"
        if isinstance(node.op, (ast.Add, ast.Sub)):
            minus = isinstance(node.op, ast.Sub)
            if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Mult):
                c = self.operand(b, to)
                return f"{fma}({self.operand(a.left, to)}, {self.operand(a.right, to)}, {'-' if minus else ''}{c})"
            if isinstance(b, ast.BinOp) and isinstance(b.op, ast.Mult):
                sign = "-" if minus else ""
                return f"{fma}({sign}{self.operand(b.left, to)}, {self.operand(b.right, to)}, {self.operand(a, to)})"
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}[type(node.op)]
        return f"{self.operand(a, to)} {sign} {self.operand(b, to)}"


def _c_function(function):
    types = dict(function.arguments)
    lines = []
    for name, text in function.steps:
        code, kind = _C(types).of(ast.parse(text, mode="eval").body)
        types[name] = kind
        lines.append(f"    const {C_TYPES[kind]} {name} = {code};")
    for name, kind in function.results.items():
        if types.get(name) != kind:
            raise SystemExit(f"operations.ops: {function.name} has no {name} of type {kind}")
    parameters = ", ".join(f"{C_TYPES[kind]} {name}" for name, kind in function.arguments.items())
    members = " ".join(f"{C_TYPES[kind]} {name};" for name, kind in function.results.items())
    lines.append(f"    return (of_{function.name}){{{', '.join(function.results)}}};")
    unused = "".join(f"    (void){name};\n" for name in types)
    return (f"typedef struct {{ {members} }} of_{function.name};\n"
            f"static inline of_{function.name} do_{function.name}({parameters})\n{{\n" + "\n".join(lines[:-1]) + "\n" + unused
            + lines[-1] + "\n}\n")


def c_header(functions):
    return "#include <math.h>\n\n" + "\n".join(_c_function(function) for function in functions.values())
