"""The two diagrams of docs/architecture.md, drawn from the code as SVG."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent / "mediaprep"
TOP_MODULES = ("api",)  # shown beside the packages

PURE = ("model", "targets", "rules", "profile", "planning")
EFFECTS = ("runtime", "tools", "probing", "comparing", "transcoding")
KINDS = ("pure", "above", "effect")  # from left to right

BOX_HEIGHT = 52
ROW_GAP = 44
MARGIN = 16
STYLE = """
  text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1c2733 }
  .name { font-weight: 600; font-size: 14px }
  .note { fill: #51606f }
  .code { font-family: ui-monospace, monospace; font-size: 12px; fill: #51606f }
  rect { fill: #f3f6f9; stroke: #8496a8; rx: 6px }
  rect.pure { fill: #e8f3ea; stroke: #6d9c78 }
  rect.effect { fill: #fdf1e3; stroke: #c2935a }
  line, path { stroke: #8496a8; stroke-width: 1.2; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4eaf0 } .note, .code { fill: #a9b6c3 }
    rect { fill: #22303d; stroke: #6c8094 }
    rect.pure { fill: #1f3527; stroke: #5f8d6b } rect.effect { fill: #3b2c1a; stroke: #a67c46 }
  }
"""


class Box(NamedTuple):
    """One box: left edge, top edge, width in user units, name, one line under it, CSS class."""

    x: float
    y: float
    width: float
    name: str
    note: str
    kind: str

    def svg(self) -> str:
        """Return the box with its two lines of text."""
        middle = self.x + self.width / 2
        return (
            f'<rect class="{self.kind}" x="{self.x:g}" y="{self.y:g}" width="{self.width:g}"'
            f' height="{BOX_HEIGHT}"/>'
            f'<text class="name" text-anchor="middle" x="{middle:g}" y="{self.y + 21:g}">'
            f"{escape(self.name)}</text>"
            f'<text class="note" text-anchor="middle" x="{middle:g}" y="{self.y + 39:g}">'
            f"{escape(self.note)}</text>"
        )


def document(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    """Return a whole SVG file."""
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" style="fill:#8496a8"/></marker>'
        f"</defs>\n{body}\n</svg>\n"
    )


# The layers


def packages() -> list[str]:
    """Return the packages, and the modules of the top that stand for themselves."""
    found = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    return [*found, *TOP_MODULES]


def imported(path: Path) -> Iterator[str]:
    """Yield the packages of ours that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mediaprep"):
            below = str(node.module).split(".")[1:]
            yield from [below[0]] if below else (alias.name for alias in node.names)


def import_graph() -> dict[str, set[str]]:
    """Return what each package imports: name -> names."""
    names = packages()
    graph: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        folder = PACKAGE / name
        files = folder.rglob("*.py") if folder.is_dir() else [PACKAGE / f"{name}.py"]
        for path in files:
            graph[name] |= {other for other in imported(path) if other in graph and other != name}
    return graph


def height_of(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the layer of each package: one above the highest that it imports; 0 = imports none."""
    heights: dict[str, int] = {}

    def visit(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max((visit(other) for other in graph[name]), default=-1)
        return heights[name]

    for name in graph:
        visit(name)
    return heights


def direct(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the imports that do not also follow from others (the transitive reduction)."""

    def reach(name: str) -> set[str]:
        found = set(graph[name])
        for other in graph[name]:
            found |= reach(other)
        return found

    for name, others in sorted(graph.items()):
        for other in sorted(others):
            if not any(other in reach(between) for between in others - {other}):
                yield name, other


def purpose(name: str) -> str:
    """Return what a package is for: its docstring up to the first colon or full stop."""
    folder = PACKAGE / name
    path = folder / "__init__.py" if folder.is_dir() else PACKAGE / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = text.splitlines()[0] if text else ""
    for mark in (". ", ": "):
        first = first.partition(mark)[0]
    words = first.rstrip(".")
    return words if len(words) <= 44 else words[:41].rsplit(" ", 1)[0] + " ..."


def kind_of(name: str) -> str:
    """Return the CSS class: pure packages, those with effects, those above both."""
    if name in PURE:
        return "pure"
    return "effect" if name in EFFECTS else "above"


def layers() -> str:
    """Return the diagram of the packages, an upper one importing lower ones only."""
    graph = import_graph()
    heights = height_of(graph)
    rows: dict[int, list[str]] = {}
    for name in sorted(graph, key=lambda name: (KINDS.index(kind_of(name)), name)):
        rows.setdefault(heights[name], []).append(name)
    width, top = 980.0, max(rows)
    boxes: dict[str, Box] = {}
    for height, names in rows.items():
        y = MARGIN + (top - height) * (BOX_HEIGHT + ROW_GAP)
        room = (width - 2 * MARGIN) / len(names)
        box_width = min(300.0, room - 24)
        for index, name in enumerate(names):
            x = MARGIN + room * index + (room - box_width) / 2
            kind = kind_of(name)
            boxes[name] = Box(x, y, box_width, name, purpose(name), kind)
    lines = arrows(boxes, list(direct(graph)))
    height = 2 * MARGIN + (top + 1) * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
    title = "Packages of mediaprep: an arrow leads from a package to one that it imports"
    return document(title, width, height, [*lines, *(box.svg() for box in boxes.values())])


def arrows(boxes: Mapping[str, Box], edges: list[tuple[str, str]]) -> list[str]:
    """Return the edges as curves from lower edges to upper edges, spread out along both."""
    found = []
    for upper, lower in edges:
        down = sorted((other for name, other in edges if name == upper), key=lambda n: boxes[n].x)
        up = sorted((name for name, other in edges if other == lower), key=lambda n: boxes[n].x)
        start_x = middle(boxes[upper]) + 36 * (down.index(lower) - (len(down) - 1) / 2)
        end_x = middle(boxes[lower]) + 36 * (up.index(upper) - (len(up) - 1) / 2)
        start_y, end_y = boxes[upper].y + BOX_HEIGHT, boxes[lower].y
        bend = min(40.0, (end_y - start_y) / 2)
        found.append(
            f'<path marker-end="url(#tip)" d="M{start_x:g} {start_y:g}'
            f' C{start_x:g} {start_y + bend:g} {end_x:g} {end_y - bend:g} {end_x:g} {end_y:g}"/>'
        )
    return found


def middle(box: Box) -> float:
    """Return the horizontal middle of a box."""
    return box.x + box.width / 2


# The path of one file


class Stage(NamedTuple):
    """One stage of ``prepare``: what it does, and the functions of other modules that it calls."""

    words: str
    calls: tuple[str, ...]


def stages() -> list[Stage]:
    """Return the stages in the order in which ``_pipeline_steps`` calls them."""
    path = PACKAGE / "pipeline" / "prepare.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    homes = imported_functions(tree)
    local = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found = []
    for name in dict.fromkeys(name for _, name in names_used(local["_pipeline_steps"])):
        if name in local:
            used = with_local([name], local)
            calls = tuple(dict.fromkeys(homes[inner] for inner in used if inner in homes))
            if calls:
                found.append(Stage(words_of(local[name]), calls))
        elif name in homes and name.startswith("."):
            found.append(Stage(homes[name].rpartition(".")[2].capitalize(), (homes[name],)))
    return found


def words_of(function: ast.FunctionDef) -> str:
    """Return what a stage does: its docstring's first sentence, else its name as words."""
    text = (ast.get_docstring(function) or "").partition("\n")[0]
    sentence = text.removeprefix("Steps: ").removeprefix("Return ").partition(". ")[0].rstrip(".")
    words = sentence or function.name.strip("_").removesuffix("_steps").replace("_", " ")
    return words[:1].upper() + words[1:]


def with_local(names: list[str], local: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """Yield the names, and those that functions of the same module use for them."""
    waiting, done = list(names), set()
    while waiting:
        name = waiting.pop(0)
        yield name
        if name in local and name not in done:
            done.add(name)
            waiting[:0] = [inner for _, inner in names_used(local[name])]


def imported_functions(tree: ast.Module) -> dict[str, str]:
    """Return what may do the work of a stage: names of imported functions and methods -> full
    names.

    ``runtime`` is left out: it carries everything out.
    """
    found = {}
    for node in tree.body:
        whole = str(getattr(node, "module", ""))
        module = whole.removeprefix("mediaprep.")
        ours = whole.startswith("mediaprep.") and not module.startswith("runtime")
        if not (isinstance(node, ast.ImportFrom) and ours):
            continue
        for alias in node.names:
            if alias.name[0].islower():
                found[alias.name] = f"{module}.{alias.name}"
            else:
                found |= {
                    f".{method}": f"{module}.{alias.name}.{method}"
                    for method in methods_of(module, alias.name)
                }
    return found


def methods_of(module: str, name: str) -> list[str]:
    """Return the public methods of a class of ours, without its properties."""
    path = PACKAGE / Path(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return [
                part.name
                for part in node.body
                if isinstance(part, ast.FunctionDef)
                and not part.name.startswith("_")
                and not part.decorator_list
            ]
    return []


def names_used(function: ast.FunctionDef) -> list[tuple[int, str]]:
    """Return the names that a function uses, with their lines; ``.method`` for methods that it
    calls.
    """
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.append((node.lineno, node.id))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.append((node.lineno, f".{node.func.attr}"))
    return sorted(found)


def one_file() -> str:
    """Return the diagram of the stages of ``prepare``, in their order."""
    width, box_width = 1080.0, 620.0
    left = MARGIN + 8
    aside = left + box_width + 24
    parts = []
    y = float(MARGIN)
    found = stages()
    for number, stage in enumerate(found, 1):
        box = Box(left, y, box_width, f"{number}. {stage.words}", "", "above")
        parts.append(plain_box(box))
        for row, name in enumerate(stage.calls[:4]):
            top = y + 12 + row * 15
            parts.append(f'<text class="code" x="{aside:g}" y="{top:g}">{escape(name)}</text>')
        if number < len(found):
            middle, bottom = left + box_width / 2, y + BOX_HEIGHT
            parts.append(
                f'<path marker-end="url(#tip)" d="M{middle:g} {bottom:g} V{bottom + 22:g}"/>'
            )
        y += BOX_HEIGHT + 22
    title = "The stages of prepare, in their order, and the functions that do the work"
    return document(title, width, y - 22 + MARGIN, parts)


def plain_box(box: Box) -> str:
    """Return a box with one line of text."""
    return (
        f'<rect class="{box.kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}"'
        f' height="{BOX_HEIGHT}"/><text class="name" x="{box.x + 16:g}" y="{box.y + 31:g}">'
        f"{escape(box.name)}</text>"
    )
