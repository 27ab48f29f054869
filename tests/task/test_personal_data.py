"""Personal data and secrets: found by checksum, shown masked, in linear time."""

import pytest

from harness.task.audit.personal_data import held, is_card, is_iban, masked, personal_data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to anna.berg@example.co.uk, please", "e-mail addresses"),
        ("card 4111 1111 1111 1111 was declined", "card numbers"),  # the networks' test numbers
        ("5500-0000-0000-0004", "card numbers"),
        ("pay to DE89 3704 0044 0532 0130 00 now", "bank accounts (IBAN)"),  # the registry's own
        ("GB82WEST12345698765432", "bank accounts (IBAN)"),
        ("call +49 30 901820 or so", "telephone numbers"),
        ("call (555) 123-4567", "telephone numbers"),
        ("call 030 / 90 18 20 99", "telephone numbers"),
        ("key sk-proj-" + "a1B2" * 10, "keys"),
        ("AKIA" + "ABCD" * 4, "keys"),
        ("-----BEGIN RSA PRIVATE KEY-----", "keys"),
    ],
)
def test_each_kind_is_found_once_and_masked(text, kind):
    ((found, value),) = held(text)
    assert found.name == kind
    (finding,) = personal_data([("r1", text), ("r2", "nothing here")])
    assert finding.text.startswith(f"1 of 2 rows hold {kind} (")
    assert finding.rows == ("r1",)
    assert value not in finding.text
    assert masked(value) in finding.text


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112", "order 1234567890123", "0000 0000 0000 0000",
        "FR14 2004 1010 0505 0001 3M02 607", "on 2026-11-30 10:15:20", "01.02.2026",
        "pi is 3.14159265358979",
        "1,234,567,890 dollars", "user@host", "a risk-free offer",
        "ask-me-anything-about-our-products",
        "1500000000 to 1600000000", "id 55500000",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_found(text):
    assert list(held(text)) == []


def test_checksums():
    assert is_card("378282246310005")
    assert not is_card("378282246310006")
    assert is_iban("FR14 2004 1010 0505 0001 3M02 606")
    assert not is_iban("FR14 2004 1010 0505 0001 3M02 607")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000, "1" * 1_000_000, "1 " * 500_000, "a@" * 500_000, "a.@" * 300_000,
        "eyJ" * 300_000, "sk-" * 300_000, "+1" * 500_000, "DE89" * 250_000, "A1 " * 300_000,
        "a@" + "b." * 500_000, "x@" + "b" * 1_000_000, "(0" * 500_000,
    ],
)  # fmt: skip
def test_a_megabyte_that_looks_like_everything_is_read_to_its_end(text):
    """It takes a second at the most: a pattern that is not linear would take hours."""
    assert len(list(held(text))) <= 500_000
