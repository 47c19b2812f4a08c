"""Model presets: what ``--models NAME`` finds. One file is one name; it defines ``models``.

The files are read as config files are, not imported. An empty ``model`` is asked from the service.
"""
