"""Given calls once more, on the resources of then and on others: what each call would have got, paired call by call.

Read `run.py` first. `edits.py` says what changes, `resources.py` who stands where before and after, `given.py` what the
records give of each call, `cast.py` what a run of the engine is made of, `play.py` runs it, `compare.py` pairs the
calls, `write.py` and `page.py` lay down what was found.
"""
