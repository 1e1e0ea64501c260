"""Sentences that fits and readings say have their Chinese on the page."""

from __future__ import annotations

import itertools

import pytest

from calibration.fit.misfit import Misfit
from calibration.model.returning import Returning
from calibration.model.samples import Clock, Stages, _say_stages
from calibration.page.said import said


def is_told(text: str) -> bool:
    both = said(text)
    return both.en == text and both.zh != text


def test_what_a_log_does_not_tell_apart_is_said_in_both_languages():
    for clock, flags in itertools.product(Clock, itertools.product((False, True), repeat=4)):
        sentences: list[str] = []
        _say_stages(Stages(clock, *flags), sentences)
        assert all(is_told(text) for text in sentences)


def test_what_does_not_fit_is_said_in_both_languages():
    reasons = Misfit(0.001, 0.034, 1e-9, 0.012, 0.002, 900).reasons
    assert len(reasons) == 3
    assert all(is_told(text) for text in reasons)


def test_how_units_return_is_said_in_both_languages():
    for of in (Returning(True, 30, 12.0, True, 0.0, 0.0, 0), Returning(False, 0, 40.0, False, 1.2, 60.0, 500)):
        assert all(is_told(text) for text in of.said)
    assert Returning(True, 30, 40.0, False, 1.0, 0.0, 0).said == ()


def test_a_sentence_keeps_its_numbers():
    both = said("12 calls had more than 9 units at once: cut to the first 9")
    assert both.zh == "12 起同时派出超过 9 辆：只计前 9 辆"


@pytest.mark.parametrize("text", ["something new", "12 calls had more than 9 units at once: cut to the first 8"])
def test_a_sentence_that_is_not_listed_is_shown_as_it_is(text):
    both = said(text)
    assert (both.zh, both.en) == (text, text)
