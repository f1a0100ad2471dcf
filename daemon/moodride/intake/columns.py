"""The columns of catalogues that others write, and which of ours each of them is. Pure.

Names are compared without case, spaces and signs. Sources of the names: the Kaggle table
data_moods.csv; Exportify in its two shapes (github.com/pavelkomarov/exportify,
``exportify.js``: ``Track URI`` or ``Spotify ID``, artists joined by ";" or ","; and
github.com/watsonbox/exportify, ``src/i18n/locales/*/translation.json``: ``Track URI``,
``Track Duration (ms)``, ``ISRC``, with a header in the language of its pages).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moodride.errors import CatalogueError
from moodride.library.catalogue import COLUMNS

__all__ = ["FEATURES", "Shape", "recognise", "spelt"]

FEATURES: Final = (
    *("danceability", "acousticness", "energy", "instrumentalness", "liveness", "valence"),
    *("loudness", "speechiness", "tempo", "key", "mode", "time_signature"),
)
"""Audio features as Spotify defined them; the names are those of data_moods.csv."""


_TRANSLATED: Final[Mapping[str, tuple[str, ...]]] = {
    "title": (
        *("Track-Name", "Nombre de la canción", "Nom du titre", "Nome della traccia"),
        *("Nummernaam", "Nome da faixa", "Låtens namn"),
    ),
    "artist": (
        *("Künstlername(n)", "Nombre(s) del artista", "Nom(s) de l'artiste", "Nome dell'artista"),
        *("Naam van artiest", "Nome(s) do artista", "Artistens namn"),
    ),
    "album": (
        *("Album-Name", "Nombre del álbum", "Nom de l'album", "Nome dell'album"),
        *("Naam van album", "Nome do álbum", "Albumets namn"),
    ),
    "id": (
        *("Track-URI", "URI de la canción", "URI du titre", "URI della traccia"),
        *("Nummer URI", "URI da faixa", "Låtens URI"),
    ),
    "length": (
        *("Track-Dauer (ms)", "Duración de la canción (ms)", "Durée du titre (ms)"),
        *("Durata della traccia (ms)", "Nummerduur (ms)", "Duração da faixa (ms)"),
        "Låtlängd (ms)",
    ),
    "release_date": (
        *("Veröffentlichungsdatum des Albums", "Fecha de lanzamiento del álbum"),
        *("Date de sortie de l'album", "Data di rilascio dell'album"),
        *("Releasedatum van het album", "Data de lançamento do álbum", "Albumets releasedatum"),
    ),
    "popularity": (
        *("Beliebtheit", "Popularidad", "Popularité", "Popolarità"),
        *("Populariteit", "Popularidade", "Popularitet"),
    ),
    "danceability": (
        *("Tanzbarkeit", "Bailabilidad", "Danseabilité", "Ballabilità"),
        *("Dansbaarheid", "Dançabilidade", "Dansbarhet"),
    ),
    "acousticness": ("Akustik", "Acústica", "Acoustique", "Acustica", "Akoestiek"),
    "energy": ("Energie", "Energía", "Énergie", "Energia", "Energi"),
    "instrumentalness": (
        *("Instrumentalität", "Instrumentalidad", "Instrumental", "Strumentalità"),
        *("Instrumentaliteit", "Instrumentalidade", "Instrumentalhet"),
    ),
    "liveness": (
        *("Lebendigkeit", "Vivacidad", "Vivacité", "Vivacità"),
        *("Levendigheid", "Vivacidade", "Livlighet"),
    ),
    "valence": ("Valenz", "Valencia", "Valenza", "Valentie", "Valência", "Valens"),
    "loudness": ("Lautstärke", "Volumen", "Volume sonore", "Volume", "Luidheid", "Ljudstyrka"),
    "speechiness": (
        *("Sprachanteil", "Hablado", "Parlabilité", "Linguaggio parlato"),
        *("Spraakzaamheid", "Oralidade", "Talighet"),
    ),
    "key": ("Tonart", "Tonalidad", "Tonalité", "Chiave", "Toonsoort", "Tonalidade"),
    "mode": ("Modus", "Modo", "Modalità", "Läge"),
    "time_signature": ("Taktart", "Compás", "Mesure", "Battuta", "Maatstreep", "Compasso"),
}
"""Names in de, es, fr, it, nl, pt and sv; a word that languages share stands there once."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("Track Name", "name", "title", "song", "track"),
    "artist": ("Artist Name(s)", "artist", "artists", "artist name"),
    "album": ("Album Name", "album"),
    "id": ("Track URI", "Spotify ID", "Spotify URI", "Track ID", "Spotify Track ID", "id"),
    "isrc": ("ISRC",),
    "recording_id": ("MusicBrainz Recording ID", "Recording ID", "MBID"),
    "length": ("Track Duration (ms)", "Duration (ms)", "length", "duration_ms", "length_ms"),
    "release_date": ("Album Release Date", "Release Date"),
    "popularity": ("popularity",),
    **{feature: (feature,) for feature in FEATURES},
    "mood": ("mood",),
    "path": ("path",),
}
"""What each of our columns is called elsewhere; of several in one table the first counts."""

_EXPORTIFY: Final = ("Track URI", "Track Name", "Artist Name(s)", "Album Name")
_PLAIN: Final = frozenset(("name", "title", "song", "track", "artist", "artists"))
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which columns a table has.

    Attributes:
        kind: "Moodride's own catalogue", "data_moods.csv", "Exportify" or "a list of songs".
        names: every column as the header has it.
        at: position of each of our columns that is there.
        exported: it is a streaming service's list, whose cells may be "undefined".
        notes: what is odd about it, in words.
    """

    kind: str
    names: tuple[str, ...]
    at: Mapping[str, int]
    exported: bool = False
    notes: tuple[str, ...] = ()

    def name(self, column: str) -> str:
        """Return what the table calls one of our columns."""
        return self.names[self.at[column]] if column in self.at else column


def spelt(name: str) -> str:
    """Return the name of a column without case, spaces and signs."""
    return "".join(c for c in name.casefold() if c.isalnum())


_OURS: Final = {
    spelt(name): (column, rank)
    for column, names in _NAMES.items()
    for rank, name in enumerate((*names, *_TRANSLATED.get(column, ())))
}


def recognise(header: Sequence[str], *, where: str) -> Shape:
    """Find our columns in a header.

    Args:
        header: the cells of the first row.
        where: file and line, for messages.

    Raises:
        CatalogueError: title or artist is missing, or a column is there twice.
    """
    names = tuple(" ".join(name.split()) for name in header)
    found: dict[str, tuple[int, int]] = {}
    for position, name in enumerate(names):
        column, rank = _OURS.get(spelt(name), ("", 0))
        if column and column in found and found[column][0] == rank:
            what = f'the column "{name}" stands there twice'
            raise CatalogueError(what, where=where, remedy="keep one of them")
        if column and (column not in found or rank < found[column][0]):
            found[column] = (rank, position)
    at = {column: position for column, (_, position) in found.items()}
    missing = [column for column in ("title", "artist") if column not in at]
    if missing:
        raise _unknown(names, at, missing, where)
    exported = not {spelt(names[at[column]]) for column in ("title", "artist")} & _PLAIN
    kind = "Exportify" if exported else "a list of songs"
    if "mood" in at:
        kind = "Moodride's own catalogue" if "path" in at else "data_moods.csv"
    notes = tuple(_notes(names, at))
    return Shape(kind=kind, names=names, at=at, exported=exported, notes=notes)


def _notes(names: Sequence[str], at: Mapping[str, int]) -> list[str]:
    """Say what the owner may not expect."""
    notes = []
    near = [(n, difflib.get_close_matches(spelt(n), _OURS, n=1, cutoff=0.8)) for n in names]
    for name, close in near:
        if close and spelt(name) not in _OURS and _OURS[close[0]][0] not in at:
            column = _NAMES[_OURS[close[0]][0]][0]
            notes.append(f'the column "{name[:40]}" is not known: did you mean "{column}"?')
    if "mood" not in at:
        known = {"valence", "energy"} <= at.keys()
        notes.append(
            "there is no column of moods: they come from the audio features"
            if known
            else "there are neither moods nor audio features: its songs say nothing of moods"
        )
    return notes


def _unknown(
    names: Sequence[str], at: Mapping[str, int], missing: Sequence[str], where: str
) -> CatalogueError:
    """The error of a table that is none of ours, with what the nearest shape lacks."""
    theirs = {spelt(name) for name in names}
    shapes = {"data_moods.csv": COLUMNS[:-1], "Exportify": _EXPORTIFY}
    kind = max(shapes, key=lambda kind: len(theirs.intersection(map(spelt, shapes[kind]))))
    lacks = [name for name in shapes[kind] if spelt(name) not in theirs]
    alike = len(lacks) < len(shapes[kind])
    asked = [name for name in lacks if _OURS[spelt(name)][0] in missing] or list(missing)
    has = ", ".join(name[:40] or '""' for name in names[:_SHOWN]) or "nothing"
    of = f" of {kind}" if alike and at else ""
    what = f"the column{'s' * (len(asked) > 1)} {' and '.join(asked)}{of} {_are(asked)} missing"
    more = ", ..." if len(names) > _SHOWN else ""
    remedy = (
        f"its header has {has}{more}; known are data_moods.csv ({', '.join(COLUMNS[:-1])}),"
        " Moodride's own catalogue (the same and path) and Exportify"
        f" ({', '.join(_EXPORTIFY)}, Duration (ms) and, where there are, audio features)"
    )
    return CatalogueError(what, where=where, remedy=remedy)


def _are(names: Sequence[str]) -> str:
    return "are" if len(names) > 1 else "is"
