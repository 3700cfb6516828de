# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages survive the way over the wire; whatever else comes in is a WireError and nothing worse."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.values.facts import WebFacts
from holdfast.core.values.messages import (
    Answer,
    Ask,
    Envelope,
    Forward,
    GroupReport,
    Look,
    Message,
    News,
    PhaseTime,
    Register,
    Report,
    Seen,
)
from holdfast.core.values.model import Binding, Site
from holdfast.core.wire import codec, wire
from holdfast.errors import InvariantError, WireError

NAMES = st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: NAMES,
    int: st.integers(),
    float: NUMBERS,
    bool: st.booleans(),
    type(None): st.none(),
    Any: JSON,
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of any annotation the messages use: a new message is tested without being listed here."""
    if kind in SCALARS:
        return SCALARS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return st.builds(kind, **{f.name: values(hints[f.name]) for f in dataclasses.fields(kind)})
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of([values(member) for member in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(values(arguments[0]), max_size=3)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(NAMES, values(arguments[1]), max_size=3)
    raise TypeError(kind)


def envelopes(message: type) -> st.SearchStrategy[Envelope]:
    return st.builds(
        Envelope,
        sender=NAMES,
        boot_id=NAMES,
        incarnation=st.integers(),
        seq=st.integers(),
        message=values(message),
        protocol=st.just(1),
    )


def cut(frames: wire.Frames, data: bytes) -> list[bytes]:
    """The frames that are complete after these bytes."""
    frames.feed(data)
    return list(iter(frames.next, None))


def payload(frame: bytes) -> bytes:
    (only,) = cut(wire.Frames(wire.FRAME_BYTES_MAX), frame)
    return only


@pytest.mark.parametrize("message", get_args(Message), ids=lambda cls: cls.__name__)
def test_every_kind_of_message_comes_back_as_it_was(message: type) -> None:
    @settings(max_examples=60, deadline=None)
    @given(envelopes(message))
    def comes_back(envelope: Envelope) -> None:
        assert wire.decode(payload(wire.encode(envelope))) == envelope

    comes_back()


def test_a_full_message_comes_back_with_the_types_of_its_fields() -> None:
    binding = Binding(protocol="https", ip="10.77.0.113", port=443, certificate="AB", sni=True)
    site = Site(name="shop", kind="web", content="X:\\shop", app_pool="shop", bindings=(binding,))
    facts = WebFacts(
        state="up",
        site=site,
        autostart=False,
        services={"WAS": "running"},
        certificates={},
        content_present=None,
    )
    phase = PhaseTime(name="stop site", node="n1", resource="shop", start_s=0, seconds=0.5)
    seen = Seen(request="r", group="shop", facts={"shop": facts})
    answer = Answer(request="r", group="shop", epoch=7, granted=True, out=frozenset({"b", "a"}), phases=(phase,))
    for message in (seen, answer):
        envelope = Envelope(sender="n1", boot_id="b", incarnation=1, seq=3, message=message)
        back = wire.decode(payload(wire.encode(envelope)))
        assert back == envelope
        assert isinstance(back.message, type(message))


def test_defaults_are_left_out_of_the_bytes_and_the_protocol_never_is() -> None:
    report = GroupReport(register=Register(epoch=7, holder="n1"), activity="up", reason="", resources={})
    news = News(number=1, since=0, ground="g", groups={"shop": report})
    envelope = Envelope(sender="n1", boot_id="b", incarnation=1, seq=1, message=news)
    data = json.loads(payload(wire.encode(envelope)))
    assert data["message"]["groups"]["shop"]["register"] == {"epoch": 7, "holder": "n1"}
    assert data["protocol"] == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_a_wire_error(garbage: bytes) -> None:
    for read in (wire.decode, wire.decode_hello):
        with pytest.raises(WireError):
            read(garbage)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_json_that_is_no_message_is_a_wire_error(data: Any) -> None:
    with pytest.raises(WireError):
        wire.decode(json.dumps(data).encode())


ASK = {"type": "Ask", "request": "r", "group": "g", "epoch": 1}
GOOD = {"sender": "n1", "boot_id": "b", "incarnation": 1, "seq": 1, "protocol": 1, "message": ASK}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"protocol": 2}, "speaks protocol 2; agreed is 1"),
        ({"protocol": True}, "speaks protocol True"),
        ({"protocol": None}, "speaks protocol None"),
        ({"extra": 1}, "extra: is no field of Envelope"),
        ({"seq": 1.5}, "seq: is 1.5, not a whole number"),
        ({"seq": True}, "seq: is True, not a whole number"),
        ({"sender": None}, "sender: is None, not a text"),
        ({"message": {**ASK, "type": "Shell"}}, "message.type: is 'Shell', not one of Heartbeat"),
        ({"message": {**ASK, "type": ["Ask"]}}, "message.type: is a list"),
        ({"message": {**ASK, "epoch": "1"}}, "message.epoch: is '1', not a whole number"),
        ({"message": {"type": "Ask", "request": "r", "epoch": 1}}, "message.group: is missing"),
        ({"message": {**ASK, "off": ["n1", 2]}}, "message.off[1]: is 2, not a text"),
        ({"message": []}, "message.type: is None"),
    ],
)
def test_a_message_that_is_not_quite_right_is_refused_with_the_place(change: dict[str, Any], said: str) -> None:
    assert wire.decode(json.dumps(GOOD).encode()).message == Ask(request="r", group="g", epoch=1)
    with pytest.raises(WireError) as refused:
        wire.decode(json.dumps({**GOOD, **change}).encode())
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "payload_text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 10_000,
        json.dumps(GOOD).replace('"seq": 1', '"seq": NaN'),
        json.dumps(GOOD).replace('"seq": 1', '"seq": 1e999'),
        json.dumps(GOOD).replace('"seq": 1', '"seq": ' + "9" * 4000 + ".0"),
        '{"protocol": 1' + "0" * 5000 + "}",
        "",
        "\u00e9",
    ],
    ids=lambda text: text[:12] or "empty",
)
def test_hostile_json_is_a_wire_error(payload_text: str) -> None:
    with pytest.raises(WireError):
        wire.decode(payload_text.encode())


def test_numbers_too_large_for_a_float_are_refused_in_number_fields() -> None:
    phase = {"name": "x", "node": "n1", "resource": "r", "start_s": 10**400, "seconds": 0}
    answer = {"type": "Answer", "request": "r", "group": "g", "epoch": 1, "granted": True, "phases": [phase]}
    with pytest.raises(WireError, match=r"phases\[0\]\.start_s: is not a finite number"):
        wire.decode(json.dumps({**GOOD, "message": answer}).encode())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(min_value=1, max_value=7))
def test_frames_are_cut_the_same_however_the_bytes_arrive(payloads: list[bytes], piece: int) -> None:
    stream = b"".join(len(p).to_bytes(4, "big") + p for p in payloads)
    frames = wire.Frames(64)
    pieces = [stream[start : start + piece] for start in range(0, len(stream), piece)]
    assert [payload for each in pieces for payload in cut(frames, each)] == payloads


def test_a_frame_beyond_the_bound_is_refused_before_its_bytes_arrive() -> None:
    frames = wire.Frames(100)
    assert cut(frames, (100).to_bytes(4, "big")) == []
    with pytest.raises(WireError, match="101 bytes came in; at most 100"):
        cut(wire.Frames(100), (101).to_bytes(4, "big"))


def test_the_bound_may_rise_between_two_frames_of_the_same_bytes() -> None:
    frames = wire.Frames(10)
    frames.feed((5).to_bytes(4, "big") + b"hello" + (50).to_bytes(4, "big") + b"x" * 50)

    assert frames.next() == b"hello"
    frames.bytes_max = 100
    assert frames.next() == b"x" * 50
    assert frames.next() is None


def test_our_own_oversized_message_is_our_bug_and_not_the_peers() -> None:
    huge = Forward(request="r", verb="v", args={"text": "x" * wire.FRAME_BYTES_MAX})
    with pytest.raises(InvariantError, match="does not fit a frame"):
        wire.encode(Envelope(sender="n1", boot_id="b", incarnation=1, seq=1, message=huge))


def test_a_greeting_comes_back_and_a_refusal_is_readable_in_any_protocol() -> None:
    hello = wire.Hello(cluster="web", sender="n1", path="path-a")
    assert wire.decode_hello(payload(wire.encode_hello(hello))) == hello
    other = dataclasses.replace(hello, lowest=8, highest=9)
    refusal = dataclasses.replace(other, refused="no such path")
    assert wire.decode_hello(payload(wire.encode_hello(refusal))).refused == "no such path"


def test_messages_of_a_thousand_groups_fit_a_frame() -> None:
    reason = "in service on n1 since it was asked for by an operator"
    report = GroupReport(
        register=Register(epoch=7, holder="n1", promised_epoch=7),
        activity="up",
        reason=reason,
        resources={"ip-shop": "up", "vol-shop": "up", "shop": "up"},
    )
    groups = {f"group-{number}": report for number in range(1000)}
    news = News(number=1, since=0, ground="g" * 16, groups=groups)
    frame = wire.encode(Envelope(sender="n1", boot_id="b", incarnation=1, seq=1, message=news))
    assert len(frame) < wire.FRAME_BYTES_MAX / 8


def test_an_annotation_outside_the_closed_set_is_our_bug() -> None:
    @dataclasses.dataclass
    class Odd:
        when: complex

    with pytest.raises(InvariantError, match="complex"):
        codec.encode(Odd(when=1j), Odd)


def test_small_messages_have_names_people_can_read_in_a_capture() -> None:
    look = Envelope(sender="n1", boot_id="b", incarnation=1, seq=1, message=Look(request="r", group="g"))
    report = Report(request="r", final=True, data={"ok": True})
    assert b'"type":"Look"' in wire.encode(look)
    assert b'"data":{"ok":true}' in wire.encode(dataclasses.replace(look, message=report))
