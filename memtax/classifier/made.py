"""Made texts of sorts that no file at hand is full of: lists of names, references and captions; dumps, formulas, lists of
numbers. Words come from the prose that was collected."""

# ruff: noqa: E501, E731 - forms read best whole, and small generators of one form are lambdas

from __future__ import annotations

import base64
import itertools
import random
import re
import string
from collections.abc import Callable

from memtax.classifier.disguises import citation

Make = Callable[[random.Random, list[str]], str]
LONG = 400


def _words(g: random.Random, prose: list[str], least: int = 2) -> list[str]:
    for _ in range(50):
        words = re.findall(rf"[A-Za-z]{{{least},}}", g.choice(prose))
        if len(words) >= 8:
            return words
    return ["some", "words", "that", "stand", "for", "any", "other", "words"]


def _name(g: random.Random, prose: list[str]) -> str:
    return g.choice(_words(g, prose, 4)).capitalize()


def _identifier(g: random.Random, prose: list[str]) -> str:
    words = [word.lower() for word in g.sample(_words(g, prose, 3), g.randint(1, 3))]
    style = g.randrange(5)
    if style == 0:
        return "_".join(words)
    if style == 1:
        return words[0] + "".join(map(str.capitalize, words[1:]))
    if style == 2:
        return "".join(map(str.capitalize, words))
    return "_".join(words).upper() if style == 3 else "-".join(words)


def _fill(one: Callable[[], str], separator: str) -> str:
    text = ""
    while len(text) < LONG:
        text += one() + separator
    return text


# --- natural language


def references(g: random.Random, prose: list[str]) -> str:
    """Bibliographies and lists of authors."""
    letter = lambda: g.choice(string.ascii_uppercase)
    comma, initials = g.choice((", ", " ")), g.choice(("{}. {}.", "{}.", "{}{}", "{}.\xa0{}."))
    people = lambda: f"{_name(g, prose)}{comma}{initials.format(letter(), letter())}"
    title = lambda: " ".join(_words(g, prose)[:9]).capitalize()
    journal = "".join(letter() for _ in range(4)) if g.random() < 0.5 else " ".join(_words(g, prose, 4)[:2]).title()
    style = g.randrange(4)
    if style == 0:
        return _fill(
            lambda: (
                f"{people()}, {people()} {g.randrange(1950, 2022)}, {journal}, {g.randrange(999)}, {g.randrange(999)}"
            ),
            "  ",
        )
    if style == 1:
        return _fill(
            lambda: (
                f"{people()}, {people()} & {people()} ({g.randrange(1950, 2022)}). {title()}. {journal}, {g.randrange(99)}, {g.randrange(999)}–{g.randrange(999)}."
            ),
            "\n",
        )
    if style == 2:
        mark = g.choice(("- '{}'", "{},", "{};", '"{}"'))
        return _fill(lambda: mark.format(f"{letter()}. {_name(g, prose)}"), "\n" if mark[0] == "-" else " ")
    return _fill(lambda: f"{people()}, *{title()}*, [{journal} **{g.randrange(99)}**, {g.randrange(9999)} ({g.randrange(1950, 2022)})].", " ")  # fmt: skip


def contents(g: random.Random, prose: list[str]) -> str:
    """Tables of contents, headings, categories, titles."""
    number = g.randrange(1, 60)
    style = g.randrange(5)
    if style == 0:
        word = g.choice(("Chapter", "Section", "Part", "Lesson", "Day", "Book"))
        return "".join(f"    {number + i}. {word} {number + i + 1}\n" for i in range(20))
    if style == 1:
        return _fill(lambda: f"{g.randrange(1850, 2010)} {' '.join(_words(g, prose, 4)[:2])}", "\nCategory:")
    if style == 2:
        return _fill(lambda: "THE " + " ".join(_words(g, prose)[:4]).upper(), "\n")
    if style == 3:
        return _fill(lambda: "  * " + " ".join(_words(g, prose)[:5]).title(), "\n")
    return _fill(lambda: f"{' '.join(_words(g, prose)[:3]).title()} {g.randrange(400)}", "\n")


def refrain(g: random.Random, prose: list[str]) -> str:
    """A phrase over and over."""
    phrase = " ".join(g.choice(prose).split()[1 : g.randint(5, 14)])
    phrase = phrase.upper() if g.random() < 0.3 else phrase
    return _fill(lambda: phrase, g.choice((" ", ". ", "! ", "\n")))


def fields(g: random.Random, prose: list[str]) -> str:
    """The labels and values of a page: an offer, a profile, a notice."""
    value = lambda: g.choice((_name(g, prose), str(g.randrange(3000)), "Yes", "No", f"${g.randrange(900)}.{g.randrange(10, 99)}",
                              " ".join(g.choice(prose).split()[1:9])))  # fmt: skip
    return _fill(
        lambda: f"{' '.join(_words(g, prose, 4)[:2]).title()}{g.choice((': ', '  ', ' '))}{value()}",
        g.choice(("\n\n", "\n", "   ")),
    )


def talk(g: random.Random, prose: list[str]) -> str:
    """A chat, a transcript, subtitles."""
    nicks = [_identifier(g, prose) for _ in range(3)]
    phrase = lambda: " ".join(g.choice(prose).split()[1 : g.randint(4, 12)])
    style = g.choice(("<{0}> {1}", "{0}: {1}", '"{1}"', "[{2}:{3}] {0}: {1}", "- {1}"))
    return _fill(lambda: style.format(g.choice(nicks), phrase(), g.randrange(24), g.randrange(10, 60)), "\n")


def opinion(g: random.Random, prose: list[str]) -> str:
    """Prose thick with citations."""
    phrase = lambda: " ".join(g.choice(prose).split()[1 : g.randint(6, 16)])
    case = lambda: f"{_name(g, prose)} v. {_name(g, prose)}"
    return _fill(lambda: g.choice((f"{phrase()} {citation(g)}", f"{phrase()}. See {case()}, {citation(g)}", f"{phrase()},")), g.choice((". ", "; ", " ")))  # fmt: skip


def caption(g: random.Random, prose: list[str]) -> str:
    """The head of a court's paper: names, dates and much blank."""
    blank = lambda: " " * g.randrange(4, 40)
    part = lambda: g.choice((_name(g, prose).upper(), f"No. {g.randrange(10, 99)}-{g.randrange(9999)}", f"{_name(g, prose)} {_name(g, prose)}, {_name(g, prose)}",
                             f"{g.choice(('June', 'March', 'December', 'April'))} {g.randrange(1, 29)}, {g.randrange(1980, 2020)}", " ".join(_words(g, prose)[:5])))  # fmt: skip
    return _fill(part, blank())


def messages(g: random.Random, prose: list[str]) -> str:
    """Catalogues of messages to translate."""
    phrase = lambda: " ".join(g.choice(prose).split()[1 : g.randint(4, 14)]).replace('"', "")
    return _fill(
        lambda: f'#: {_identifier(g, prose)}.{_identifier(g, prose)}\nmsgid "{phrase()}"\nmsgstr "{phrase()}\\n"',
        "\n\n",
    )


# --- code


def numbers(g: random.Random, prose: list[str]) -> str:
    """Lists of numbers, plain and in arrays."""
    style = g.randrange(9)
    separator = g.choice((", ", " ", ",", "\n", "; ", "  ", "\t", " | ", ",\n    "))
    if style == 0:
        return "".join(g.choice(string.digits) for _ in range(LONG))
    if style == 1:
        width, suffix = g.choice((2, 4, 8)), g.choice(("", "U", "UL"))
        return _fill(lambda: f"0x{g.getrandbits(4 * width):0{width}x}{suffix}", separator)
    if style == 2:
        return _fill(lambda: f"{g.uniform(-9, 9):.{g.choice((2, 4, 6))}f}", separator)
    if style == 3:
        return _fill(lambda: ".".join(str(g.randrange(256)) for _ in range(4)) + g.choice(("", "/24")), separator)
    if style == 4:
        unit = separator.join(str(g.randrange(300)) for _ in range(g.randint(1, 3)))
        return _fill(lambda: unit, separator)
    if style == 5:
        count = itertools.count(g.randrange(10**6))
        prefix = g.choice(string.ascii_uppercase) + g.choice(string.ascii_uppercase)
        return _fill(lambda: f"{prefix}{next(count):06}", g.choice(("", " ", ",")))
    if style == 6:
        return _fill(lambda: f"{g.randrange(10**6)}{g.choice('+-*/')}{g.randrange(99)}={g.randrange(10**6)}", separator)
    if style == 7:
        return _fill(lambda: f"{g.randrange(1, 32)}/{g.randrange(1, 13)}/{g.randrange(1990, 2022)} {g.randrange(24)}:{g.randrange(60):02}:{g.randrange(60):02},{g.random():.3f}", separator)  # fmt: skip
    return _fill(lambda: str(g.randrange(10 ** g.randint(1, 5))), separator)


def noise(g: random.Random, prose: list[str]) -> str:
    """Encoded bytes, and one character or unit over and over."""
    style = g.randrange(4)
    if style == 0:
        return base64.b64encode(g.randbytes(LONG)).decode()
    if style == 1:
        return g.randbytes(LONG).hex()
    if style == 2:
        return (
            _fill(lambda: g.choice("MAX0=-#*_.%~"), "") if g.random() < 0.2 else g.choice(string.printable[:94]) * LONG
        )
    unit = "".join(g.choice(string.ascii_letters + "+/") for _ in range(g.randint(2, 12)))
    return _fill(lambda: unit, "")


def table(g: random.Random, prose: list[str]) -> str:
    """Rows of a table in text."""
    columns, separator = g.randint(2, 6), g.choice((" | ", ",", "\t", " & ", "; ", "|", '","'))
    end = g.choice(("\n", " \\\\\n", " |\n", '"\n"'))
    cell = lambda: g.choice(
        (_name(g, prose), str(g.randrange(10**4)), f"${g.uniform(0, 99):.2f}", f"{g.random():.3f}", "-", "")
    )
    return _fill(lambda: separator.join(cell() for _ in range(columns)), end)


def names(g: random.Random, prose: list[str]) -> str:
    """Lists of identifiers, paths, hosts and definitions."""
    style, shared = g.randrange(7), _identifier(g, prose)
    one = lambda: _identifier(g, prose)
    if style == 0:
        return _fill(lambda: f"{shared}_{one()}", g.choice((",\n    ", " ", "\n", ", ")))
    if style == 1:
        return _fill(lambda: f"{shared.lower()}.{one().lower()}", "\n")
    if style == 2:
        return _fill(lambda: f"$({shared.lower()}dir)/{one()}/{one()}.h", " \\\n")
    if style == 3:
        return _fill(
            lambda: f"{shared.upper()}_{one().upper()} = {g.choice((hex(g.getrandbits(16)), str(g.randrange(999))))}",
            "\n",
        )
    if style == 4:
        return _fill(lambda: f"#define {shared.upper()}_{one().upper()} {g.randrange(999)}", "\n")
    if style == 5:
        return _fill(lambda: f"/{shared}/{one()}/{one()}.{g.choice(('js', 'py', 'so', 'html', 'java'))}", "\n")
    return _fill(
        lambda: f"http://www.{one().lower()}.{g.choice(('com', 'org', 'net'))}/{one()}?{one()}={g.randrange(99)}", "\n"
    )


def formulas(g: random.Random, prose: list[str]) -> str:
    """TeX: mathematics, tables and preambles."""
    letter = lambda: g.choice((*"abcdefgijkmnpqrstuvxyzABFGHKLMNPRTUV", "\\alpha", "\\beta", "\\lambda", "\\mathbf{x}", "\\mathcal{L}",
                               "\\partial", "\\sigma", "\\hat{y}", "\\nabla", "\\infty", "\\psi"))  # fmt: skip
    term = lambda: g.choice(("{}_{{{}}}", "{}^{{{}}}", "\\frac{{{}}}{{{}}}", "{}({})", "\\sum_{{{}}}^{{{}}}", "\\left({}-{}\\right)",
                             "{}{}", "\\sqrt{{{}}}{}", "{{\\mathsf {{{}}}}}[{}]", "\\int_{{{}}} d{}")).format(letter(), letter())  # fmt: skip
    style = g.randrange(4)
    if style == 0:
        packages = ["".join(g.choice((_words(g, prose, 4)[0].lower()[:4], "math", "ams", "sym", "font", "graph", "up"))
                            for _ in range(2)) for _ in range(9)]  # fmt: skip
        head = f"\\documentclass[{g.choice((10, 11, 12))}pt]{{{g.choice(('article', 'minimal', 'report'))}}}\n"
        body = "".join(f"\\usepackage{{{package}}}\n" for package in packages)
        margin = f"\\setlength{{\\oddsidemargin}}{{-{g.randrange(99)}pt}}\n\\begin{{document}}$${term()} {term()}$$\\end{{document}}"
        return head + body + margin
    if style == 1:
        relations = ("=", "+", "-", "&=", "\\times", "\\le", "\\in", ",")
        return _fill(lambda: f"{term()} {g.choice(relations)} {term()}", " ")
    if style == 2:
        return _fill(lambda: f"\\begin{{{g.choice(('equation', 'align', 'figure', 'cases'))}}}\\label{{{_identifier(g, prose)}}}\n{term()}={term()}\n\\end{{align}}", "\n")  # fmt: skip
    unit = g.choice(("r@[$\\,$]{}", "\\hline & ", "c|", "{\\bf 0} & ", "$\\bullet$ & "))
    return _fill(lambda: unit, "")


def statements(g: random.Random, prose: list[str]) -> str:
    """Statements of languages that few machines hold sources of."""
    one = lambda: _identifier(g, prose).replace("-", "_")
    forms = (
        "func (s *{0}) {1}({2} int, err error) (n int, err error) {{\n\tif err != nil {{\n\t\treturn nil, err\n\t}}\n",
        "public class {0} extends {1} {{\n    private final {2} {3};\n    @Override\n    public void {1}({2} {3}) {{\n",
        "if ({0} == null) {{ throw new ArgumentNullException(nameof({0})); }}\n_{1} = {2}.{3}();\n",
        "case {0}: return {1}->{2}({3});\n", "let {0} = {1}.{2}({3}).unwrap();\n", "{0}.{1} = function({2}) {{ return {3}; }};\n",
        '@property (nonatomic, strong) NS{0} *{1};\n[{2} {3}:{0}];\n', "def {0}({1})\n  @{2} = {3}\nend\n",
        "SELECT {0}, {1} FROM {2} WHERE {3} = 1;\n", "mov eax, {0}\ncall _{1}\njne .L{2}\n", "%{0} = load i32, i32* %{1}, align 4\n",
        "CALL {0}( 1, {1}, 'N', {2}, INFO )\n      {3} = 4\n", "{0} := {1}.New{2}(&{3}{{Name: \"{0}\"}})\n",
        'android:{0}="@+id/{1}" android:{2}="{3}"\n', '"{0}": {{"type": "{1}", "{2}": [], "required": true}},\n',
        "test {0} {{ {1} {2} }} {{\n  r set {3} 1\n}}\n", ".{0} > .{1}:hover {{ {2}: 10px; color: #fff; }}\n",
        "\tat org.{0}.{1}.{2}({3}.java:120)\n", "[INFO] 2019-01-02 03:04:05,678 {0}.{1}: {2}={3}\n",
        "{0}.o: $(srcdir)/{1}/{2}.h\n", "<{0} {1}=\"{2}\"><{3}/></{0}>\n", "template <typename {0}> struct {1}<{2}> : {3}::type {{}};\n",
        "//sys {0}({1} int, {2} []byte) (err error) = SYS_{3}\n", "EXPORT_SYMBOL({0}_{1});\n#define {2}(a, b) {3}(a) ## b\n",
        "13B07F8C1A680F5B00A75B9A /* {0} */ = {{ isa = {1}; {2} = {3}; }};\n", "!8 = !{{i32 2, !\"{0}\", i32 4}}\n",
    )  # fmt: skip
    chosen = g.sample(forms, 2)
    return _fill(lambda: g.choice(chosen).format(one(), one(), one(), one()), g.choice(("", "  ", "    ")))


# Name of the kind -> its label (1 natural language, 0 code) and its generator.
MADE: dict[str, tuple[int, Make]] = {
    "made references": (1, references),
    "made contents": (1, contents),
    "made refrain": (1, refrain),
    "made fields": (1, fields),
    "made talk": (1, talk),
    "made opinion": (1, opinion),
    "made caption": (1, caption),
    "made messages": (1, messages),
    "made numbers": (0, numbers),
    "made noise": (0, noise),
    "made table": (0, table),
    "made names": (0, names),
    "made formulas": (0, formulas),
    "made statements": (0, statements),
}
