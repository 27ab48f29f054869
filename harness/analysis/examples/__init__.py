"""Single test rows: what each arm answered to each, which rows are worth a look, and what is shown.

Everywhere else rows are summed up; here their texts may be seen, as far as the task lets them.
"""
