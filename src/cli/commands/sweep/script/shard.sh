midflight=${MIDFLIGHT:-@PROGRAM@}
dir=@DIR@
shards=@SHARDS@
jobs=@JOBS@

# One shard, three times at most. 0: it is there, or why it is not; 2: the plan or the program is wrong, and no other will do better.
shard() {
    local said status
    for _ in 1 2 3; do
        said=$("$midflight" sweep shard "$dir" --shard "$1/$shards" --write 2>&1)
        status=$?
        case $status in
        0) return 0 ;;
        2)
            echo "$said" >&2
            return 2
            ;;
        esac
    done
    mkdir -p "$dir/shards"
    echo "exit status $status, three times: $said" >"$dir/shards/$1.failed"
}

# Shards are dealt out to the jobs in turn: those of one job.
job() {
    local number
    for ((number = $1; number < shards; number += jobs)); do
        shard "$number" || return
    done
}
