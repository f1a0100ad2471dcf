"""Energetic: 122-132 beats a minute, driving drums, bright stacked synths and guitars."""

from __future__ import annotations

from composer.score import Part, Section, Song

__all__ = ["ENERGETIC"]

_HIT = ("crash=X...", *("crash=....",) * 7)
_RISE = ("riser=....", "riser=....", "riser=X...", "riser=....")

_GREEN = Song(
    slug="energetic-01-green-wave",
    title="Green Wave",
    artist="Overpass Eleven",
    album="Night Lanes",
    genre="House",
    mood="Energetic",
    tonic="A",
    mode="minor",
    tempo=124,
    seed=4101,
    energy=0.88,
    valence=0.66,
    danceability=0.86,
    acousticness=0.02,
    room_s=1.5,
    parts={
        "lead": Part(
            instrument="lead_synth", level=-1, room=0.2, echo=0.2, low=64, high=84, duck=0.25
        ),
        "comp": Part(
            instrument="saw_stack",
            level=-3,
            room=0.2,
            low=57,
            high=76,
            tight=0.75,
            duck=0.65,
            patterns={"": ("x..x..x.x..x..x.",), "long": ("x---------------",)},
        ),
        "arp": Part(
            instrument="pluck_synth",
            level=-5,
            pan=0.1,
            room=0.2,
            echo=0.25,
            low=64,
            high=83,
            duck=0.4,
            patterns={"": ("0213021302130213", "0213021304230213")},
            loose_s=0.001,
        ),
        "bass": Part(
            instrument="synth_bass",
            level=-3,
            low=33,
            tight=0.8,
            duck=0.55,
            loose_s=0.001,
            patterns={"": ("..r-..r-..r-..r8",), "long": ("r---------------",)},
        ),
        "drums": Part(
            instrument="kit",
            level=0,
            room=0.05,
            loose_s=0.001,
            patterns={
                "": (
                    (
                        "kick=X...X...X...X... clap=....X.......X... open=..x...x...x...x."
                        " hat=x.oox.oox.oox.oo"
                    ),
                ),
                "pulse": ("kick=X...X...X...X... hat=..x...x...x...x.",),
                "break": ("clap=....x.......x... hat=x.o.x.o.x.o.x.o.",),
                "fill": ("kick=X...X...X....... clap=....X...x.x.xxxx open=..x...x.........",),
            },
        ),
        "fx": Part(
            instrument="kit",
            level=-9,
            room=0.3,
            patterns={"hit": _HIT, "rise": _RISE},
        ),
    },
    themes={
        "A": (
            "5:.75 5:.75 7:.5 5:1 3:1 | 4:.75 4:.75 5:.5 3:2"
            " | 5:.75 5:.75 7:.5 1':1 7:1 | 5:.75 4:.75 3:.5 4:1 2:1"
        ),
    },
    form=(
        Section(chords="i VI", play="drums:pulse arp bass", force=0.9),
        Section(chords="i VI III VII", play="drums arp bass comp:long fx:rise", fill=True),
        Section(chords="i VI III VII", play="lead:A drums arp bass comp fx:hit", force=1.05),
        Section(chords="i VI III VII", play="lead:A~ drums arp bass comp", force=1.05, fill=True),
        Section(chords="iv VI", play="drums:break comp:long arp bass:long", force=0.9),
        Section(chords="III VII", play="lead:A drums arp bass comp fx:hit", force=1.05),
        Section(chords="i VI", play="lead:A drums arp bass comp"),
        Section(chords="i", play="comp:end bass drums:end arp:end"),
    ),
)

_SIX = Song(
    slug="energetic-02-six-lanes-wide",
    title="Six Lanes Wide",
    artist="Neon Granary",
    album="Chrome Fields",
    genre="Synthwave",
    mood="Energetic",
    tonic="F",
    mode="major",
    tempo=122,
    seed=4202,
    energy=0.84,
    valence=0.72,
    danceability=0.74,
    acousticness=0.02,
    room_s=1.8,
    parts={
        "lead": Part(
            instrument="lead_synth", level=-0.5, room=0.25, echo=0.2, low=65, high=84, duck=0.15
        ),
        "comp": Part(
            instrument="saw_stack",
            level=-5,
            room=0.25,
            low=55,
            high=74,
            duck=0.35,
            patterns={"": ("x-----x---------", "x-----x-----x---")},
        ),
        "arp": Part(
            instrument="pluck_synth",
            level=-6,
            pan=-0.2,
            room=0.2,
            echo=0.2,
            low=65,
            high=84,
            duck=0.2,
            loose_s=0.001,
            patterns={"": ("0123432101234321",)},
        ),
        "bass": Part(
            instrument="synth_bass",
            level=-2,
            low=29,
            tight=0.75,
            duck=0.35,
            loose_s=0.001,
            patterns={"": ("R.rrr.rrR.rrr.r8",), "eight": ("R.r.r.r.R.r.r.8.",)},
        ),
        "drums": Part(
            instrument="kit",
            level=0,
            room=0.12,
            loose_s=0.001,
            patterns={
                "": ("kick=X...x...X..xx... gated=....X.......X... hat=x.xox.xox.xox.xo",),
                "pulse": ("kick=X...X...X...X... hat=x.o.x.o.x.o.x.o.",),
                "fill": (
                    (
                        "kick=X...X...X...X... gated=....X.......X... hightom=......x.x......."
                        " midtom=.........xx..... lowtom=............x.xx"
                    ),
                ),
            },
        ),
        "fx": Part(instrument="kit", level=-9, room=0.3, patterns={"hit": _HIT, "rise": _RISE}),
    },
    themes={
        "A": "5:1.5 6:.5 1':1 5:1 | 6:1.5 5:.5 3:2 | 4:1.5 5:.5 6:1 1':1 | 2':1 1':.5 7:.5 5:2",
        "B": "3':1.5 2':.5 1':1 6:1 | 2':1.5 1':.5 7:1 5:1",
    },
    form=(
        Section(chords="vi IV", play="arp drums:pulse bass:eight", force=0.9),
        Section(chords="vi IV I V", play="arp drums:pulse bass comp fx:rise", fill=True),
        Section(chords="I vi IV V", play="lead:A drums bass comp arp fx:hit", force=1.05),
        Section(chords="I vi IV V", play="lead:A~ drums bass comp arp", force=1.05, fill=True),
        Section(chords="IV V vi I/3", play="lead:B drums bass comp arp fx:hit", fill=True),
        Section(chords="IV V", play="lead:B drums bass comp arp"),
        Section(chords="I", play="lead comp:end bass drums:end arp:end"),
    ),
)

_TURBINE = Song(
    slug="energetic-03-turbine-hall",
    title="Turbine Hall",
    artist="Overpass Eleven",
    album="Night Lanes",
    genre="Techno",
    mood="Energetic",
    tonic="E",
    mode="dorian",
    tempo=130,
    seed=4303,
    energy=0.93,
    valence=0.52,
    danceability=0.82,
    acousticness=0.01,
    room_s=1.6,
    parts={
        "lead": Part(
            instrument="pluck_synth", level=-1, room=0.25, echo=0.3, low=64, high=83, duck=0.3
        ),
        "comp": Part(
            instrument="saw_stack",
            level=-5,
            room=0.25,
            low=57,
            high=74,
            tight=0.6,
            duck=0.6,
            patterns={"": ("..x..x....x..x..",), "long": ("x---------------",)},
        ),
        "bass": Part(
            instrument="acid_bass",
            level=-2,
            low=28,
            tight=0.8,
            duck=0.4,
            loose_s=0.001,
            patterns={"": ("r.rrR.r8r.rrR.7r", "r.rrR.r8r.5rR.78")},
        ),
        "drums": Part(
            instrument="kit",
            level=0.5,
            room=0.05,
            loose_s=0.001,
            patterns={
                "": (
                    (
                        "kick=X...X...X...X... clap=....x.......x... open=..x...x...x...x."
                        " hat=xoxoxoxoxoxoxoxo rim=...o..o....o..o."
                    ),
                ),
                "pulse": ("kick=X...X...X...X... hat=..x...x...x...x. rim=...o..o....o..o.",),
                "break": ("hat=xoxoxoxoxoxoxoxo rim=...o..o....o..o. ride=x...x...x...x...",),
                "fill": ("kick=X...X...X.X.XXXX snare=........x.x.xxxx open=..x...x.........",),
            },
        ),
        "fx": Part(instrument="kit", level=-8, room=0.3, patterns={"hit": _HIT, "rise": _RISE}),
    },
    themes={
        "A": (
            "1':.25 r:.5 1':.25 r:.5 7:.25 r:.25 5:.5 r:.25 4:.25 5:.5 r:.5"
            " | 1':.25 r:.5 1':.25 r:.5 2':.25 r:.25 1':.5 r:.25 7:.25 5:.5 r:.5"
        ),
    },
    form=(
        Section(chords="i i", play="drums:pulse bass", force=0.95),
        Section(chords="i IV i IV", play="drums bass comp:long fx:rise", fill=True),
        Section(chords="i IV i VII", play="lead:A drums bass comp fx:hit", force=1.05),
        Section(chords="i IV III VII", play="lead:A~ drums bass comp", force=1.05, fill=True),
        Section(chords="i VII", play="lead:A comp:long drums:break", force=0.9),
        Section(chords="i IV i IV", play="lead:A drums bass comp fx:hit", force=1.05),
        Section(chords="i", play="comp:end bass drums:end"),
    ),
)

_ENGINE = Song(
    slug="energetic-04-engine-room",
    title="Engine Room",
    artist="Rivet Parade",
    album="Steam and Neon",
    genre="Rock",
    mood="Energetic",
    tonic="E",
    mode="mixolydian",
    tempo=132,
    seed=4404,
    energy=0.92,
    valence=0.70,
    danceability=0.60,
    acousticness=0.03,
    room_s=1.1,
    parts={
        "lead": Part(
            instrument="lead_synth", level=-1, pan=0.05, room=0.2, echo=0.12, low=64, high=83
        ),
        "comp": Part(
            instrument="driven_guitar",
            level=-4,
            pan=-0.75,
            room=0.1,
            low=40,
            high=55,
            size=2,
            tight=0.85,
            patterns={
                "": ("p-p.p-p.p-.pp-p-",),
                "stop": ("p---....p-.p....",),
            },
        ),
        "double": Part(
            instrument="driven_guitar",
            level=-4,
            pan=0.75,
            room=0.1,
            low=40,
            high=55,
            size=2,
            tight=0.85,
            patterns={
                "": ("p-p.p-p.p-.pp-p-",),
                "stop": ("p---....p-.p....",),
            },
        ),
        "organ": Part(
            instrument="organ",
            level=-9,
            pan=0.25,
            room=0.2,
            low=62,
            high=79,
            patterns={"": ("x---------------",)},
        ),
        "bass": Part(
            instrument="electric_bass",
            level=-3,
            low=28,
            tight=0.85,
            loose_s=0.003,
            patterns={"": ("R.r.r.r.r.r.r.n.",), "stop": ("R---....r-.r....",)},
        ),
        "drums": Part(
            instrument="kit",
            level=-0.5,
            room=0.14,
            loose_s=0.003,
            patterns={
                "": (
                    (
                        "kick=X.....x.X.x..... snare=....X.......X..o open=x...x...x...x..."
                        " hat=..x...x...x...x."
                    ),
                ),
                "stop": ("kick=X.......X..X.... hat=x.x.x.x.x.x.x.x.",),
                "fill": (
                    (
                        "kick=X.....x.X....... snare=....X.xxX.x..... hightom=..........x.x..."
                        " lowtom=..............xx"
                    ),
                ),
            },
        ),
        "fx": Part(instrument="kit", level=-8, room=0.2, patterns={"hit": _HIT}),
    },
    themes={
        "A": (
            "5:.5 5:.5 6:.5 5:.5 1':1 6:.5 5:.5 | 4:.5 5:.5 6:1 5:2"
            " | 5:.5 5:.5 6:.5 1':.5 2':1 1':1 | 7:.5 1':.5 7:.5 6:.5 5:2"
        ),
        "B": "3':1 2':.5 1':.5 2':1 1':1 | 1':1 7:.5 6:.5 7:2",
    },
    form=(
        Section(chords="I I", play="comp:stop double:stop bass:stop drums:stop fx:hit", force=0.95),
        Section(chords="I VII IV I", play="comp double bass drums fx:hit", fill=True),
        Section(chords="I VII IV I", play="lead:A comp double bass drums", force=1.05),
        Section(chords="I VII IV V", play="lead:A~ comp double bass drums organ", fill=True),
        Section(chords="IV VII I I", play="lead:B comp double bass drums organ fx:hit", fill=True),
        Section(chords="I VII IV VII", play="lead:A comp double bass drums organ fx:hit"),
        Section(chords="I", play="comp:end double:end bass drums:end organ"),
    ),
)

_HEADLIGHT = Song(
    slug="energetic-05-headlight-parade",
    title="Headlight Parade",
    artist="Neon Granary",
    album="Chrome Fields",
    genre="Dance Pop",
    mood="Energetic",
    tonic="C",
    mode="major",
    tempo=128,
    seed=4505,
    energy=0.90,
    valence=0.80,
    danceability=0.80,
    acousticness=0.02,
    room_s=1.6,
    parts={
        "lead": Part(
            instrument="saw_stack", level=-0.5, room=0.25, echo=0.18, low=60, high=79, duck=0.3
        ),
        "comp": Part(
            instrument="saw_stack",
            level=-4,
            room=0.2,
            low=55,
            high=74,
            tight=0.8,
            duck=0.65,
            patterns={"": ("x..x..x.x..x..x.",), "long": ("x---------------",)},
        ),
        "keys": Part(
            instrument="upright_piano",
            level=-4,
            pan=-0.1,
            room=0.2,
            low=60,
            high=79,
            duck=0.2,
            patterns={"": ("x..x..x...x..x..",)},
        ),
        "arp": Part(
            instrument="pluck_synth",
            level=-7,
            pan=0.2,
            room=0.2,
            echo=0.2,
            low=72,
            high=91,
            duck=0.3,
            loose_s=0.001,
            patterns={"": ("0213421302134213",)},
        ),
        "bass": Part(
            instrument="synth_bass",
            level=-2,
            low=33,
            tight=0.8,
            duck=0.55,
            loose_s=0.001,
            patterns={"": ("..r-..rr..r-..r8",), "long": ("r---------------",)},
        ),
        "drums": Part(
            instrument="kit",
            level=0,
            room=0.05,
            loose_s=0.001,
            patterns={
                "": (
                    (
                        "kick=X...X...X...X... clap=....X.......X... open=..x...x...x...x."
                        " shaker=xoxoxoxoxoxoxoxo"
                    ),
                ),
                "pulse": ("kick=X...X...X...X... shaker=xoxoxoxoxoxoxoxo",),
                "build": (
                    "kick=X...X...X...X... snare=o...o...o...o...",
                    "kick=X...X...X...X... snare=o.o.o.o.x.x.x.x.",
                ),
                "fill": ("kick=X...X...X....... snare=x.x.x.x.xxxxXXXX",),
            },
        ),
        "fx": Part(instrument="kit", level=-9, room=0.3, patterns={"hit": _HIT, "rise": _RISE}),
    },
    themes={
        "A": (
            "3':.75 3':.75 2':.5 1':1 5:1 | 2':.75 2':.75 1':.5 7:1 5:1"
            " | 1':.75 1':.75 2':.5 3':1 1':1 | 6:.75 1':.75 2':.5 1':2"
        ),
    },
    form=(
        Section(chords="vi IV", play="keys drums:pulse bass:long", force=0.9),
        Section(chords="vi IV I V", play="keys drums:build bass comp:long fx:rise", fill=True),
        Section(chords="I V vi IV", play="lead:A keys drums bass comp fx:hit", force=1.05),
        Section(chords="I V vi IV", play="lead:A~ keys drums bass comp arp", force=1.05, fill=True),
        Section(chords="ii vi", play="keys comp:long bass:long drums:pulse arp", fill=True),
        Section(chords="I V vi IV", play="lead:A keys drums bass comp arp fx:hit", force=1.05),
        Section(chords="I", play="comp:end bass drums:end keys:end"),
    ),
)

ENERGETIC = (_GREEN, _SIX, _TURBINE, _ENGINE, _HEADLIGHT)
