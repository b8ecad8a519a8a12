"""What `import tokcodec` gives, and what it leaves for later."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tokcodec


def test_link_and_transport_come_when_they_are_asked_for():
    code = (
        "import sys, tokcodec; packages = {'tokcodec.link', 'tokcodec.transport'};"
        "assert not packages & set(sys.modules);"
        "assert {'link', 'transport'} <= set(dir(tokcodec));"
        "tokcodec.link.Receiver, tokcodec.transport.Address; assert packages <= set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_other_names_are_told_as_ever():
    with pytest.raises(AttributeError, match="module 'tokcodec' has no attribute 'lnik'"):
        tokcodec.lnik  # type: ignore[attr-defined]  # noqa: B018
    assert all(hasattr(tokcodec, name) for name in tokcodec.__all__)
