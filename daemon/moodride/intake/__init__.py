"""How music gets into the library: scanning, tags, catalogues, matching, analysis.

Tools of the command line; the daemon never loads any of it.
"""
