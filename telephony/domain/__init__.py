"""What Dutyline exists for, as pure functions: no I/O, no clock, no randomness, no logging."""
