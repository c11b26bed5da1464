"""The fields of a docstring."""

import re

_FIELD = re.compile(r"^(\w[\w ]*):\s*(.*)$")


def doc_fields(doc: str) -> dict[str, str]:
    """The named fields of a docstring (Formula, Shapes, Units ...) with their text."""
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in doc.splitlines():
        match = _FIELD.match(line)
        if match and match[1][0].isupper():
            current = fields.setdefault(match[1], [])
            current.append(match[2])
        elif current is not None and (line.startswith(" ") or not line):
            current.append(line)
        else:
            current = None
    return {name: "\n".join(lines).strip() for name, lines in fields.items()}


def meanings(doc: str) -> dict[str, str]:
    """What the field Parameters says of each argument."""
    found: dict[str, str] = {}
    name = ""
    for line in doc_fields(doc).get("Parameters", "").splitlines():
        match = re.match(r"^\s*(\w+)\s*:\s*(.*)$", line)
        if match:
            name = match[1]
            found[name] = match[2].strip()
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
