"""Songs, and the files of a stick that spell them in other ways, or are something else."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from moodride.intake.matching import File
from moodride.library.records import Song, Tags

__all__ = ["Stick", "invented_songs", "stick_of"]


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Silver Broken Midnight Golden Paper Electric Northern Velvet Crooked Burning Quiet Hollow "
    "Scarlet Frozen Distant Lonely Marble Wooden Neon Sleeping"
)
_SECOND = _words(
    "River Train Window Garden Engine Mirror Harbour Letter Orchard Lantern Bridge Feather "
    "Machine Island Compass Shadow Thunder Carousel Kitchen Balcony"
)
_VERBS = _words("Leaving Finding Losing Holding Chasing Dreaming Waiting Falling Calling Breaking")
_TAILS = ("Tonight", "of Mine", "Again", "in the Rain", "for You", "Don't Stop", "Goin' On")
_PEOPLE = _words(
    "Ana Björk Léa João Mira Otto Zoë Søren Iva Tomás Nadia Émile Rúna Karl Ines Jürgen"
)
_FAMILY = _words(
    "Halloran Köhler Duarte Lindqvist Marchetti Okafor Petrović Quintero Vasquez Ødegård"
)
_OTHER_SCRIPTS = (
    ("Последний трамвай", "Весенний Оркестр", "Poslednij tramvaj", "Vesennij Orkestr"),
    ("Белые ночи города", "Анна Соколова", "Belye nochi goroda", "Anna Sokolova"),
    ("Καλοκαίρι", "Νίκος Ανδρέου", "Kalokairi", "Nikos Andreou"),
)


@dataclass(frozen=True, slots=True)
class Stick:
    """A stick's files, and which song each is; None: none of them."""

    files: tuple[File, ...]
    truth: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _As:
    """How one file names a song."""

    title: str
    artist: str
    length_s: float | None
    track: int | None = None
    in_name: bool = False


def invented_songs(many: int, seed: int = 1) -> list[Song]:
    """Songs with titles and artists of every kind that one meets."""
    draw = random.Random(seed)
    songs: dict[tuple[str, str], Song] = {}
    while len(songs) < many:
        title, artist = _invented_title(draw), _invented_artist(draw)
        songs[title, artist] = _song(len(songs), title, artist, draw)
    spelt = [_song(many + n, one[0], one[1], draw) for n, one in enumerate(_OTHER_SCRIPTS)]
    return [*songs.values(), *spelt]


def _song(number: int, title: str, artist: str, draw: random.Random) -> Song:
    return Song(
        song_id=f"song-{number}", title=title, artist=artist, length_s=draw.uniform(120, 420)
    )


def _invented_title(draw: random.Random) -> str:
    first, second = draw.choice(_FIRST), draw.choice(_SECOND)
    base = draw.choice(
        [
            f"{first} {second}",
            f"{draw.choice(_VERBS)} {draw.choice(_TAILS)}",
            f"The {second}",
            f"{draw.choice(_VERBS)} the {first} {second}",
            f"{second} (I Won't Be {first})",
            f"{first} {second}, Pt. {draw.choice(['1', '2', 'III', 'Two'])}",
            f"{draw.randint(2, 99)} {second}s",
            f"{second}",
        ]
    )
    return base + draw.choice(
        [
            *[""] * 8,
            " - Remastered 2009",
            " (feat. Léa Duarte)",
            " - Radio Edit",
            " - Acoustic",
            f" - {draw.choice(_FAMILY)} Remix",
            " - Live",
        ]
    )


def _invented_artist(draw: random.Random) -> str:
    one, other = (f"{draw.choice(_PEOPLE)} {draw.choice(_FAMILY)}" for _ in range(2))
    return draw.choice(
        [
            *(one, other),
            f"The {draw.choice(_FIRST)} {draw.choice(_SECOND)}s",
            f"{draw.choice(_FIRST)} {draw.choice(_SECOND)}",
            f"{draw.choice(_SECOND)} & {draw.choice(_SECOND)}s",
            f"{one}; {other}",
            f"{draw.choice(_SECOND)}{draw.randint(2, 99)}",
        ]
    )


def stick_of(songs: Sequence[Song], *, seed: int = 1, share: float = 0.7) -> Stick:
    """A stick with a share of the songs, spelt in some other way, and with what only looks so."""
    draw = random.Random(seed)
    files: list[File] = []
    truth: dict[str, str | None] = {}

    def add(one: _As, song_id: str | None) -> None:
        track = f"{len(files):032x}"
        files.append(_file(track, one))
        truth[track] = song_id

    for song in songs:
        if draw.random() < share:
            for one in _spelt(song, draw):
                add(one, song.song_id)
        for one in _others(song, songs, draw):
            add(one, None)
    taken = {(_bare(s.title), _bare(s.artist)) for s in songs}
    for file in files:  # what was made by chance to be another song of the list is that song
        named = (_bare(file.tags.title), _bare(file.tags.artist))
        if truth[file.track_id] is None and named in taken:
            truth[file.track_id] = "?"
    return Stick(tuple(files), truth)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKD", _NO_MATTER.sub("", text).casefold())
    return re.sub(r"^the|[^0-9a-z]", "", plain)


def _file(track: str, one: _As) -> File:
    if one.in_name:
        number = f"{one.track:02d} - " if one.track else ""
        name = f"{number}{one.artist} - {one.title}".replace("/", "_")
        return File(track_id=track, path=f"/m/{name}.mp3", tags=Tags(length_s=one.length_s))
    tags = Tags(title=one.title, artist=one.artist, length_s=one.length_s, track_number=one.track)
    return File(track_id=track, path=f"/m/{track}.mp3", tags=tags)


def _length(song: Song, draw: random.Random) -> float | None:
    """A rip of the same recording: a few seconds of silence more or less, or not known."""
    if song.length_s is None or draw.random() < 0.12:
        return None
    return song.length_s + draw.uniform(-2.5, 2.5) * (4 if draw.random() < 0.08 else 1)


def _spelt(song: Song, draw: random.Random) -> Iterator[_As]:
    """One or two files of a song, each disturbed in one or two ways."""
    for _ in range(2 if draw.random() < 0.2 else 1):
        one = _As(song.title, song.artist, _length(song, draw))
        for way in draw.sample(_WAYS, draw.choice([1, 1, 2])):
            one = way(one, draw)
        yield one


def _with(one: _As, **changed: object) -> _As:
    values = {name: getattr(one, name) for name in _As.__slots__}
    return _As(**{**values, **changed})  # type: ignore[arg-type]


def _same(one: _As, _: random.Random) -> _As:
    return one


def _case(one: _As, draw: random.Random) -> _As:
    change: Callable[[str], str] = draw.choice([str.upper, str.lower, str.title])
    return _with(one, title=change(one.title), artist=change(one.artist))


def _accents(one: _As, draw: random.Random) -> _As:
    def plain(text: str) -> str:
        apart = unicodedata.normalize("NFD", text)
        if draw.random() < 0.4:
            return apart
        return "".join(c for c in apart if not unicodedata.combining(c))

    return _with(one, title=plain(one.title), artist=plain(one.artist))


def _quotes(one: _As, _: random.Random) -> _As:
    title = one.title.replace("'", "\u2019").replace(" - ", " \u2013 ")
    return _with(one, title=title, artist=one.artist.replace("'", "\u2019"))


def _signs(one: _As, _: random.Random) -> _As:
    return _with(one, title=re.sub(r"[,.!?'\u2019:]", "", one.title))


def _guest(one: _As, draw: random.Random) -> _As:
    guest = f"{draw.choice(_PEOPLE)} {draw.choice(_FAMILY)}"
    joint = draw.choice([" feat. ", " ft. ", " featuring ", "; ", " with ", " & ", ", "])
    if draw.random() < 0.5:
        return _with(one, artist=f"{one.artist}{joint}{guest}")
    return _with(
        one,
        title=f"{one.title} {draw.choice(['(feat. {})', '[ft. {}]', 'feat. {}'])}".format(guest),
    )


def _no_guest(one: _As, _: random.Random) -> _As:
    return _with(one, title=re.sub(r"\s*\((?:feat|ft|with)[^)]*\)", "", one.title))


def _remaster(one: _As, draw: random.Random) -> _As:
    year = draw.randint(1998, 2022)
    tail = draw.choice(
        [
            *(
                f" - Remastered {year}",
                f" ({year} Remaster)",
                " [Remastered]",
                f" - {year} Remaster",
            ),
            *(" (Remastered Version)", f" (Digitally Remastered {year})", " Remastered"),
        ]
    )
    return _with(one, title=one.title + tail)


def _label(one: _As, draw: random.Random) -> _As:
    tail = draw.choice(
        [
            *(" [Explicit]", " (Deluxe Edition)", " (Album Version)", " - Single Version"),
            *(" (Bonus Track)", " (Radio Edit)", " (Official Audio)", " - Mono", " (Original Mix)"),
        ]
    )
    return _with(one, title=one.title + tail)


def _no_label(one: _As, _: random.Random) -> _As:
    return _with(one, title=re.sub(r" - (?:Remastered|Radio|Single|\d{4}).*$", "", one.title))


def _article(one: _As, draw: random.Random) -> _As:
    if one.artist.startswith("The "):
        name = one.artist[4:]
        return _with(one, artist=name if draw.random() < 0.5 else f"{name}, The")
    return _with(one, artist=f"The {one.artist}")


def _joint(one: _As, draw: random.Random) -> _As:
    joint = draw.choice([" & ", " and ", " + ", ", ", "; ", " / ", "/"])
    return _with(one, artist=re.sub(r" & |; ", joint, one.artist))


def _order(one: _As, draw: random.Random) -> _As:
    names = re.split(r" & |; ", one.artist)
    draw.shuffle(names)
    return _with(one, artist=draw.choice(["; ", " & ", ", "]).join(names))


def _numeral(one: _As, draw: random.Random) -> _As:
    def part(match: re.Match[str]) -> str:
        number = {"1": 1, "2": 2, "III": 3, "Two": 2, "II": 2}.get(match[1], 0)
        words = [(str(number), ("", "I", "II", "III")[number], ("", "One", "Two", "Three")[number])]
        return (
            f"{draw.choice(['Part', 'Pt.', 'pt'])} {draw.choice(words[0])}" if number else match[0]
        )

    return _with(one, title=re.sub(r"(?:Pt\.|Part) (\w+)", part, one.title))


def _slip(one: _As, draw: random.Random) -> _As:
    """A slip of the finger in a name that is long enough to stay itself."""

    def slip(text: str) -> str:
        letters = [
            n for n in range(1, len(text) - 1) if text[n].isalpha() and text[n + 1].isalpha()
        ]
        if len(text) < 9 or not letters:
            return text
        at = draw.choice(letters)
        return draw.choice(
            [
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            ]
        )

    if draw.random() < 0.6:
        return _with(one, title=slip(one.title))
    return _with(one, artist=slip(one.artist))


def _bracketed(one: _As, draw: random.Random) -> _As:
    """What stands after a dash stands in brackets."""
    first, dash, rest = one.title.rpartition(" - ")
    form = draw.choice(["{} ({})", "{} [{}]"])
    return one if not dash or first == one.artist else _with(one, title=form.format(first, rest))


def _named(one: _As, draw: random.Random) -> _As:
    """No tags: the file's name is all there is."""
    length_s = one.length_s or 0.0
    if not length_s:
        return one
    return _with(one, in_name=True, track=draw.choice([None, 3, 12]))


def _numbered(one: _As, draw: random.Random) -> _As:
    number = draw.randint(1, 19)
    return _with(one, title=f"{number:02d} {one.title}", track=number)


def _artist_too(one: _As, _: random.Random) -> _As:
    return _with(one, title=f"{one.artist} - {one.title}")


def _latin(one: _As, _: random.Random) -> _As:
    for title, artist, latin, name in _OTHER_SCRIPTS:
        if (one.title, one.artist) == (title, artist):
            return _with(one, title=latin, artist=name)
    return one


_WAYS: list[Callable[[_As, random.Random], _As]] = [
    *(_same, _case, _accents, _quotes, _signs, _guest, _no_guest, _remaster, _label, _no_label),
    *(_article, _joint, _order, _numeral, _slip, _bracketed, _named, _numbered, _artist_too),
    _latin,
]

_NO_MATTER = re.compile(
    r"\s*(?:\((?:feat|ft|with|W/)[^)]*\)"
    r"|(?:- |\()(?:Remastered|\d{4} Re|\d{4} Mix|Radio Edit|Single).*$)"
)
_RECORDING = re.compile(
    r"(?: - | \()(?:(?! - ).)*?\b(?:Live|Acoustic|Remix|Karaoke|Piano|Mix|Edit|Version|Rework"
    r"|Recorded|Revisited|Soundtrack|Duet)\b.*$"
)


def _others(song: Song, songs: Sequence[Song], draw: random.Random) -> Iterator[_As]:
    """Files that only look like the song."""
    length_s = song.length_s or 200.0
    title = _NO_MATTER.sub("", song.title)
    base = _RECORDING.sub("", title)
    near = length_s + draw.uniform(-12, 12)
    if base == title:
        for tail in draw.sample(_KINDS, 3):
            yield _As(base + tail.format(draw.choice(_FAMILY)), song.artist, near)
        yield _As(f"{base} (Karaoke Version)", "Karaoke Hits Band", near)
    else:
        yield _As(base, song.artist, near)
        yield _As(f"{base} - {draw.choice(_PEOPLE)}s Remix", song.artist, near)
    yield _As(song.title, f"{draw.choice(_PEOPLE)} {draw.choice(_FIRST)}son", near)
    yield _As(song.title, song.artist, length_s + draw.choice([-1, 1]) * draw.uniform(70, 110))
    yield _As(song.title, song.artist, length_s + draw.uniform(20, 50))
    yield _As(_renumbered(base, draw), song.artist, near)
    other = draw.choice(songs)
    if _people(other).isdisjoint(_people(song)):
        yield _As(other.title, song.artist, other.length_s)
    words = base.split()
    if len(words) > 1:
        at = draw.randrange(len(words))
        strange = [word for word in _SECOND if word[:3] != words[at][:3]]
        words[at] = draw.choice(strange)
        yield _As(" ".join(words), song.artist, near)


def _people(song: Song) -> set[str]:
    """Everybody who performs a song."""
    return set(re.split(r"; |feat\. |\)", f"{song.artist}; {song.title}"))


_KINDS = [
    *(" - Live", " (Live at the Old Mill)", " (Live)", " - Acoustic", " (Acoustic Version)"),
    *(" ({} Remix)", " - {} Remix", " - {} Club Mix", " (Instrumental)", " - Instrumental"),
    *(" (Karaoke Version)", " - Demo", " (Piano Version)", " - Orchestral Version", " (Sped Up)"),
    *(" ({} Cover)", " - Live 2003", " (Unplugged)", " - Extended Mix"),
]


def _renumbered(title: str, draw: random.Random) -> str:
    """Another part of the same."""
    number = re.search(r"\d+", title)
    if number is None:
        return f"{title}, Pt. {draw.choice(['4', '5', 'IV'])}"
    return title[: number.start()] + str(int(number[0]) + 1) + title[number.end() :]
