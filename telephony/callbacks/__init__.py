"""Callbacks at work: who is called now, the call itself, and what became of it.

`dispatching` brings due cases and free operators together, for the relay; `placing` orders the
call, as a job; `looking` finds out what became of a try of which nothing was heard; `watching`
tells of promises that are about to be broken.
"""
