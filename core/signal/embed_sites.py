#!/usr/bin/env python3
"""Writes the table of known sites as C: embed_sites.py REFERERS.JSON SITES.TXT OUT.H

referers.json is the data of snowplow/referer-parser (Apache-2.0; Copyright 2012-2013 Snowplow Analytics Ltd., 2014
Inside Systems, Inc.), as packaged by Debian's ruby-referer-parser."""
import json
import sys

CATEGORIES = {"unknown": "REFERRAL", "referral": "REFERRAL", "search": "SEARCH", "social": "SOCIAL", "email": "EMAIL",
              "video": "VIDEO", "shopping": "SHOPPING"}


def public_list(path):
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    sites = {}
    # Later categories win: a host among the "unknown" is one that is no search although its parent is.
    for category in ("search", "social", "email", "unknown"):
        for name, entry in data[category].items():
            if category == "search" or category == "social":
                sites[name.lower()] = CATEGORIES[category]
            for host in entry["domains"]:
                if "/" not in host:
                    sites[host.lower().removeprefix("www.")] = CATEGORIES[category]
    return sites


def own_list(path):
    sites = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split()
            if words and words[0] not in CATEGORIES:
                sys.exit(f"{path}:{number}: no category {words[0]}")
            for word in words[1:]:
                sites[word] = CATEGORIES[words[0]]
    return sites


def implied(host, sites):
    """Whether a parent says the same already."""
    parent = host.partition(".")[2]
    while "." in parent:
        if "." + parent in sites:
            return False
        if parent in sites:
            return sites[parent] == sites[host]
        parent = parent.partition(".")[2]
    return False


def main():
    source, own, out = sys.argv[1:]
    sites = public_list(source) | own_list(own)
    kept = {host: category for host, category in sites.items() if not implied(host, sites)}
    with open(out, "w", encoding="utf-8") as f:
        f.write("/* Made by embed_sites.py from the data of snowplow/referer-parser, Apache License 2.0,\n"
                " * Copyright 2012-2013 Snowplow Analytics Ltd., 2014 Inside Systems, Inc., and from sites.txt. */\n")
        for host in sorted(kept, key=lambda h: (len(h.encode()), h.encode())):
            f.write(f"{{ FW_STR_ENTRY({json.dumps(host, ensure_ascii=False)}), FW_SITE_{kept[host]} }},\n")


main()
