#!/usr/bin/env python3
"""Lists every method of the public contract as a C++ initializer, for the authorisation table.

usage: list_methods.py OUTPUT PROTO...
"""

import re
import sys

# Services that gRPC itself brings along; a server that registers one serves these.
FOREIGN = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]


def methods(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", file.read(), flags=re.S)
    package = re.search(r"^\s*package\s+([\w.]+)\s*;", text, flags=re.M).group(1)
    service = None
    for match in re.finditer(r"\bservice\s+(\w+)\s*{|\brpc\s+(\w+)\s*\(", text):
        service = match.group(1) or service
        if match.group(2):
            yield f"/{package}.{service}/{match.group(2)}"


def main():
    output, *protos = sys.argv[1:]
    names = FOREIGN + [name for path in sorted(protos) for name in methods(path)]
    with open(output, "w", encoding="utf-8") as file:
        file.writelines(f'"{name}",\n' for name in names)


if __name__ == "__main__":
    main()
