"""What is doubtful in a network: one function a check, none of which changes anything.

`survey` is what the checks look at, `findings` what they say, `catalogue` the list of all checks and the score.
"""
