"""What an arm scores, on all test rows and on parts of them, with intervals."""
