midflight=${MIDFLIGHT:-@PROGRAM@}
dir=@DIR@
shards=@SHARDS@
jobs=@JOBS@
# Seconds for one shard.
patience=${MIDFLIGHT_TIMEOUT:-3600}

# One shard, three times at most, those counted that took their job along. 0: it is there, or why it is not; 2: the plan or the program is
# wrong, and no other will do better.
shard() {
    local said='took its job along' status=unknown tries="$dir/shards/$1.tries"
    mkdir -p "$dir/shards"
    while [ "$(cat "$tries" 2>/dev/null | wc -l)" -lt 3 ]; do
        hostname >>"$tries" || break
        said=$(timeout "$patience" "$midflight" sweep shard "$dir" --shard "$1/$shards" --write 2>&1)
        status=$?
        case $status in
        0)
            rm -f "$tries"
            return 0
            ;;
        2 | 126 | 127)
            rm -f "$tries"
            echo "$said" >&2
            return 2
            ;;
        124) said="not done after $patience s" ;;
        esac
    done
    echo "exit status $status, three times: $said" >"$tries.last" && mv "$tries.last" "$dir/shards/$1.failed"
    rm -f "$tries"
    return 0
}

# Shards are dealt out to the jobs in turn: those of one job.
job() {
    local number
    for ((number = $1; number < shards; number += jobs)); do
        shard "$number" || return
    done
}
