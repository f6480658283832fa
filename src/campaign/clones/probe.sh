#!/bin/sh
# Writes the CPU of this execution environment to its log, and starts the function as Lambda would have done.
while IFS=: read -r key value; do
    case $key in
    "model name"*) model=$value ;;
    "CPU implementer"*) implementer=$value ;;
    "CPU part"*) part=$value ;;
    "") break ;;
    esac
done </proc/cpuinfo
echo "lambda-duet-probe model:$model; implementer:$implementer; part:$part;"
exec "$@"
