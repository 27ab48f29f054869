"""The plots of a report: each a pure function to numbers, and a Vega-Lite specification of them.

One file a plot; `draw` turns a specification into SVG, `axes` says what they share.
"""
