"""One call, one record, through every stack of libraries, in every way to make a call."""
