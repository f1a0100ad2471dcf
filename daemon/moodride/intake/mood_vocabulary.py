"""Which mood a word stands for: the table behind `moodride.intake.mood_words`. Data alone.

Words are lower case, without accents, words of a phrase one space apart. "Plain" ones name the
mood itself; "near" ones lie in its quarter of the plane of valence and arousal (Russell 1980) and
might mean something else. Which word is where, and how sure that makes us, is our own judgement:
names of moods that AllMusic, MusicBrainz Picard, AcousticBrainz, MediaMonkey and owners of sticks
use. The five clusters are those of MIREX (Hu and Downie 2007), placed by their adjectives.
"""

from __future__ import annotations

from typing import Final

from moodride.types import Mood

__all__ = ["NEAR", "NOT", "PLAIN", "SAY_NOTHING"]

PLAIN: Final[dict[Mood, str]] = {
    Mood.HAPPY: """
        happy, happiness, joy, joyful, joyous, cheerful, cheery, cheer up, glad, merry, jolly,
        feel good, feelgood, good mood, good vibes, happy mood, sunny, uplifting, upbeat, positive,
        carefree, celebratory, delighted, optimistic, elated, lighthearted, light hearted, gleeful
        frohlich, glucklich, heiter, gute laune, lustig, freude, freudig, unbeschwert, vergnugt,
        gut gelaunt
        joyeux, joyeuse, heureux, heureuse, gai, bonne humeur, joie, allegre, guilleret, enjoue
        feliz, alegre, alegria, contento, contenta, felicidad, buen rollo, animado, animada
        felice, allegro, allegra, allegria, gioia, gioioso, gioiosa, contenti, buonumore,
        buon umore, spensierato
    """,
    Mood.SAD: """
        sad, sadness, melancholy, melancholic, melancholia, sorrow, sorrowful, depressed,
        depressing, depressive, gloomy, sombre, somber, mournful, mourning, grief, heartbreak,
        heartbroken, broken heart, tearful, tearjerker, unhappy, lonely, loneliness, plaintive,
        elegiac, miserable, despair, desolate, weepy, woeful, sad songs, cry, crying, the blues
        traurig, trauer, traurigkeit, melancholisch, melancholie, kummer, schwermutig, wehmutig,
        wehmut, trubsinnig, einsam, liebeskummer, betrubt, deprimiert
        triste, tristesse, melancolie, melancolique, chagrin, malheureux, malheureuse, sombres
        tristeza, melancolia, melancolico, melancolica, pena, desamor
        tristi, tristezza, malinconia, malinconico, malinconica, infelice, dolore
    """,
    Mood.CALM: """
        calm, calming, calmness, calm down, relaxed, relaxing, relax, relaxation, chill, chilled,
        chilling, chillout, chill out, chilled out, mellow, peaceful, peace, serene, serenity,
        tranquil, tranquility, quiet, soothing, gentle, soft, laid back, laidback, easygoing,
        easy going, meditative, meditation, sleep, sleepy, sleeping, lullaby, restful, unwind,
        wind down, placid, at ease, good night
        ruhig, ruhe, entspannt, entspannend, entspannung, entspannen, gelassen, sanft, friedlich,
        gemutlich, besinnlich, leise, zum einschlafen, schlafen, abschalten, vertraumt
        calme, tranquille, paisible, detente, doux, douce, apaisant, apaisante, relaxant, serein,
        sereine, reposant, zen
        calma, tranquilo, tranquila, tranquilidad, relajado, relajada, relajante,
        suave, sereno, serena, apacible, dormir
        calmo, tranquillo, tranquilla, rilassante, rilassato, rilassata, pacato, dolce, quiete,
        dormire
    """,
    Mood.ENERGETIC: """
        energetic, energy, energizing, energising, energised, energized, high energy, powerful,
        power, intense, aggressive, fiery, fierce, rousing, excited, exciting, excitement,
        exhilarating, pumped, pumped up, pump up, hype, hyper, hyped, workout, gym, rowdy,
        boisterous, wild, explosive, frenetic, frantic, raucous, adrenaline, motivation,
        motivational, thrilling, invigorating, fired up
        energisch, energiegeladen, energie, kraftvoll, aggressiv, aufgedreht, aufregend,
        mitreissend, treibend, powervoll, sport
        energique, energetique, puissant, puissante, agressif, agressive, excite,
        entrainant, entrainante, dynamique
        energico, energica, energia, potente, agresivo, agresiva, intenso, intensa, electrizante,
        entrenar, euforico, euforica
        energetico, energetica, aggressivo, aggressiva, carica, grintoso, scatenato, scatenata,
        allenamento
    """,
}

NEAR: Final[dict[Mood, str]] = {
    Mood.HAPPY: """
        playful, humorous, funny, silly, whimsical, witty, quirky, campy, fun, sweet, amiable,
        good natured, rollicking, summery, summer, exuberant, festive, bright, celebration, party,
        partying, hopeful, hope, bouncy, bubbly, perky, warmhearted, innocent, triumphant,
        laughter, smile, sing along, cluster2, cluster4
        sommer, spass, hoffnungsvoll, verspielt, feiern, partymusik, feierlaune, sonnig
        ete, fete, amusant, drole, espiegle, rigolo, estival, ensoleille
        fiesta, verano, divertido, divertida, jugueton, soleado
        festa, estate, divertente, giocoso, giocosa, solare
    """,
    Mood.SAD: """
        wistful, bittersweet, poignant, brooding, nostalgic, nostalgia, longing, yearning, bleak,
        dark, tragic, autumnal, regretful, blue, moody, haunting, sentimental, rainy day, rainy,
        breakup, break up, hopeless, resigned, literate, pathos, cathartic, angst, cluster3
        nostalgisch, sehnsucht, sehnsuchtig, duster, dunkel, herbstlich, trennung, nachdenklich
        nostalgie, nostalgique, morose, rupture
        nostalgico, nostalgica, anoranza, oscuro, despecho
        struggente, cupo, cupa, oscura
    """,
    Mood.CALM: """
        tender, tenderness, romantic, romance, love, loving, intimate, warm, warmth, reflective,
        contemplative, thoughtful, dreamy, ethereal, atmospheric, ambient, lounge, slow, cozy, cosy,
        sensual, smooth, delicate, pastoral, spiritual, introspective, sleepytime, spa, yoga, study,
        studying, focus, concentration, background, dinner, evening, sunday morning, lazy, easy,
        easy listening, acoustic evening, soulful, elegant, lush, hypnotic
        romantisch, liebe, zartlich, vertraumte, traumerisch, abend, langsam, lernen, kuscheln,
        kuschelrock, sinnlich
        romantique, amour, tendre, tendresse, reveur, reveuse, lent, intime
        romantico, romantica, amor, tierno, tierna, ternura, sonador, lento, lenta, intimo, intima
        amore, tenero, tenera, tenerezza, sognante, intimi
    """,
    Mood.ENERGETIC: """
        angry, anger, rage, furious, hostile, rebellious, visceral, volatile, tense, anxious,
        confident, passionate, epic, heavy, hard, loud, fast, dance, danceable, dancing, running,
        driving beat, run, jogging, cardio, sports, training, bombastic, swaggering, manic,
        menacing, thuggish, confrontational, stimulating, lively, vibrant, dramatic,
        urgent, gutsy, club, rave, action,
        speed, cluster1, cluster5
        wutend, wut, zornig, tanzbar, tanzen, laut, schnell, hart, laufen, leidenschaftlich, lebhaft
        colere, rageur, danse, danser, rapide, fort, passionne, passionnee, vif
        rabia, furioso, furiosa, bailar, baile, bailable, rapido, rapida, fuerte, apasionado, marcha
        rabbia, arrabbiato, arrabbiata, ballare, ballabile, veloce, forte, appassionato, corsa
    """,
}

NOT: Final = """
    not no non never without nicht kein keine keinen ohne nie pas sans jamais sin nunca senza mai
"""
"""A phrase with one of these counts for nothing: "not happy" is not sad either."""

SAY_NOTHING: Final = """
    a an and the my our for of in to very so quite really some more music musik musique musica song
    songs lied lieder chanson chansons cancion canciones canzone canzoni track tracks tune tunes
    playlist playlists list liste lista mix mixtape tape cd mood moods stimmung laune ambiance
    humeur animo umore vibe vibes feeling feelings gefuhl time zeit stuff mp3 mp3s favorites
    favourites favoriten best und et y e oder or de der die das fur zum zur la le les el los las il
    lo i gli un une una ein eine
"""
"""Words that stand beside a mood's name without changing it."""
