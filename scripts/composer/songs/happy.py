"""Happy: major keys, 96-116 beats a minute, light syncopation, bright plucked sounds."""

from __future__ import annotations

from composer.score import Part, Section, Song

__all__ = ["HAPPY"]

_LEMONADE = Song(
    slug="happy-01-lemonade-weather",
    title="Lemonade Weather",
    artist="Copper Lanes",
    album="Morning Lane",
    genre="Folk Pop",
    mood="Happy",
    tonic="G",
    mode="major",
    tempo=104,
    seed=1101,
    energy=0.62,
    valence=0.90,
    danceability=0.70,
    acousticness=0.72,
    room_s=1.3,
    parts={
        "lead": Part(instrument="whistle", level=-1.5, pan=0.05, room=0.28, low=67, high=86),
        "comp": Part(
            instrument="ukulele",
            level=-2.5,
            pan=-0.35,
            room=0.14,
            low=60,
            high=77,
            strum_s=0.013,
            patterns={
                "": ("X...x.xo..xox.xo",),
                "soft": ("x.......x...x...", "x.......x...x.x."),
            },
        ),
        "guitar": Part(
            instrument="nylon_guitar",
            level=-8,
            pan=0.4,
            room=0.15,
            low=50,
            high=67,
            patterns={"": ("0.2.1.3.0.2.3.1.",)},
        ),
        "bells": Part(
            instrument="glockenspiel",
            level=-9,
            pan=0.3,
            room=0.35,
            echo=0.12,
            low=79,
            high=93,
            size=3,
            patterns={"": ("0.....2.....1...", "2.....1...0.....")},
        ),
        "bass": Part(
            instrument="upright_bass",
            level=-4,
            room=0.05,
            low=31,
            patterns={"": ("r-----r.5---..5.", "r-----r.5---..n.")},
        ),
        "drums": Part(
            instrument="kit",
            level=-4,
            room=0.12,
            loose_s=0.004,
            patterns={
                "": (
                    "kick=x.......x.x..... hands=....x.......x... shaker=x.o.x.o.x.o.x.oo",
                    "kick=x.......x....... hands=....x.......x..o shaker=x.o.x.o.x.o.x.oo",
                ),
                "light": ("shaker=x.o.x.o.x.o.x.oo",),
                "fill": ("kick=x.......x....... hands=....x...x.x.x.xx shaker=x.o.x.o.x.o.x.oo",),
            },
        ),
    },
    themes={
        "A": (
            "5:.5 6:.5 5:.5 3:.5 1':1 5:1 | 5:.5 6:.5 5:.5 2:.5 7:2"
            " | 6:.5 7:.5 1':1 7:.5 6:.5 5:1 | 6:.5 5:.5 4:.5 3:.5 2:1 r:1"
        ),
        "B": "1':1.5 7:.5 6:1 5:1 | 7:1.5 6:.5 5:1 2:1 | 5:1 3:.5 5:.5 7:2 | 6:.5 7:.5 1':1 2':2",
        "end": "5:.5 6:.5 7:1 1':2 | 1':3 r:1",
    },
    form=(
        Section(chords="I V", play="comp:soft guitar drums:light", force=0.9),
        Section(chords="I V vi IV", play="lead:A comp bass drums:light guitar", force=0.95),
        Section(chords="I V vi IV,V", play="lead:A~ comp bass drums guitar bells", fill=True),
        Section(chords="IV V iii vi", play="lead:B comp bass drums guitar bells", force=1.05),
        Section(chords="I IV,V", play="lead:A comp bass drums guitar bells"),
        Section(chords="I", play="lead comp:end bass drums:end guitar:end"),
    ),
)

_BICYCLE = Song(
    slug="happy-02-bicycle-bells",
    title="Bicycle Bells",
    artist="Tin Orchard",
    album="Courtyard Sessions",
    genre="World",
    mood="Happy",
    tonic="C",
    mode="major",
    tempo=112,
    seed=1202,
    energy=0.66,
    valence=0.92,
    danceability=0.78,
    acousticness=0.80,
    room_s=1.1,
    parts={
        "lead": Part(instrument="marimba", level=0, pan=0.1, room=0.2, low=64, high=86),
        "comp": Part(
            instrument="nylon_guitar",
            level=-4,
            pan=-0.4,
            room=0.12,
            low=55,
            high=72,
            strum_s=0.009,
            patterns={"": ("..x.x..x..x.x.o.",), "soft": ("..x...x...x...o.",)},
        ),
        "arp": Part(
            instrument="kalimba",
            level=-6,
            pan=0.45,
            room=0.25,
            low=67,
            high=86,
            patterns={"": ("0.2.3.1.2.0.3.2.", "0.2.3.1.4.3.2.1.")},
        ),
        "bass": Part(
            instrument="upright_bass",
            level=-4,
            room=0.05,
            low=33,
            patterns={"": ("r--.5-.8..5-r-..", "r--.5-.8..5-n-..")},
        ),
        "drums": Part(
            instrument="kit",
            level=-4,
            room=0.12,
            loose_s=0.004,
            patterns={
                "": (
                    (
                        "soft=x.....x.x....... tap=....x..o....x.o. shaker=xoxoxoxoxoxoxoxo"
                        " rim=..x..x...x..x..."
                    ),
                ),
                "light": ("shaker=xoxoxoxoxoxoxoxo rim=..x..x...x..x...",),
                "fill": (
                    (
                        "soft=x.....x.x....... tap=....x..o........ hightom=........x.x....."
                        " midtom=............x.x. shaker=xoxoxoxoxoxoxoxo"
                    ),
                ),
            },
        ),
    },
    themes={
        "A": (
            "1':.5 r:.25 1':.25 6:.5 5:.5 3:.5 5:.5 r:1"
            " | 6:.5 r:.25 6:.25 5:.5 3:.5 2:.5 3:.5 r:1"
            " | 1':.5 r:.25 1':.25 2':.5 1':.5 6:.5 1':.5 r:1"
            " | 5:.5 6:.5 5:.5 3:.5 2:.5 1:1 r:.5"
        ),
        "B": "3':1 2':.5 1':.5 6:.75 1':.75 r:.5 | 2':1 1':.5 6:.5 5:.75 6:.75 r:.5",
    },
    form=(
        Section(chords="I IV", play="arp drums:light", force=0.85),
        Section(chords="I vi IV V", play="lead:A comp:soft bass arp drums:light", force=0.95),
        Section(chords="I vi IV V", play="lead:A~ comp bass arp drums", fill=True),
        Section(chords="IV V iii vi IV V", play="lead:B comp bass arp drums", fill=True),
        Section(chords="I IV", play="lead:A comp bass arp drums", force=1.05),
        Section(chords="I", play="lead comp:end bass arp:end drums:end"),
    ),
)

_CORNER = Song(
    slug="happy-03-saturday-on-the-corner",
    title="Saturday on the Corner",
    artist="Velvet Signal Box",
    album="Warm Circuits",
    genre="Soul",
    mood="Happy",
    tonic="F",
    mode="major",
    tempo=100,
    seed=1303,
    swing=0.57,
    swing_unit=0.5,
    energy=0.64,
    valence=0.86,
    danceability=0.82,
    acousticness=0.28,
    room_s=1.2,
    parts={
        "lead": Part(instrument="flute", level=0, pan=0.1, room=0.25, echo=0.12, low=67, high=86),
        "comp": Part(
            instrument="electric_piano",
            level=-3,
            pan=-0.15,
            room=0.14,
            low=55,
            high=74,
            patterns={
                "": ("x--.....x-.x..o.", "x--...x...x-..o."),
                "soft": ("x-------....x-..",),
            },
        ),
        "stabs": Part(
            instrument="organ",
            level=-9,
            pan=0.4,
            room=0.2,
            low=62,
            high=79,
            size=3,
            tight=0.6,
            patterns={"": ("......x-......x-", "......x-..x.....")},
        ),
        "bass": Part(
            instrument="electric_bass",
            level=-3,
            room=0.03,
            low=29,
            tight=0.85,
            patterns={"": ("R--r..8.r-.5..7.", "R--r..8.5-.5.n.n")},
        ),
        "drums": Part(
            instrument="kit",
            level=-2.5,
            room=0.10,
            loose_s=0.004,
            patterns={
                "": (
                    (
                        "kick=x..x..o...x..... snare=....X..o.o..X..o hat=x.xox.xox.xox.xo"
                        " tambourine=....x.......x..."
                    ),
                    (
                        "kick=x..x..o...x..o.. snare=....X..o.o..X... hat=x.xox.xox.xox..."
                        " open=..............x."
                    ),
                ),
                "light": ("hat=x.xox.xox.xox.xo rim=....x.......x...",),
                "fill": ("kick=x..x......x..... snare=....X..o..x.X.xx hat=x.xox.xo........",),
            },
        ),
    },
    themes={
        "A": (
            "r:.5 5:.5 6:.5 1':1 6:.5 5:.5 3:.5 | r:.5 5:.5 6:.5 1':.5 2':.5 1':1.5"
            " | r:.5 4:.5 6:.5 1':1 6:.5 5:.5 4:.5 | 2':.75 1':.75 6:.5 5:1 r:1"
        ),
        "B": "3':1.5 2':.5 1':1 r:1 | 2':1.5 1':.5 6:1 r:1",
    },
    form=(
        Section(chords="Imaj7 vi7", play="comp drums:light bass", force=0.9),
        Section(chords="Imaj7 vi7 ii7 V9", play="lead:A comp bass drums"),
        Section(chords="Imaj7 vi7 ii7 V9", play="lead:A~ comp bass drums stabs", fill=True),
        Section(chords="IVmaj7 iii7 ii7 V7sus4,V7", play="lead:B comp bass drums stabs", fill=True),
        Section(chords="ii7,V9 Imaj9", play="lead:A comp bass drums stabs", force=1.05),
        Section(chords="I6", play="lead comp:end bass drums:end"),
    ),
)

_TRAM = Song(
    slug="happy-04-tram-to-the-fair",
    title="Tram to the Fair",
    artist="Rivet Parade",
    album="Brass Buttons",
    genre="Indie Pop",
    mood="Happy",
    tonic="D",
    mode="major",
    tempo=116,
    seed=1404,
    swing=0.62,
    energy=0.74,
    valence=0.93,
    danceability=0.74,
    acousticness=0.45,
    room_s=1.2,
    parts={
        "lead": Part(instrument="organ", level=0, pan=0.1, room=0.2, low=66, high=84),
        "comp": Part(
            instrument="upright_piano",
            level=-3,
            pan=-0.3,
            room=0.14,
            low=55,
            high=74,
            tight=0.7,
            patterns={"": ("X.x.X.x.X.x.X.xo",), "soft": ("x...x...x...x...",)},
        ),
        "bells": Part(
            instrument="glockenspiel",
            level=-9,
            pan=0.45,
            room=0.3,
            low=78,
            high=92,
            size=3,
            patterns={"": ("0...1...2...1...",)},
        ),
        "bass": Part(
            instrument="electric_bass",
            level=-4,
            low=28,
            tight=0.8,
            patterns={"": ("r...r...5...5.n.", "r...3...5...n..."), "push": ("r.r.r.r.5.5.n.n.",)},
        ),
        "drums": Part(
            instrument="kit",
            level=-2.5,
            room=0.12,
            loose_s=0.004,
            patterns={
                "": ("kick=X.......X.x..... snare=....X.......X... tambourine=x.o.X.o.x.o.X.oo",),
                "light": ("kick=x.......x....... tambourine=..o.x.o...o.x.o.",),
                "fill": (
                    "kick=X.......X....... snare=....X.....x.X.XX tambourine=x.o.X.o.x.o.X.oo",
                ),
            },
        ),
    },
    themes={
        "A": (
            "5:1 5:.5 6:.5 5:1 3:1 | 5:1 5:.5 6:.5 7:1 5:1 | 1':1 1':.5 2':.5 1':1 6:1"
            " | 5:.5 6:.5 5:.5 4:.5 3:1 2:1"
        ),
        "B": "6:1 6:1 1':1.5 6:.5 | 5:1 5:1 7:1.5 5:.5 | 6:1 1':1 3':1 2':1 | 2':1 1':.5 7:.5 2':2",
    },
    form=(
        Section(chords="I V", play="comp:soft drums:light bass", force=0.9),
        Section(chords="I V IV I,V", play="lead:A comp:soft bass drums:light"),
        Section(chords="I V/3 vi IV,V", play="lead:A~ comp bass drums bells", fill=True),
        Section(chords="vi iii IV V", play="lead:B comp bass:push drums bells", fill=True),
        Section(chords="I V IV I,V", play="lead:A comp bass:push drums bells", force=1.05),
        Section(chords="I", play="lead comp:end bass drums:end bells:end"),
    ),
)

_POSTCARD = Song(
    slug="happy-05-postcard-from-sunday",
    title="Postcard from Sunday",
    artist="Copper Lanes",
    album="Morning Lane",
    genre="Country Folk",
    mood="Happy",
    tonic="A",
    mode="major",
    tempo=98,
    seed=1505,
    energy=0.55,
    valence=0.84,
    danceability=0.64,
    acousticness=0.86,
    room_s=1.3,
    parts={
        "lead": Part(instrument="flute", level=0, pan=-0.05, room=0.25, low=66, high=85),
        "comp": Part(
            instrument="steel_guitar",
            level=-4,
            pan=-0.4,
            room=0.12,
            low=50,
            high=69,
            strum_s=0.012,
            patterns={"": ("..x-..xo..x-..xo",), "soft": ("x-------x-------",)},
        ),
        "roll": Part(
            instrument="banjo",
            level=-7,
            pan=0.4,
            room=0.12,
            low=57,
            high=74,
            patterns={"": ("0213021302130213", "0213021304230213")},
        ),
        "bass": Part(
            instrument="upright_bass",
            level=-4,
            low=33,
            patterns={"": ("r---....5---....", "r---....5---..n.")},
        ),
        "drums": Part(
            instrument="kit",
            level=-7,
            room=0.12,
            patterns={
                "": ("soft=x.......x....... tap=o.o.x.o.o.o.x.oo",),
                "light": ("tap=..o.x.o...o.x.o.",),
                "fill": ("soft=x.......x....... tap=o.o.x.o.x.xox.xx",),
            },
        ),
    },
    themes={
        "A": (
            "3:1 5:.5 3:.5 1':1.5 6:.5 | 5:1 3:.5 5:.5 2:2 | 4:1 6:.5 4:.5 1':1.5 6:.5"
            " | 5:1 4:.5 3:.5 2:1 r:1"
        ),
        "B": "1':.5 2':.5 3':1 2':.5 1':.5 6:1 | 7:.5 1':.5 2':1 1':.5 7:.5 5:1",
    },
    form=(
        Section(chords="I IV", play="roll comp:soft", force=0.9),
        Section(chords="I V IV V", play="lead:A comp roll bass drums:light"),
        Section(chords="I V IV V", play="lead:A~ comp roll bass drums", fill=True),
        Section(chords="vi IV I V", play="lead:B comp roll bass drums", force=1.05, fill=True),
        Section(chords="I V", play="lead:A comp roll bass drums"),
        Section(chords="I", play="lead comp:end bass roll:end"),
    ),
)

HAPPY = (_LEMONADE, _BICYCLE, _CORNER, _TRAM, _POSTCARD)
