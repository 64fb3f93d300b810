"""The lab's SIP without a network: messages, digest, SDP."""

import pytest

from tests.lab import sip

INVITE = (
    b"INVITE sip:101@127.0.0.1:5 SIP/2.0\r\nv: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKa;rport\r\n"
    b'f: "A \\"B\\"" <sip:+7900@h>;tag=q1\r\nTo: <sip:101@h>\r\nCall-ID: c\r\n'
    b"CSeq: 7  INVITE\r\nX-Long: one\r\n two\r\nContent-Length: 2\r\n\r\nhi"
)


def test_parse_message() -> None:
    message = sip.parse(INVITE)
    assert (message.method, message.uri, message.cseq) == (
        "INVITE",
        "sip:101@127.0.0.1:5",
        (7, "INVITE"),
    )
    assert message.branch == "z9hG4bKa"
    caller = message.get("from")
    assert (sip.user_of(caller), sip.name_of(caller), sip.tag_of(caller)) == (
        "+7900",
        'A "B"',
        "q1",
    )
    assert message.get("x-long") == "one two"
    assert message.body == b"hi"
    answered = sip.parse(sip.response(message, 486, "mine"))
    assert (answered.status, answered.method, sip.tag_of(answered.get("to"))) == (
        486,
        "INVITE",
        "mine",
    )


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\x80\x08", INVITE.replace(b"7  INVITE", b"x"), INVITE[:40]]
)
def test_parse_refuses_what_is_not_sip(data: bytes) -> None:
    with pytest.raises(sip.SipError):
        sip.parse(data)


def test_digest_of_the_standard() -> None:
    """The example of RFC 2617, 3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    answered = sip.digest_authorization(
        challenge,
        "GET",
        "/dir/index.html",
        user="Mufasa",
        password="Circle Of Life",
        cnonce="0a4f113b",
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in answered
    with pytest.raises(sip.SipError):
        sip.digest_authorization("Basic realm=x", "GET", "/", user="a", password="b")


def test_sdp_round_trip() -> None:
    media = sip.Media("127.0.0.2", 4000, "sendonly", 96, (0, 8))
    assert sip.parse_sdp(sip.build_sdp(media, 1, 2)) == media
    assert sip.parse_sdp(b"v=0\r\n") is None
