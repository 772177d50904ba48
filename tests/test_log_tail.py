"""The last lines of a log."""

from protocol.log_tail import BYTES, LINES, tail_of


def test_the_last_lines_and_no_more(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    assert tail_of(log).splitlines() == [f"line {n}" for n in range(100 - LINES, 100)]
    log.write_bytes(b"x" * 10 * BYTES + b"\xff")
    assert tail_of(log) == "x" * (BYTES - 1) + "�"


def test_what_an_earlier_process_wrote_is_left_out(tmp_path):
    log = tmp_path / "log"
    log.write_text("first\n")
    start = log.stat().st_size
    with log.open("a") as file:
        file.write("second\n")
    assert (tail_of(log, start), tail_of(log)) == ("second", "first\nsecond")


def test_a_missing_file_has_none(tmp_path):
    assert tail_of(tmp_path / "none") == ""
