#!/usr/bin/env bash
# With GNU parallel: makes the shards of a plan on this machine, or, as `bash THIS HOSTS`, on those that the file HOSTS lists, where all
# see its folder and this file. Those that are there are not made again, so it may be started as often as you like.
@SHARD@

if [ "${1-}" = --job ]; then
    job "$2"
    exit
fi
# A job fails where no other would do better, or with its host, and then others try: a shard that cannot be made leaves a file.
hosts=()
[ -n "${1-}" ] && hosts=(--sshloginfile "$1")
seq 0 @LAST@ | parallel -q "${hosts[@]}" --retries 3 --halt now,fail=1 bash "$(realpath "$0")" --job
