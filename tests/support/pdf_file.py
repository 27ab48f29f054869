"""Writes small PDF files: one line of text a page."""

import io

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

FONT = DictionaryObject(
    {
        NameObject("/Type"): NameObject("/Font"),
        NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica"),
    }
)
MAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
1 begincodespacerange <00> <FF> endcodespacerange
{count} beginbfchar {pairs} endbfchar
endcmap end end"""


def pdf(*pages: str, password: str | None = None, read_as: dict[str, str] | None = None) -> bytes:
    """Write pages; `read_as` says for characters which UTF-16 (hex) the font claims they are."""
    writer = PdfWriter()
    font = DictionaryObject(FONT)
    if read_as is not None:
        pairs = " ".join(f"<{ord(shown):02X}> <{said}>" for shown, said in read_as.items())
        claimed = DecodedStreamObject()
        claimed.set_data(MAP.format(count=len(read_as), pairs=pairs).encode())
        font[NameObject("/ToUnicode")] = writer._add_object(claimed)
    for text in pages:
        page = writer.add_blank_page(300, 300)
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/Contents")] = writer._add_object(content)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()
