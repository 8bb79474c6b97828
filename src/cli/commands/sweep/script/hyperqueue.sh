#!/usr/bin/env bash
# Submits itself to HyperQueue: makes the shards of a plan, where all workers see its folder and this file. Those that are there are not
# made again, so it may be submitted as often as you like.
@SHARD@

if [ -n "${HQ_TASK_ID-}" ]; then
    job "$HQ_TASK_ID"
    exit
fi
# A task fails only where no other would do better: a shard that cannot be made leaves a file, also one that takes its task along.
exec hq submit --name @NAME@ --array 0-@LAST@ --crash-limit 10 --max-fails 0 bash "$(realpath "$0")"
