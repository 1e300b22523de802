"""Rules of law as pure functions that anybody can import and check by hand."""
