#!/usr/bin/env python3
"""Makes the shards of a sweep on many machines, with Dask.distributed.

The folder is that of `midflight sweep plan`. Workers need neither it nor a file system in common: plan and rows go over the network.
Exit status: 0 all shards are there; 2 the plan, the program or the command is wrong; 3 some could not be made, or the scheduler was lost;
130 interrupted. Shards that are there are not made again: the same command goes on.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import CancelledError
from pathlib import Path

from distributed import Client, KilledWorker, Nanny, WorkerPlugin, as_completed, get_worker
from distributed.security import Security


class Ship(WorkerPlugin):
    """Brings plan and program to each worker, also to one that joins later. (What is scattered dies with the host that has it.)"""

    def __init__(self, plan, program):
        self.plan, self.program = plan, program
        self.name = "midflight-" + hashlib.sha256(plan + (program if isinstance(program, bytes) else b"")).hexdigest()

    def setup(self, worker):
        if isinstance(self.program, bytes):
            path = Path(worker.local_directory) / self.name
            path.write_bytes(self.program)
            path.chmod(0o755)
            self.program = str(path)


class ShardFailed(Exception):
    """A shard that another try may make."""


def make(plugin, shard, shards, timeout):
    """On a worker: one shard, as (rows, None) or as (None, why no shard can be made)."""
    ship = get_worker().plugins[plugin]
    command = [ship.program, "sweep", "shard", "-", "--shard", f"{shard}/{shards}"]
    try:
        done = subprocess.run(command, input=ship.plan, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ShardFailed(f"not done after {timeout} s") from None
    except OSError as error:
        return None, f"{ship.program}: {error}"
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return done.stdout, None
    if done.returncode == 2:
        return None, said
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    raise ShardFailed(f"{how}: {said}".rstrip(": "))


def keep(folder, plan_hash, shard, rows):
    """Writes a shard that came over the network whole, under its name; what it says of itself must be so."""
    body, footer = rows[: rows.rindex(b"\n", 0, -1) + 1], json.loads(rows[rows.rindex(b"\n", 0, -1) :])
    header = json.loads(rows[: rows.index(b"\n")])
    if (header["plan"], header["shard"], footer["sha256"]) != (plan_hash, shard, "sha256:" + hashlib.sha256(body).hexdigest()):
        raise ShardFailed("what came is not the shard that was asked for")
    put(folder / f"{shard}.ndjson", rows)
    (folder / f"{shard}.failed").unlink(missing_ok=True)


def put(path, contents):
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        part.write(contents)
    os.chmod(part.name, 0o644)
    os.replace(part.name, path)


def status(arguments):
    """What is there, as the program itself says: it knows what a whole shard is."""
    command = [arguments.midflight, "sweep", "status", arguments.folder, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def client(arguments):
    tls = arguments.tls_ca_file and Security(
        tls_ca_file=arguments.tls_ca_file,
        tls_client_cert=arguments.tls_cert,
        tls_client_key=arguments.tls_key,
        require_encryption=True,
    )
    if not arguments.slurm:
        return Client(arguments.scheduler, security=tls or None, timeout=arguments.connect_timeout)
    from dask_jobqueue import SLURMCluster

    cluster = SLURMCluster(cores=1, processes=1, memory=arguments.memory, walltime=arguments.walltime, security=tls or None)
    cluster.scale(jobs=arguments.jobs)
    return Client(cluster)


def sweep(arguments, there, left):
    """Makes what is left. Answers the shards that failed."""
    folder = Path(arguments.folder) / "shards"
    folder.mkdir(exist_ok=True)
    plan = (Path(arguments.folder) / "plan.json").read_bytes()
    program = Path(arguments.midflight).read_bytes() if arguments.ship_binary else arguments.program
    failed, done = [], 0
    with client(arguments) as dask:
        ship = Ship(plan, program)
        dask.register_plugin(ship)
        submit = lambda shard: dask.submit(
            make, ship.name, shard, there["shards"], arguments.timeout,
            key=f"{there['plan']}-{shard}", retries=arguments.retries,
        )
        numbers = {submit(shard): shard for shard in left}
        # A result that is written is let go at once: what is held, and lost with a worker, is made again.
        for future in as_completed(list(numbers)):
            shard = numbers.pop(future)
            try:
                rows, wrong = future.result()
                if wrong:
                    print(f"shard {shard}: {wrong}", file=sys.stderr)
                    sys.exit(2)
                keep(folder, there["plan"], shard, rows)
                done += 1
                print(f"{there['done'] + done} of {there['shards']} shards", end="\r", file=sys.stderr)
            except (ShardFailed, KilledWorker) as error:
                put(folder / f"{shard}.failed", f"{error}\n".encode())
                print(f"shard {shard} failed, after {arguments.retries + 1} tries: {error}", file=sys.stderr)
                failed.append(shard)
            del future
    return failed


def typed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="the folder of `midflight sweep plan`")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a scheduler that runs, such as tcp://10.0.0.1:8786")
    where.add_argument("--slurm", action="store_true", help="start workers as Slurm jobs (needs dask-jobqueue)")
    where.add_argument("--dry-run", action="store_true", help="list the shards that would be made, and connect to nobody")
    parser.add_argument("--midflight", default="midflight", metavar="PATH", help="the program on this machine")
    parser.add_argument("--program", default="midflight", metavar="PATH", help="the program on the workers' machines")
    parser.add_argument("--ship-binary", action="store_true", help="bring the program of this machine to the workers")
    parser.add_argument("--retries", type=int, default=2, help="after a shard's process has died or said 3 [%(default)s]")
    parser.add_argument("--timeout", type=float, default=3600, metavar="S", help="of one shard [%(default)s]")
    parser.add_argument("--connect-timeout", type=float, default=30, metavar="S", help="to the scheduler [%(default)s]")
    parser.add_argument("--jobs", type=int, default=1, help="Slurm jobs, each with one worker [%(default)s]")
    parser.add_argument("--walltime", default="01:00:00", help="of a Slurm job [%(default)s]")
    parser.add_argument("--memory", default="2GB", help="of a Slurm job [%(default)s]")
    for name in ("ca-file", "cert", "key"):
        parser.add_argument(f"--tls-{name}", metavar="FILE", help="for tls:// addresses, as for `dask scheduler`")
    return parser.parse_args()


def main():
    arguments = typed()
    there = status(arguments)
    left = sorted(there["missing"] + [failed["shard"] for failed in there["failed"]])
    if there["strange"]:
        sys.exit(f"{arguments.folder}: {there['strange'][0]['file']}: {there['strange'][0]['what']}")
    if arguments.dry_run:
        print(f"{len(left)} of {there['shards']} shards would be made: {', '.join(map(str, left))}")
        return 0
    ...
