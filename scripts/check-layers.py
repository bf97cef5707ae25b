#!/usr/bin/env python3
"""Fails when a file includes what its layer must not see. The table below is the rule; docs/architecture.md shows it."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent

# layer (longest matching folder wins) -> layers it may include, besides itself
BASE = {"base"}
PURE = BASE | {"crypto", "proto", "protocol"}
SERVED = PURE | {"rpc", "storage"}
MAY_INCLUDE = {
    "base": set(),
    "crypto": BASE | {"proto"},
    "storage": BASE,
    "rpc": BASE | {"proto", "crypto"},
    "protocol": BASE | {"crypto", "proto"},
    "ordering": BASE | {"crypto", "proto", "rpc", "storage"},  # orders opaque bytes: no protocol/
    "ordering/engines": BASE,
    "ordering/conformance": BASE | {"crypto", "proto", "rpc", "storage", "ordering", "ordering/engines"},
    "topology": SERVED | {"sequencer/client"},
    "sequencer/client": SERVED | {"topology"},
    "sequencer": SERVED | {"ordering", "topology"},
    "mediator": SERVED | {"topology", "sequencer/client"},
    "lf": BASE | {"crypto", "proto"},
    "participant": SERVED | {"topology", "sequencer/client", "lf"},
    "services": BASE | {"crypto", "proto", "rpc"},  # knows the Ledger API only
    "node": SERVED | {"ordering", "topology", "sequencer", "sequencer/client", "mediator", "participant", "lf", "services"},
    "testnet": SERVED | {"topology", "lf", "node", "ordering", "ordering/engines"},
    "cli": SERVED | {"lf", "node", "testnet", "topology", "ordering", "bench"},
    "bench": None,  # measures everything
    "tests": None,  # tests everything
}
INCLUDE = re.compile(r'^\s*#include "([^"]+)"')


def layer_of(path):
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:length])
        if name in MAY_INCLUDE:
            return name
    if path.endswith(".pb.h"):
        return "proto"
    return None


def main():
    problems = []
    for file in sorted(root.rglob("*")):
        relative = file.relative_to(root).as_posix()
        if file.suffix not in {".h", ".cc"} or relative.startswith(("build", ".")):
            continue
        layer = layer_of(relative)
        if layer is None or MAY_INCLUDE[layer] is None:
            continue
        # A test may stand on the layers above it only in tests/; unit tests follow the rule of their folder.
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match.group(1)
            target = "proto" if included.endswith(".pb.h") else layer_of(included)
            if target is None or target == layer or target in MAY_INCLUDE[layer]:
                continue
            problems.append(f"{relative}:{number}: {layer} may not include {target} ({included})")
    for problem in problems:
        print(problem)
    print(f"layers: {len(problems)} wrong includes" if problems else "layers: every include points the right way")
    sys.exit(1 if problems else 0)


main()
