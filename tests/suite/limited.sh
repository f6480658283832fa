#!/bin/sh
# Runs the program $LIMITED_PROGRAM with an address space of $LIMITED_MEMORY_MB MB.
ulimit -v $((LIMITED_MEMORY_MB * 1024))
exec "$LIMITED_PROGRAM"
