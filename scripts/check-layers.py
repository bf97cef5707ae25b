#!/usr/bin/env python3
"""Fails when a file includes what its layer must not see. The rule is the table under "Layers" in docs/architecture.md.

Usage: check-layers.py [FOLDER]; the folder is this repository's root if none is given.
"""
import pathlib
import re
import sys

PAGE = "docs/architecture.md"
HEAD = ["folder", "what it is", "may include"]
INCLUDE = re.compile(r'^\s*#include "([^"]+)"')


def read_table(root):
    """Layer -> layers that it may include besides itself; None: all of them."""
    table = {}
    inside = False
    for line in (root / PAGE).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells == HEAD:
            inside = True
        elif cells is None:
            inside = False
        elif inside and not set("".join(cells)) <= set("- "):
            if len(cells) != len(HEAD):
                sys.exit(f"{PAGE}: a row of the table of layers has {len(cells)} cells: {line}")
            layer, _, included = cells
            names = {name.strip("` ") for name in included.split(",")} - {""}
            table[layer.strip("`")] = {"everything": None, "nothing": set()}.get(included, names)
    for layer, included in table.items():
        for name in sorted((included or set()) - table.keys()):
            sys.exit(f"{PAGE}: {layer} may include {name}, which has no row of its own")
    if not table:
        sys.exit(f"{PAGE} has no table with the columns {', '.join(HEAD)}")
    return table


def find_cycle(table):
    """The layers that stand on a cycle, or nothing. A row that includes everything must not be included itself."""
    done = set()
    while True:
        ready = [layer for layer, included in table.items()
                 if layer not in done and (table.keys() - {layer} if included is None else included) <= done]
        if not ready:
            return sorted(layer for layer in table if layer not in done)
        done.update(ready)


def layer_of(path, table):
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):  # the longest folder that has a row
        name = "/".join(parts[:length])
        if name in table:
            return name
    return "proto" if path.endswith(".pb.h") else None


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    table = read_table(root)
    problems = []
    cycle = find_cycle(table)
    if cycle:
        problems.append(f"{PAGE}: not all arrows point down: {', '.join(cycle)}")
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root).as_posix()
        if file.suffix not in {".h", ".cc"} or relative.startswith(("build", "cmake/", ".")):
            continue
        layer = layer_of(relative, table)
        if layer is None:
            problems.append(f"{relative}: {PAGE} has no row for this folder")
            continue
        if table[layer] is None:
            continue
        # A test may stand on the layers above it only in tests/; unit tests follow the rule of their folder.
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match.group(1)
            target = "proto" if included.endswith(".pb.h") else layer_of(included, table)
            if target is None or target == layer or target in table[layer]:
                continue
            problems.append(f"{relative}:{number}: {layer} may not include {target} ({included})")
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} wrong" if problems else "layers: every include points the right way")
    sys.exit(1 if problems else 0)


main()
