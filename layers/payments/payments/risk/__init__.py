"""Fraud prevention, before 3DS: a score, a level, the reasons, and what is done about it.

`signals` is what is known of an attempt, `rules` the one table of what that is worth, `assessment`
the decision. All of it is pure: the same signals give the same decision.
"""
