"""Where runs are kept: a folder that a kill, a full disk or a flipped bit cannot make lie."""
