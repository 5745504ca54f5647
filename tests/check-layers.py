#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Layers point downwards: fails on an include of src/ that points up or sideways. TAP; see doc/architecture.md."""

import pathlib
import re
import sys
import tempfile

SIBLINGS = ("chat", "store", "broker", "protocol", "transport", "bus")
MAY_SEE = {
    "base": (),
    "model": ("base",),
    "core": ("base", "model"),
    **{layer: ("base", "model", "core") for layer in SIBLINGS},
    "daemon": ("base", "model", "core", *SIBLINGS),
    "ctl": ("base",),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"/]+)/[^"]+"')


def violations(source):
    found = []
    for path in sorted(source.rglob("*.[ch]")):
        layer = path.relative_to(source).parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = INCLUDE.match(line)
            if include and include[1] != layer and include[1] not in MAY_SEE.get(layer, ()):
                found.append(f"{path.relative_to(source)}:{number}: {layer} includes {include[1]}")
    return found


def planted():
    """What the check says of a tree with one upward, one sideways and one rightful include."""
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory)
        for name, text in {"core/hub.c": '#include "chat/messages.h"\n', "store/store.c": '#include "bus/service.h"\n',
                           "chat/chat.c": '#include "core/hub.h"\n#include "chat/fields.h"\n#include <glib.h>\n'}.items():
            (source / name).parent.mkdir(exist_ok=True)
            (source / name).write_text(text)
        return violations(source)


def main():
    source = pathlib.Path(sys.argv[1])
    found, unknown = violations(source), sorted({p.name for p in source.iterdir() if p.is_dir()} - set(MAY_SEE))
    checks = [
        ("no include points upwards or sideways", not found, found),
        ("every folder of src/ is a layer with a place in the order", not unknown, unknown),
        ("a planted include upwards and one sideways are found, and nothing else",
         planted() == ["core/hub.c:1: core includes chat", "store/store.c:1: store includes bus"], planted()),
    ]
    print(f"1..{len(checks)}")
    for number, (name, right, details) in enumerate(checks, 1):
        print(f'{"ok" if right else "not ok"} {number} - {name}')
        if not right:
            for detail in details:
                print(f"# {detail}")
    return 0 if all(right for _, right, _ in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
