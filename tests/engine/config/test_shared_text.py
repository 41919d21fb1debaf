"""A configuration as a short text: it comes back as it was, and nothing else does."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import PolicyGradientConfig, presets
from engine.config.migrations import VERSION
from engine.config.parameters import with_values
from engine.config.problems import ParameterError
from engine.config.shared_text import found_in, from_text, to_text
from engine.config.shared_words import BY_FORM
from engine.runtime.errors import RequestError

CONFIG = with_values(PolicyGradientConfig(), {"environment": "CartPole-v1", "seed": 7, "update.learning_rate": 0.0123})
TEXT = to_text(CONFIG)
# As they were when this form was first given away.
PINNED = "playground:1:oCqCsBstmEYLJmwFExG9bUIFEmrPme7lEFndUooKIkifG0tJRG5H1ciYBi050poy5phFBgA"
PINNED_WORDS = {1: 0x03A0D3F5, 2: 0x83EE94D1, 3: 0x301A02C6}
PINNED_2 = "playground:2:oCqCsBstmEYLJmwFExG9bUIFEmrPme7lEFndUooKIkifG0tJRG5H1ciYBi050poy5phFBgA"
PINNED_3 = "playground:3:_nGZoyNlYe9owTRyCiYietuECiTUnjPdyyGyuqUUFUSQPjeWkojcjqqRMQ1acqQ1ZcwxiwwA"


def test_every_preset_comes_back_from_a_text_that_fits_into_a_message() -> None:
    for preset in presets.shipped().values():
        text = to_text(preset.config)
        assert from_text(text) == preset.config
        assert len(text) <= 160


def test_texts_that_were_given_away_stay_readable() -> None:
    found = {form: zlib.crc32(words) for form, words in BY_FORM.items()}
    assert found == PINNED_WORDS, "what a text of this form means has changed: make another form, and read both"
    kept = from_text(PINNED)
    assert kept == from_text(PINNED_2) == from_text(PINNED_3)
    assert (kept.seed, kept.environment.id, kept.update.learning_rate) == (7, "CartPole-v1", 0.0123)


def test_a_text_is_found_in_a_message_and_where_a_mail_has_broken_it() -> None:
    assert found_in(f"Look at this: {TEXT}. It never learns!") == TEXT
    assert found_in(f"> {TEXT[:50]}\n> {TEXT[50:]}\n") == TEXT
    assert found_in("nothing of playground: this kind") is None


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_a_wrong_character_never_makes_another_configuration(place: int, character: str) -> None:
    try:
        assert from_text(TEXT[:place] + character + TEXT[place + 1 :]) == CONFIG
    except RequestError:
        assert character != TEXT[place]


@pytest.mark.parametrize("length", [0, 12, 14, 20, len(TEXT) - 1])
def test_a_text_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(RequestError, match=r"copy it again|begins with"):
        from_text(TEXT[:length])


def made(content: bytes) -> str:
    """A text around any content."""
    from base64 import urlsafe_b64encode

    deflating = zlib.compressobj(9, wbits=-zlib.MAX_WBITS, zdict=BY_FORM[1])
    packed = zlib.crc32(content).to_bytes(4, "big") + deflating.compress(content) + deflating.flush()
    return f"playground:1:{urlsafe_b64encode(packed).decode().rstrip('=')}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"version":%d,"config":{}}' % (VERSION + 1), "use a later program"),
        (b'{"version":2,"config":{"update":"alchemy"}}', "alchemy"),
        (b'{"version":2,"config":{"gamma":1}}', "does not fit"),
        (b'{"version":2,"config":' + b"[" * 400 + b"]" * 400 + b"}", "does not fit"),
        (b'{"version":2,"config":7}', "does not fit"),
        (b"[" * 5000, "copy it again"),
        (b"7", "copy it again"),
        (b" " * 1_000_000 + b"7", "copy it again"),  # unpacked no further than any configuration is long
    ],
)
def test_what_is_whole_but_no_configuration_is_refused_in_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        from_text(made(content))


def test_a_text_of_a_later_form_asks_for_a_later_program() -> None:
    with pytest.raises(RequestError, match="update the program"):
        from_text(TEXT.replace(f":{max(BY_FORM)}:", f":{max(BY_FORM) + 1}:"))


def test_a_refusal_says_which_value_does_not_fit() -> None:
    text = made(b'{"version":2,"config":{"environment":"CartPole-v1","seed":-1}}')
    with pytest.raises(ParameterError, match="seed") as raised:
        from_text(text)
    assert raised.value.problem.path == "seed"
