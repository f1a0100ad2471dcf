"""Kinds of audio files as mutagen reads them, each without the pictures in its tags."""

from __future__ import annotations

from collections.abc import Iterator
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, Final, Literal

from mutagen.aac import AAC
from mutagen.aiff import AIFF, AIFFInfo
from mutagen.asf import ASF
from mutagen.id3 import ID3
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Tags
from mutagen.musepack import Musepack
from mutagen.ogg import OggFileType
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE, WaveStreamInfo
from mutagen.wavpack import WavPack

from moodride.intake.texts import from_name
from moodride.intake.thin import ThinTag, thin_comments, thin_id3

__all__ = ["KINDS", "Wave"]

_ATOM_MAX: Final = 1 << 16
_CHUNKS_MAX: Final = 1000
_CHUNK_MAX: Final = 1 << 16
_FORM: Final = 12
"""Bytes before the first chunk of a RIFF or an IFF file."""

_ID3V1_AND_MORE: Final = 131
"""Bytes at the end of a file in which mutagen looks for ID3v1."""


class _ThinID3(ID3):
    """The tags of an MP3 file without pictures; ID3v1 at its end counts where ID3v2 is silent."""

    _whole = 0

    @property
    def size(self) -> int:
        """Bytes before the sound begins; while it loads, those that there are to load."""
        return self._whole or int(super().size)

    def load(self, filething: BinaryIO, **options: Any) -> None:  # noqa: ANN401 - mutagen's
        """Load from the parts of the file that are of use."""
        tag = thin_id3(filething)
        end = filething.seek(0, SEEK_END)
        filething.seek(max(end - _ID3V1_AND_MORE, 0))
        tail = filething.read(_ID3V1_AND_MORE)
        super().load(BytesIO((tag.data if tag else b"") + tail), **options)
        self._whole = tag.size if tag else 0


class Mp3(MP3):
    ID3 = _ThinID3


class Tta(TrueAudio):
    ID3 = _ThinID3


class _ThinMp4Tags(MP4Tags):
    """The tags of an MPEG-4 file without covers."""

    def load(self, atoms: Any, fileobj: BinaryIO) -> None:  # noqa: ANN401 - mutagen's
        """Load what is small."""
        ilst = atoms.path(b"moov", b"udta", b"meta", b"ilst")[-1]
        ilst.children = [
            atom for atom in ilst.children if atom.name != b"covr" and atom.length <= _ATOM_MAX
        ]
        super().load(atoms, fileobj)  # type: ignore[no-untyped-call]


class Mp4(MP4):
    MP4Tags = _ThinMp4Tags


class Wave(WAVE):
    """A WAV file, with the INFO list that mutagen leaves out."""

    def load(self, filething: BinaryIO, **_: Any) -> None:  # noqa: ANN401 - mutagen's
        """Load the format, the length and both kinds of tags."""
        self.info = WaveStreamInfo(filething)
        self.tags: Any = None
        self.chunks: dict[str, str] = {}
        for name, at, size in _chunks(filething, _FORM, order="little"):
            if name.lower() == b"id3 ":
                self.tags = _id3(thin_id3(filething, at))
            elif name == b"LIST" and _peek(filething, at, 4) == b"INFO":
                self.chunks.update(_info_list(filething, at, size))


class Aiff(AIFF):
    def load(self, filething: BinaryIO, **_: Any) -> None:  # noqa: ANN401 - mutagen's
        """Load the format, the length and the tags."""
        self.info = AIFFInfo(filething)
        self.tags: Any = None
        for name, at, _size in _chunks(filething, _FORM, order="big"):
            if name == b"ID3 ":
                self.tags = _id3(thin_id3(filething, at))


def _id3(tag: ThinTag | None) -> Any:  # noqa: ANN401 - mutagen's
    if tag is None:
        return None
    return ID3(BytesIO(tag.data), load_v1=False)  # type: ignore[no-untyped-call]


def _info_list(file: BinaryIO, at: int, size: int) -> Iterator[tuple[str, str]]:
    """Names and texts of a LIST chunk of the kind INFO (RIFF MCI, "INFO List Chunk")."""
    for name, begin, length in _chunks(file, at + 4, at + size, order="little"):
        text = _peek(file, begin, min(length, _CHUNK_MAX)).partition(b"\0")[0]
        yield name.decode("latin-1"), from_name(text)


def _chunks(
    file: BinaryIO, at: int, end: int | None = None, *, order: Literal["little", "big"]
) -> Iterator[tuple[bytes, int, int]]:
    """Name, begin and length of each chunk from there on; they begin at even places."""
    for _ in range(_CHUNKS_MAX):
        header = _peek(file, at, 8)
        if len(header) < 8 or (end is not None and at + 8 > end):  # noqa: PLR2004
            return
        size = int.from_bytes(header[4:], order)
        yield header[:4], at + 8, size
        at += 8 + size + size % 2


def _peek(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


class _FewComments:
    """Of Vorbis comments those that are short."""

    def load(self, fileobj: BinaryIO, errors: str = "replace", framing: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - mutagen's
        """Load what is of use; mutagen reads the rest of the file by itself."""
        thin = BytesIO(thin_comments(fileobj))
        super().load(thin, errors, framing=False)  # type: ignore[misc]


def _thin_ogg(kind: type[OggFileType]) -> type[OggFileType]:
    """Return a kind of Ogg file that knows few comments."""
    tags = type("Comments", (_FewComments, kind._Tags), {})  # noqa: SLF001 - where to hook in
    return type(kind.__name__, (kind,), {"_Tags": tags})


KINDS: Final = (
    Mp3,
    AAC,
    Aiff,
    ASF,
    MonkeysAudio,
    Mp4,
    Musepack,
    _thin_ogg(OggFLAC),
    _thin_ogg(OggOpus),
    _thin_ogg(OggSpeex),
    _thin_ogg(OggVorbis),
    Tta,
    WavPack,
    Wave,
)
"""For `mutagen.File`; FLAC is not among them, its head alone is given to mutagen. Where two kinds
are as likely, the one whose name comes later is taken: what a file holds before its suffix."""
