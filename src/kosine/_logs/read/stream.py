"""The lines of a file of any length, encoding and state: bounded memory, whatever it holds."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from kosine._logs.remark import Remark

LONGEST = 1 << 20
"""Bytes of a line; longer ones are left out, as no row of a log is as long."""


def unpacked(chunks: Iterator[bytes], remarks: list[Remark]) -> Iterator[bytes]:
    """The chunks, decompressed where they are gzip, a bounded number of bytes at a time."""
    first = next(chunks, b"")
    chunks = chain([first], chunks)
    if not first.startswith(b"\x1f\x8b"):
        yield from chunks
        return
    unpack = zlib.decompressobj(wbits=31)
    try:
        for data in chunks:
            while data:
                yield unpack.decompress(data, LONGEST)
                data = unpack.unconsumed_tail
                if unpack.eof and unpack.unused_data:  # a file of several parts, such as appended ones
                    data, unpack = unpack.unused_data, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        remarks.append(Remark("damaged", 1, f"The compressed file is damaged: {error}. What comes after it is lost."))
    else:
        if not unpack.eof:
            remarks.append(Remark("damaged", 1, "The compressed file ends too early."))


def encoding_of(head: bytes) -> str:
    """UTF-8, or what the mark at the beginning says (PowerShell writes UTF-16)."""
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def pieces(chunks: Iterable[bytes], remarks: list[Remark]) -> Iterator[bytes]:
    r"""The lines of a file as UTF-8, many at a time; each has \n at its end, the last one as well."""
    rest, dropping, long, zeros, first = b"", False, 0, 0, True
    decoder: codecs.IncrementalDecoder | None = None
    for part in chunks:
        if first and part:
            first = False
            if encoding_of(part) == "utf-16":
                decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
            part = part.removeprefix(codecs.BOM_UTF8)
        data = part if decoder is None else decoder.decode(part).encode("utf-8", "replace")
        if b"\0" in data:  # a machine that crashed leaves them
            zeros += data.count(b"\0")
            data = data.replace(b"\0", b"")
        if b"\r" in data:  # also the ends that progress bars write
            data = data.replace(b"\r", b"\n")
        if dropping:
            end = data.find(b"\n") + 1
            if not end:
                continue
            data, dropping = data[end:], False
        end = data.rfind(b"\n") + 1
        if end:
            yield rest + data[:end]
            rest = data[end:]
        else:
            rest += data
        if len(rest) > LONGEST:
            rest, dropping, long = b"", True, long + 1
    if rest:
        yield rest + b"\n"
    if long:
        remarks.append(Remark("long lines", long, f"Lines longer than {LONGEST:,} bytes are left out: {long:,}."))
    if zeros:
        remarks.append(Remark("zero bytes", zeros, f"There are {zeros:,} zero bytes in the file, which are left out."))


def decoded(some: bytes) -> list[str]:
    """The lines of a piece; what is not UTF-8 becomes a replacement character."""
    lines = some.decode("utf-8", "replace").split("\n")
    lines.pop()
    return lines
