#!/usr/bin/env python3
"""Writes ua-parser's patterns as C: embed_agents.py REGEXES.YAML OUT.H

regexes.yaml is the data of ua-parser/uap-core (Apache-2.0; Copyright 2009 Google Inc.), as packaged by Debian's uap-core.
Beside each pattern stand the literals of which a user agent must hold one if the pattern is to match, as runs of three
characters each: most patterns are ruled out by them."""
import re
import sys
from re import _constants as op
from re import _parser

SECTIONS = {"user_agent_parsers": "BROWSER", "os_parsers": "OS", "device_parsers": "DEVICE"}
FIELDS = {"family_replacement": "family", "os_replacement": "family", "device_replacement": "family",
          "brand_replacement": "brand"}
GRAMS = 4096      # places of the set of runs: RUNS of agents.c
PER_LITERAL = 3   # runs of a literal that are looked at
MOST_LITERALS = 80
COMMON = ("mozilla/", "applewebkit/", "gecko", "build", "linux", "android", "mobile", "safari/", "version/", "windows nt",
          "like", " build/", ") applewebkit")


def scalar(text, where):
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1 and "\\" not in text:
        return text[1:-1]
    sys.exit(f"{where}: not a quoted text: {text}")


def read(path):
    """The sections in their order: the part of YAML that this one file uses."""
    sections, current = {}, None
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            where = f"{path}:{number}"
            if not line or line.startswith("#"):
                continue
            if line.endswith(":") and line[:-1] in SECTIONS:
                current = sections[line[:-1]] = []
                continue
            begins = line.startswith("- ")
            key, colon, value = line.removeprefix("- ").partition(":")
            if current is None or not colon or (begins and key != "regex"):
                sys.exit(f"{where}: not understood: {line}")
            if begins:
                current.append({})
            # A comment may follow the value.
            value = re.sub(r"^('(?:[^']|'')*'|\"[^\"]*\")\s+#.*$", r"\1", value.strip())
            current[-1][key] = scalar(value, where)
    return sections


def literals(node):
    """Literal texts of which every match holds at least one: the best list found in the tree, or None."""
    found, run = [], ""

    def finish():
        nonlocal run
        if len(run) >= 3:
            found.append([run])
        run = ""

    for code, value in node:
        if code is op.LITERAL and value < 128:
            run += chr(value).lower()
            continue
        if code is op.IN and len(value) == 2 and all(c is op.LITERAL for c, _ in value):
            both = {chr(v).lower() for _, v in value}
            if len(both) == 1:
                run += both.pop()
                continue
        if code is op.AT:
            continue
        inner = None
        if code is op.SUBPATTERN:
            one = simple(value[3])
            if one is not None:
                run += one
                continue
            inner = literals(value[3])
        elif code is op.BRANCH:
            lists = [literals(branch) for branch in value[1]]
            inner = None if None in lists else [text for each in lists for text in each]
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] > 0:
            inner = literals(value[2])
        finish()
        if inner and len(inner) <= MOST_LITERALS:
            found.append(inner)
    finish()
    # A list is as good as its most common text, and the longer the worse.
    return max(found, key=lambda each: min(map(rarity, each)) / (1 + 0.1 * len(each)), default=None)


def is_common(run):
    return any(run in word for word in COMMON)


def rarity(text):
    rare = sum(not is_common(text[i:i + 3]) for i in range(len(text) - 2))
    return rare + 0.01 * len(text)


def simple(node):
    """The text of a group that is nothing but literals."""
    out = ""
    for code, value in node:
        if code is not op.LITERAL or value >= 128:
            return None
        out += chr(value).lower()
    return out


def gram(text):
    a, b, c = text.encode()
    return ((a * 31 + b) * 31 + c) % GRAMS


def grams(text):
    runs = [text[i:i + 3] for i in range(len(text) - 2)]
    # Runs of words that most user agents hold say little.
    runs.sort(key=is_common)
    chosen = [gram(r) for r in runs[:PER_LITERAL]]
    return chosen + [chosen[-1]] * (PER_LITERAL - len(chosen))


def quote(text):
    out = "".join(c if c not in '"\\' else "\\" + c for c in text)
    return '"' + out.replace("??", '?""?') + '"'


def main():
    source, out = sys.argv[1:]
    sections = read(source)
    if list(sections) != list(SECTIONS):
        sys.exit(f"{source}: sections {list(sections)}")
    rows, runs, bounds = [], [], []
    for section in SECTIONS:
        bounds.append(len(rows))
        for pattern in sections[section]:
            fold = "i" in pattern.get("regex_flag", "")
            texts = literals(_parser.parse(pattern["regex"])) or []
            row = {"regex": pattern["regex"], "family": None, "brand": None}
            for key, value in pattern.items():
                if key in FIELDS:
                    row[FIELDS[key]] = value
            fields = ", ".join(quote(row[k]) if row[k] is not None else "NULL" for k in ("regex", "family", "brand"))
            rows.append(f"{{ {fields}, {'true' if fold else 'false'}, {len(runs)}, {len(texts)} }},")
            runs += [grams(text) for text in texts]
    bounds.append(len(rows))
    with open(out, "w", encoding="utf-8") as f:
        f.write("/* Made by embed_agents.py from the data of ua-parser/uap-core, Apache License 2.0, Copyright 2009 Google Inc. */\n")
        f.write(f"static const uint16_t section_at[] = {{ {', '.join(map(str, bounds))} }};\n")
        f.write("static const uint16_t literal_runs[][%d] = {\n%s\n};\n" %
                (PER_LITERAL, "\n".join("{ %s }," % ", ".join(map(str, r)) for r in runs)))
        f.write("static const struct source sources[] = {\n%s\n};\n" % "\n".join(rows))


main()
