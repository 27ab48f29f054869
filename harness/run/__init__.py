"""Plan trials, have them done, measure, record, resume. Knows nothing of scores and prices.

Names nothing itself: the process of a trial (`worker/`) lies within, and whatever is imported here
would count in the memory measured for every arm.
"""
