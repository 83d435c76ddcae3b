"""What the pages of all reports share: style, script, markup, drawings and words.

One page is one file: no network, no fonts, readable without its script, in light, dark and print.
"""
