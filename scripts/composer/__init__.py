"""Composes and renders the demo music: theory, melody, instruments, mix and files.

A score is data (`songs`), a bar of rhythm is a string (`patterns`), a melody is a
hint in scale degrees that is fitted to the chords (`melody`), an instrument turns
one note into samples (`strings`, `synths`, `drums`), and `mix` puts them in a room.
Everything is numpy and one seed a track: the same numpy gives the same samples.
"""
