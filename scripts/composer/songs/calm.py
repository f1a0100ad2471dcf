"""Calm: 60-76 beats a minute, soft attacks, open chords that do not press on."""

from __future__ import annotations

from composer.score import Part, Section, Song

__all__ = ["CALM"]

_STILL = Song(
    slug="calm-01-still-water",
    title="Still Water",
    artist="Northlight Ferry",
    album="Slow Water",
    genre="Ambient",
    mood="Calm",
    tonic="F",
    mode="lydian",
    tempo=62,
    seed=3101,
    slowing=0.1,
    energy=0.10,
    valence=0.42,
    danceability=0.20,
    acousticness=0.60,
    room_s=3.6,
    parts={
        "lead": Part(
            instrument="glass_bell", level=0, room=0.5, echo=0.3, low=65, high=84, tight=1.5
        ),
        "pad": Part(
            instrument="warm_pad",
            level=-1,
            room=0.35,
            low=50,
            high=69,
            tight=1.0,
            patterns={"": ("x---------------",)},
        ),
        "arp": Part(
            instrument="harp",
            level=-6,
            pan=-0.3,
            room=0.45,
            echo=0.2,
            low=60,
            high=79,
            loose_s=0.012,
            tight=2.0,
            patterns={"": ("0...1...2...3...", "0...2...1.......")},
        ),
        "bass": Part(instrument="sub_bass", level=-9, low=36, patterns={"": ("r-----------....",)}),
    },
    themes={"A": "5:2 r:1 3':1 | 2':3 r:1 | 5:2 r:1 1':1 | 7:3 r:1"},
    form=(
        Section(chords="Imaj7", play="pad", force=0.8),
        Section(chords="Imaj7 II Imaj7 vi7", play="lead:A pad bass", force=0.9),
        Section(chords="iii7 vi7 Imaj7 II", play="lead:A pad bass arp"),
        Section(chords="Imaj7", play="lead:A pad arp bass", force=0.8),
    ),
)

_LINEN = Song(
    slug="calm-02-linen",
    title="Linen",
    artist="Linden Court",
    album="Open Windows",
    genre="Neoclassical",
    mood="Calm",
    tonic="Db",
    mode="major",
    tempo=66,
    seed=3202,
    slowing=0.14,
    energy=0.14,
    valence=0.48,
    danceability=0.26,
    acousticness=0.96,
    room_s=2.6,
    parts={
        "lead": Part(
            instrument="felt_piano", level=0, pan=0.1, room=0.3, low=65, high=85, tight=1.4
        ),
        "comp": Part(
            instrument="felt_piano",
            level=-4,
            pan=-0.15,
            room=0.28,
            low=53,
            high=70,
            loose_s=0.012,
            tight=1.8,
            patterns={"": ("0-1-2-3-2-1-2-1-",), "still": ("0-1-2-3---------",)},
        ),
        "bass": Part(
            instrument="felt_piano",
            level=-7,
            pan=-0.2,
            room=0.25,
            low=37,
            tight=1.2,
            patterns={"": ("r---------------",)},
        ),
        "pad": Part(
            instrument="bowed",
            level=-10,
            room=0.4,
            low=56,
            high=75,
            size=3,
            tight=1.0,
            patterns={"": ("x---------------",)},
        ),
    },
    themes={
        "A": "5:1.5 3':.5 2':2 | 1':1.5 6:.5 5:2 | 3:1.5 5:.5 6:1 1':1 | 2':3 r:1",
        "B": "3':2 2':1 1':1 | 6:3 r:1",
    },
    form=(
        Section(chords="Iadd9", play="comp:still bass", force=0.8),
        Section(chords="Imaj9 IVmaj7 vi7 IVadd9", play="lead:A comp bass", force=0.9),
        Section(chords="ii7 IVmaj7 Iadd9 V7sus4", play="lead:B comp bass pad"),
        Section(chords="Imaj9 IVadd9", play="lead:A comp bass pad", force=0.85),
        Section(chords="Iadd9", play="lead comp:still bass pad", force=0.7),
    ),
)

_PLANE = Song(
    slug="calm-03-under-the-plane-trees",
    title="Under the Plane Trees",
    artist="Copper Lanes",
    album="Evening Lane",
    genre="Folk",
    mood="Calm",
    tonic="D",
    mode="major",
    tempo=72,
    seed=3303,
    slowing=0.1,
    energy=0.22,
    valence=0.58,
    danceability=0.36,
    acousticness=0.94,
    room_s=2.0,
    parts={
        "lead": Part(instrument="flute", level=0, pan=0.15, room=0.35, low=62, high=81),
        "comp": Part(
            instrument="nylon_guitar",
            level=-1,
            pan=-0.2,
            room=0.2,
            low=50,
            high=69,
            loose_s=0.009,
            tight=2.2,
            patterns={"": ("0.1.2.3.2.1.3.2.", "0.1.2.3.4.3.2.1.")},
        ),
        "bass": Part(
            instrument="upright_bass", level=-6, low=33, patterns={"": ("r---------5-----",)}
        ),
        "pad": Part(
            instrument="warm_pad",
            level=-11,
            room=0.4,
            low=54,
            high=72,
            patterns={"": ("x---------------",)},
        ),
    },
    themes={
        "A": "3:2 5:1 6:1 | 5:3 r:1 | 6:1.5 5:.5 3:1 2:1 | 3:3 r:1",
        "B": "1':2 7:1 6:1 | 5:2 6:1 5:1 | 4:1.5 3:.5 2:1 3:1 | 2:3 r:1",
    },
    form=(
        Section(chords="Iadd9", play="comp", force=0.85),
        Section(chords="Iadd9 Imaj7 IVmaj7 Iadd9", play="lead:A comp bass", force=0.92),
        Section(chords="vi7 iii7 IVmaj7 Vsus4,V", play="lead:B comp bass pad"),
        Section(chords="Iadd9 IVmaj7", play="lead:A comp bass pad", force=0.88),
        Section(chords="Iadd9", play="lead comp:end bass", force=0.75),
    ),
)

_ORBIT = Song(
    slug="calm-04-slow-orbit",
    title="Slow Orbit",
    artist="Velvet Signal Box",
    album="Blue Hours",
    genre="Downtempo",
    mood="Calm",
    tonic="Eb",
    mode="major",
    tempo=74,
    seed=3404,
    swing=0.57,
    swing_unit=0.5,
    slowing=0.05,
    energy=0.28,
    valence=0.55,
    danceability=0.52,
    acousticness=0.35,
    room_s=2.2,
    parts={
        "lead": Part(
            instrument="soft_lead", level=0, pan=0.1, room=0.35, echo=0.3, low=63, high=80
        ),
        "comp": Part(
            instrument="electric_piano",
            level=0,
            pan=-0.1,
            room=0.22,
            low=53,
            high=72,
            loose_s=0.01,
            strum_s=0.014,
            patterns={"": ("x-----------....", "x-------..o---..")},
        ),
        "pad": Part(
            instrument="warm_pad",
            level=-9,
            room=0.4,
            low=55,
            high=72,
            patterns={"": ("x---------------",)},
        ),
        "bass": Part(instrument="sub_bass", level=-6, low=34, patterns={"": ("r-----....r---5-",)}),
        "drums": Part(
            instrument="kit",
            level=-9,
            room=0.15,
            patterns={
                "": (
                    (
                        "soft=x.......o.x..... lofi=....o.......o... brush=x...o...x...o..."
                        " shaker=..o...o...o...o."
                    ),
                ),
                "light": ("brush=x...o...x...o...",),
            },
        ),
    },
    themes={
        "A": "r:1 5:1 3:1 2:1 | 3:3 r:1 | r:1 6:1 5:1 3:1 | 5:3 r:1",
        "B": "1':2 7:1 5:1 | 6:3 r:1",
    },
    form=(
        Section(chords="Imaj9 IVmaj9", play="comp drums:light", force=0.85),
        Section(chords="Imaj9 IVmaj9 Imaj9 IVmaj9", play="lead:A comp bass drums", force=0.95),
        Section(chords="ii9 V7sus4 iii7 vi9", play="lead:B comp bass drums pad"),
        Section(chords="Imaj9 IVmaj9", play="lead:A comp bass drums pad", force=0.9),
        Section(chords="Imaj9", play="lead comp:end bass pad", force=0.8),
    ),
)

_LANTERNS = Song(
    slug="calm-05-paper-lanterns",
    title="Paper Lanterns",
    artist="Tin Orchard",
    album="Night Garden",
    genre="World",
    mood="Calm",
    tonic="G",
    mode="major",
    tempo=68,
    meter=3,
    seed=3505,
    slowing=0.12,
    energy=0.18,
    valence=0.60,
    danceability=0.30,
    acousticness=0.90,
    room_s=2.8,
    parts={
        "lead": Part(
            instrument="kalimba", level=0, pan=0.1, room=0.4, echo=0.22, low=67, high=86, tight=1.4
        ),
        "comp": Part(
            instrument="harp",
            level=-3,
            pan=-0.3,
            room=0.35,
            low=52,
            high=71,
            loose_s=0.012,
            tight=2.0,
            patterns={"": ("0-1-2-3-2-1-",), "still": ("0---2---3---",)},
        ),
        "pad": Part(
            instrument="choir",
            level=-8,
            room=0.4,
            low=55,
            high=71,
            size=3,
            tight=1.0,
            patterns={"": ("x-----------",)},
        ),
        "bass": Part(instrument="upright_bass", level=-8, low=33, patterns={"": ("r-----------",)}),
    },
    themes={
        "A": "5:1 6:1 1':1 | 6:2 5:1 | 3:1 5:1 6:1 | 5:3",
        "B": "3':1 2':1 1':1 | 6:2 1':1 | 2':1 1':1 6:1 | 5:3",
    },
    form=(
        Section(chords="Iadd9 Iadd9", play="comp:still", force=0.8),
        Section(chords="Iadd9 IVmaj7 vi7 IVmaj7", play="lead:A comp bass", force=0.9),
        Section(chords="vi7 IVmaj7 ii7 Vsus4", play="lead:B comp bass pad"),
        Section(chords="Iadd9 IVmaj7", play="lead:A comp bass pad", force=0.9),
        Section(chords="vi7 IVmaj7", play="lead:A comp:still bass pad", force=0.8),
        Section(chords="Iadd9", play="lead comp:end bass pad", force=0.7),
    ),
)

CALM = (_STILL, _LINEN, _PLANE, _ORBIT, _LANTERNS)
