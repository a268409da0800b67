#!/usr/bin/env python3
"""No function over 70 lines, no file over 600 (a test: 800), no line over 100 columns."""

import re

import tree

FUNCTION, FILE, TEST_FILE, COLUMNS = 70, 600, 800, 100
NOT_A_FUNCTION = re.compile(
    r"\b(namespace|class|struct|enum|union|extern)\b[^()]*$|=\s*$|\b(TEST|TEST_P|TEST_F)\b")


def strip(text):
    """Blanks comments, strings and character literals; keeps the lines."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(\\.|[^"\\\n])*"|\'(\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def functions(text):
    """Yields (first line, length, header) of each outermost braced block that has code in it."""
    depth_open = []  # (line, header, is_function)
    header, line = "", 1
    for char in strip(text):
        if char == "\n":
            line += 1
        if char == "{":
            inside = any(is_function for _, _, is_function in depth_open)
            is_function = not inside and "(" in header and not NOT_A_FUNCTION.search(header.strip())
            depth_open.append((line - header.lstrip().count("\n"), header, is_function))
            header = ""
        elif char == "}":
            if depth_open:
                first, head, is_function = depth_open.pop()
                if is_function:
                    yield first, line - first + 1, head
            header = ""
        elif char == ";":
            header = ""
        else:
            header += char


def check(root):
    problems = []
    for path in tree.files(root, ".cc", ".h", ".c"):
        text = (root / path).read_text()
        lines = text.splitlines()
        limit = TEST_FILE if "_test." in path or path.startswith("tests/") else FILE
        if len(lines) > limit:
            problems.append(f"{path}: {len(lines)} lines, at most {limit}: cut it by what it is about")
        for number, content in enumerate(lines, 1):
            if len(content) > COLUMNS and "http" not in content:
                problems.append(f"{path}:{number}: {len(content)} columns, at most {COLUMNS}")
        for first, length, head in functions(text):
            if length > FUNCTION:
                name = re.findall(r"([\w:~]+)\s*\(", head)
                problems.append(f"{path}:{first}: {name[0] if name else 'a function'} has {length} "
                                f"lines, at most {FUNCTION}")
    return problems


if __name__ == "__main__":
    tree.report(check(tree.root_from_argv()))
