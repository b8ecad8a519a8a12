"""A Markdown document and a block of generated text to the document with the block between its
markers; what people wrote around it stays.
"""

from __future__ import annotations

import re
from pathlib import Path

from tokcodec.errors import InputError
from tokcodec.files import write_atomically


def with_block(text: str, name: str, block: str) -> str:
    """`text` with `block` between `<!-- NAME begin -->` and `<!-- NAME end -->`; at the end, where
    the markers are missing.

    Raises:
        InputError: one marker without the other, or one twice.
    """
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    whole = f"{begin}\n\n{block.strip()}\n\n{end}"
    if begin not in text and end not in text:
        return f"{text.rstrip()}\n\n{whole}\n" if text.strip() else f"{whole}\n"
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if text.count(begin) != 1 or text.count(end) != 1 or not between.search(text):
        raise InputError(f'wanted one "{begin}" with one "{end}" after it')
    return between.sub(lambda _: whole, text)


def update(path: Path, blocks: dict[str, str]) -> None:
    """Put blocks by marker name into a document, which is made if it is not there.

    Raises:
        InputError: it cannot be read, or its markers are no pairs.
        OutputError: it cannot be written.
    """
    try:
        text = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as e:
        raise InputError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e
    for name, block in blocks.items():
        try:
            text = with_block(text, name, block)
        except InputError as e:
            raise InputError(f"{path}: {e}") from None
    write_atomically(path, text.encode(), overwrite=True)
