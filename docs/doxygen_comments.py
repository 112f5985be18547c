#!/usr/bin/env python3
"""Doxygen's INPUT_FILTER for the public headers: makes documentation of their plain // comments.

    doxygen_comments.py HEADER      prints the header as Doxygen wants it

A comment above a declaration becomes its documentation, and so does one behind it on the same line. What a header opens with
is the documentation of the file, and of those of its classes that have no comment of their own: of a class X from "X: " on, or
all of it. A comment is also that of the declarations right below the first, up to a blank line. Indented lines are code. Comments
within functions are left alone. The header of the C interface has Doxygen's own comments: they are shared as well, and its
_free functions need none.

Left out are:
- what "For the library's own use" stands above: in a class up to the next access specifier or its end, elsewhere up to the next
  blank line outside of braces;
- default constructors, copying, moving and destructors without a comment: they do what those of any C++ class do;
- friend declarations, and macros that end in _INNER.
"""

import re
import sys

OWN_USE = "For the library's own use"
# What says all by its name and type has no comment: Doxygen is given an invisible space, so that it lists it. These are
# enumerators, and members of these names: the first never share the comment of the declaration above them.
INVISIBLE = "&nbsp;"
COUNTS = frozenset("begin column_count columns empty end row_count size".split())
SELF_EXPLAINING = COUNTS | frozenset(
    "blob bytes code command database databases error integer is_null is_open kind message name null outcome parameters peer pid real "
    "rows server_version session session_id skipped sql sqlite_version steps text to_value transaction uid value".split()
)

COMMENT = re.compile(r"^\s*//( ?)(.*)$")
TYPE = re.compile(r"^\s*(?:template <.*> )?(?:class|struct|enum class|union)\s+(?:\[\[nodiscard\]\] )?(\w+)(?: final)?[^;()]*\{")
SPECIAL = re.compile(r"^\s*(?:explicit |virtual |constexpr )*~?(\w+)\(|^\s*[\w:<>&, ]*\boperator\b")
MEMBER = re.compile(r"^\s+(?!return\b|using\b|friend\b)[\w:<>,&*\[\] ]+[\s&*>](\w+)(?:\(.*| = .*;|;)")
ENUMERATOR = re.compile(r"\bk[A-Z]\w*(?: = \d+)?")


def code_of(line):
    """The line without literals and comments."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
    line = re.sub(r"'(?:[^'\\]|\\.)'", "''", line)
    return line.split("//")[0]


def escaped(text):
    """What Doxygen would take for a command or markup, outside of `code`."""
    pieces = text.split("`")
    for i in range(0, len(pieces), 2):
        pieces[i] = re.sub(r"([\\@#%&])", r"\\\1", pieces[i])
        pieces[i] = pieces[i].replace("<", "\\<").replace(">", "\\>").replace("*", "\\*")
    return "`".join(pieces)


def documentation(lines):
    """Lines of a comment, without their slashes, as lines of Doxygen's."""
    out, in_code = [], False
    for i, line in enumerate(lines):
        is_code = line.startswith("  ") or (in_code and not line and i + 1 < len(lines) and lines[i + 1].startswith("  "))
        if is_code != in_code:
            out.append("\\code{.cpp}" if is_code else "\\endcode")
            in_code = is_code
        out.append(line[2:] if is_code else escaped(line))
    if in_code:
        out.append("\\endcode")
    return out


def block(lines):
    return "/** " + "\n".join(lines) + " */"


class Scopes:
    """What is open at a place: namespaces, classes, enums, and everything else."""

    def __init__(self):
        self.kinds = []
        self.names = []
        self.parentheses = 0
        self.statement = ""

    def is_declarative(self):
        return self.parentheses == 0 and all(kind != "other" for kind in self.kinds)

    def class_name(self):
        return self.names[-1] if self.kinds and self.kinds[-1] == "class" else None

    def feed(self, code):
        if code.lstrip().startswith("#"):
            return
        for char in code:
            if char in "(":
                self.parentheses += 1
            elif char == ")":
                self.parentheses -= 1
            if char == "{":
                kind, name = self.kind_of(self.statement)
                self.kinds.append(kind)
                self.names.append(name)
                self.statement = ""
            elif char == "}":
                self.kinds.pop()
                self.names.pop()
                self.statement = ""
            elif char == ";":
                self.statement = ""
            else:
                self.statement += char
        self.statement += " "

    @staticmethod
    def kind_of(statement):
        statement = re.sub(r"template\s*<[^{]*?>\s*(?=class|struct|union|enum)", "", statement)
        statement = re.sub(r"^\s*(?:public|private|protected):", "", statement)
        if re.match(r"\s*(?:inline )?namespace\b", statement):
            return "namespace", None
        match = re.match(r"\s*(class|struct|union|enum class|enum)\s+(?:\[\[nodiscard\]\] )?(\w+)", statement)
        if match and "(" not in statement:
            return ("enum" if match[1].startswith("enum") else "class"), match[2]
        return "other", None


def opening_of(lines):
    """The comment that the file opens with."""
    opening = []
    for line in lines:
        match = COMMENT.match(line)
        if not match:
            break
        opening.append(match[2])
    return opening


def part_about(name, opening):
    """Of the opening what is about one class."""
    text = "\n".join(opening)
    start = re.search(rf"(?:^|(?<=[.\n] )|(?<=\n)){name}(?:<\w+>)?(?: and \w+)?: ", text)
    if not start:
        return opening
    rest = text[start.end():]
    end = re.search(r"(?:(?<=\. )|(?<=\n))[A-Z]\w+(?:, \w+)*(?: and \w+)?: ", rest)
    # The thread rule, which comes last, is about all of them.
    about = (rest[: end.start()] if end else rest).strip()
    return (about[:1].upper() + about[1:]).split("\n")


class Filter:
    def __init__(self, lines):
        self.lines = lines
        self.out = []
        self.scopes = Scopes()
        self.opening = opening_of(lines)
        self.hidden_depth = None  # of the braces around what is for the library's own use
        self.hides_to_access = False
        self.has_comment = False  # the line before was a comment
        self.comment = None  # the last one, until it is about no more declarations
        self.comment_scopes = None
        self.in_macro = False  # the line before goes on in this one
        self.statement_before = ""  # what of a declaration stands on the lines before

    def hides(self, line):
        """Whether the line is for the library's own use."""
        if self.hidden_depth is None:
            return False
        depth = len(self.scopes.kinds)
        if self.hides_to_access:
            is_over = depth <= self.hidden_depth and re.match(r"^\s*(?:public|private|protected):|^\s*\};", line)
        else:
            is_over = depth <= self.hidden_depth and not line.strip()
        if is_over:
            self.hidden_depth = None
        return not is_over

    def run(self):
        number = 0
        if self.opening:
            self.out.append(block(["\\file", *documentation(self.opening)]))
            number = len(self.opening)
        while number < len(self.lines):
            number = self.take(number)
        return "\n".join(self.out) + "\n"

    def take(self, number):
        line = self.lines[number]
        if self.hides(line):
            self.scopes.feed(code_of(line))
            self.out.append("")
            return number + 1
        match = COMMENT.match(line)
        if match and self.scopes.is_declarative():
            return self.take_comment(number)
        if re.match(r"^#define \w+_INNER\b", line):
            while line.endswith("\\"):
                number += 1
                line = self.lines[number]
            self.out.append("")
            return number + 1
        if not line.strip() and self.scopes.is_declarative():
            self.comment = None
        self.take_code(number, line)
        self.has_comment = False
        self.in_macro = line.endswith("\\")
        return number + 1

    def take_comment(self, number):
        comment = []
        while number < len(self.lines) and (match := COMMENT.match(self.lines[number])):
            comment.append(match[2])
            number += 1
        if OWN_USE in " ".join(comment):
            self.hidden_depth = len(self.scopes.kinds)
            self.hides_to_access = self.scopes.class_name() is not None
            self.out.extend([""] * len(comment))
            return number
        if comment[0].startswith("----") or not self.lines[number].strip():
            self.out.extend([""] * len(comment))
            return number
        self.comment = block(documentation(comment))
        self.comment_scopes = list(self.scopes.names)
        self.out.append(self.comment)
        self.has_comment = True
        return number

    def shares_comment(self, line):
        """Whether a declaration begins here that the comment above the one before is about as well."""
        is_start = not self.scopes.statement.strip() and code_of(line).strip() not in ("", "}", "};", "private:", "public:")
        return (
            self.comment is not None and is_start and not self.has_comment and self.comment_scopes == self.scopes.names
            and self.scopes.is_declarative() and not re.match(r"^\s*#(?!define)", line) and not re.search(r"\S\s+// ", line)
            and not self.in_macro and self.member_name(line) not in COUNTS
        )

    def take_code(self, number, line):
        declarative = self.scopes.is_declarative()
        in_enum = bool(self.scopes.kinds) and self.scopes.kinds[-1] == "enum"
        owner = self.scopes.class_name()
        before = len(self.scopes.kinds)
        self.statement_before = self.scopes.statement
        shared = self.comment + " " if self.shares_comment(line) and not in_enum else ""
        if declarative and owner and not in_enum and not shared and not self.has_comment and self.explains_itself(line):
            shared = f"/** {INVISIBLE} */ "
        self.scopes.feed(code_of(line))
        if declarative and re.match(r"^\s*friend\b", line):
            line = ""
        elif declarative and owner and not self.has_comment and self.is_special(line, owner):
            obvious = self.is_obvious(line, owner)
            line = self.without_special(number, line) if obvious else f"/** {INVISIBLE} */ {line}"
        elif declarative and (match := TYPE.match(line)) and not self.has_comment:
            template = re.match(r"^\s*template <.*>$", self.lines[number - 1])
            about = block(documentation(part_about(match[1], self.opening)))
            if template:
                self.out[-1] = about + " " + self.out[-1]
            else:
                line = about + " " + line
        trailing = re.match(r"^(.*\S)\s+// (.*)$", line)
        if trailing and declarative and len(self.scopes.kinds) == before and self.scopes.is_declarative():
            line = f"{trailing[1]} /**< {escaped(trailing[2])} */"
        elif in_enum or re.match(r"^\s*enum class \w+.*\{.*\}", line):
            line = self.with_enumerators(line)
        self.out.append(shared + line if line else "")

    @staticmethod
    def member_name(line):
        member = MEMBER.match(code_of(line))
        return member[1] if member else None

    def explains_itself(self, line):
        is_start = not self.statement_before.strip()
        return is_start and self.member_name(line) in SELF_EXPLAINING and not re.search(r"\S\s+// ", line)

    @staticmethod
    def with_enumerators(line):
        head, brace, rest = line.partition("{") if "{" in line else ("", "", line)
        rest = rest if COMMENT.match(rest) or "/**<" in rest else ENUMERATOR.sub(
            lambda match: f"{match[0]} /**< {INVISIBLE} */", rest)
        # The comma comes first for Doxygen.
        rest = re.sub(r"( /\*\*< [^*]*\*/),", r",\1", rest)
        return head + brace + rest

    @staticmethod
    def is_special(line, owner):
        match = SPECIAL.match(line)
        return bool(match) and (match[1] is None or match[1] == owner)

    @staticmethod
    def is_obvious(line, owner):
        """Of a special member: it says nothing about its class that is not true of most."""
        return "~" in line or "operator=" in line or bool(re.match(rf"^\s*(?:explicit )?{owner}\((?:|(?:const )?{owner}\b[^,]*)\)", line))

    def without_special(self, number, line):
        """Nothing in place of the declaration, and of what follows of it."""
        line = code_of(line)
        if line.rstrip().endswith(";") or line.count("{") == line.count("}") > 0:
            return ""
        # It goes on: an initializer list, a body.
        depth = len(self.scopes.kinds)
        if line.rstrip().endswith("{"):
            depth -= 1
        return self.drop_rest(number, depth)

    def drop_rest(self, number, depth):
        i = number + 1
        probe = Scopes()
        probe.kinds, probe.names = list(self.scopes.kinds), list(self.scopes.names)
        probe.parentheses, probe.statement = self.scopes.parentheses, self.scopes.statement
        while i < len(self.lines):
            code = code_of(self.lines[i])
            probe.feed(code)
            self.lines[i] = code  # without comments
            ended = code.rstrip().endswith((";", "}"))
            if len(probe.kinds) == depth and probe.parentheses == 0 and ended:
                break
            i += 1
        for j in range(number + 1, i + 1):
            self.lines[j] = ""
        self.scopes = probe
        return ""


def with_shared_comments(text):
    """A header in C that has Doxygen's comments."""
    # A brief description ends with the first full stop.
    text = re.sub(r"\*\*(\w[^*\n]*)\.\*\*", r"<b>\1</b>:", text)
    text = re.sub(r"\*\*(\w[^*\n]*)\*\*", r"<b>\1</b>", text)
    text = text.replace("/** @} @name", "/** @} */\n/** @name").replace(" @{ */", "\n * @{ */")
    # What programs do not write.
    text = re.sub(r"(?<=\n)#define SKUA_API.*", "", text)
    out, comment, last_comment = [], "", ""
    for line in text.split("\n"):
        if line.startswith("/**") or comment:
            comment += line + "\n"
            if line.endswith("*/"):
                is_group = "@{" in comment or "@}" in comment
                last_comment, comment = "" if is_group else comment, ""
        elif not line.strip():
            last_comment = ""
        elif re.match(r"SKUA_API|typedef struct \w+ \w+;|#define", line) and not (out and out[-1].endswith("*/")):
            if "_free(" in line:
                line = f"/** {INVISIBLE} */ {line}"
            else:
                line = last_comment + line
        out.append(line)
    return "\n".join(out)


def main():
    with open(sys.argv[1], encoding="utf-8") as header:
        text = header.read()
    sys.stdout.write(with_shared_comments(text) if "@file" in text else Filter(text.split("\n")).run())


if __name__ == "__main__":
    main()
