"""The verbs as Python functions: the names and the results that the command line and REST have.

Each function finds what its arguments name (a bundle, a manifest, a recipe) and hands over to the room that does
the work. Rooms are imported when a verb is called, so that scanning never loads what only training needs.
"""
