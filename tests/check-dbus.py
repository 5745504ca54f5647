#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bus's contract says what everything is: each interface, method, signal, property and argument of data/dbus, in the comment
before it, of which the reference pages are made. TAP. Arguments: data/dbus, and the folder of the pages."""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ANNOTATIONS = {"org.hark.Action": {"read", "publish"}}


def parse(path):
    builder = ElementTree.TreeBuilder(insert_comments=True)
    return ElementTree.parse(path, parser=ElementTree.XMLParser(target=builder)).getroot()


def check_comment(where, name, comment, arguments):
    """What is missing in the text before an element."""
    if comment is None:
        return [f"{where}: nothing is said of it"]
    text = comment.text.strip()
    head, _, rest = text.partition(":")
    if head != name:
        return [f"{where}: what stands before it is about {head!r}"]
    told = re.findall(r"(?m)^\s*@(\w+):[ ]*\S", rest)
    wrong = [f"{where}: nothing is said of @{argument}" for argument in arguments if argument not in told]
    wrong += [f"{where}: it has no @{argument}" for argument in told if argument not in arguments and argument != "short_description"]
    body = re.sub(r"(?ms)^\s*@\w+:.*?(?=^\s*@\w+:|^\s*$|\Z)", "", rest)
    return wrong if body.strip() else [*wrong, f"{where}: it does not say what it does"]


def check(root):
    wrong = []

    def walk(parent, where):
        comment = None
        for element in parent:
            if element.tag is ElementTree.Comment:
                comment = element
                continue
            if element.tag in ("interface", "method", "signal", "property"):
                name = element.get("name")
                arguments = [arg.get("name") for arg in element.findall("arg")]
                wrong.extend(check_comment(f"{where}{name}", name, comment, arguments))
            for annotation in element.findall("annotation"):
                values = ANNOTATIONS.get(annotation.get("name"))
                if values is not None and annotation.get("value") not in values:
                    wrong.append(f"{where}{element.get('name')}: {annotation.get('name')} is {annotation.get('value')}")
            if element.tag == "interface":
                walk(element, f"{element.get('name')}.")
            comment = None

    walk(root, "")
    return wrong


PLANTED = """<node><!-- org.x: @short_description: x

An interface --><interface name="org.x">
<!-- A: @one: told

It does. --><method name="A"><arg name="one" type="s"/><arg name="two" type="s"/></method>
<method name="B"/><!-- D: else --><property name="C" type="s" access="read"/></interface></node>"""


def main():
    data, pages = (pathlib.Path(argument) for argument in sys.argv[1:3])
    paths = sorted(data.glob("*.xml"))
    planted = ElementTree.fromstring(PLANTED, parser=ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    checks = [(f"{path.name}: everything is described", check(parse(path))) for path in paths]
    found = check(planted)
    checks.append(("what is missing is found", [] if len(found) == 3 else found))
    missing = [path.stem for path in paths if not (pages / f"{path.stem}.html").is_file()]
    checks.append(("each interface has a page", missing))
    print(f"1..{len(checks)}")
    for number, (name, wrong) in enumerate(checks, 1):
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        for line in wrong:
            print(f"# {line}")
    return 1 if any(wrong for _, wrong in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
