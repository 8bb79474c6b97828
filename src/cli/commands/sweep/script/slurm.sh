#!/usr/bin/env bash
# For `sbatch`: makes the shards of a plan, where all nodes see its folder. Those that are there are not made again, so it may be
# submitted as often as you like.
#SBATCH --job-name=@NAME@
#SBATCH --array=0-@LAST@
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
@SHARD@

job "$SLURM_ARRAY_TASK_ID" || {
    scancel "$SLURM_ARRAY_JOB_ID"
    exit 2
}
