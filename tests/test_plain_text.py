"""Nothing of a corpus' text may drive the terminal that shows it."""

from memtax.plain_text import printable


def test_what_a_terminal_would_act_upon_is_written_out() -> None:
    assert printable("a\x1b[2J\x07\r\nb\x7f\x9bc") == "a\\x1b[2J\\x07\\r\\nb\\x7f\\x9bc"
    assert printable("\u202eevil\u2028\ud800") == "\\u202eevil\\u2028\\ud800"
    assert printable("\U000e0041") == "\\U000e0041"


def test_letters_of_any_script_stay_and_so_does_what_is_kept() -> None:
    text = "naïve 日本語 “quotes” 🙂 \ufffd"
    assert printable(text) == text
    assert printable("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"
