"""Sections of the pages, one module each; a section is a function from what was found to blocks."""
