#!/usr/bin/env python3
"""Makes the shards of a sweep on many machines, with Dask.distributed.

The folder is that of `midflight sweep plan`. Workers need neither it nor a file system in common: plan and rows go over the network.
Exit status: 0 all shards are there; 2 the plan, the program or the command is wrong, and the whole sweep stops; 3 some shards could not
be made, or the scheduler was lost; 130 interrupted. A shard that is there is not made again: the same command goes on.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import CancelledError
from pathlib import Path

try:
    from distributed import Client, KilledWorker, WorkerPlugin, as_completed, get_worker
    from distributed.security import Security
except ImportError as missing:
    print(f"{missing}: python3 -m pip install -r {Path(__file__).parent / 'requirements.txt'}", file=sys.stderr)
    sys.exit(2)


class Ship(WorkerPlugin):
    """Brings the plan, and the program if it is bytes, to every worker, also to one that joins later.

    What is scattered instead is lost with the machine that holds it.
    """

    def __init__(self, plan, program):
        self.plan, self.program = plan, program
        self.name = "midflight-" + sha256(plan + (program if isinstance(program, bytes) else program.encode()))

    def setup(self, worker):
        if isinstance(self.program, bytes):
            path = Path(worker.local_directory) / self.name
            path.write_bytes(self.program)
            path.chmod(0o755)
            self.program = str(path)


class ShardFailed(Exception):
    """Another try may do."""


class NothingWorks(Exception):
    """No other shard would do better."""


def make(plugin, shard, of, timeout):
    """One shard, on a worker: its lines, or why no shard can be made."""
    ship = get_worker().plugins[plugin]
    command = [ship.program, "sweep", "shard", "-", "--shard", f"{shard}/{of}"]
    try:
        done = subprocess.run(command, input=ship.plan, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ShardFailed(f"not done after {timeout:g} s") from None
    except OSError as error:
        return NothingWorks(f"{get_worker().address}: {ship.program}: {error.strerror}")
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return done.stdout
    if done.returncode == 2:
        return NothingWorks(f"{get_worker().address}: {said}")
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    raise ShardFailed(f"{how}: {said}".rstrip(": "))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def verified(lines, plan, shard):
    """A shard as it came over the network, if it is what it says and what was asked for."""
    try:
        start = lines.rstrip(b"\n").rindex(b"\n") + 1
        header, footer = json.loads(lines[: lines.index(b"\n")]), json.loads(lines[start:])
        said = header["plan"], header["shard"], footer["sha256"]
        sound = said == (plan, shard, "sha256:" + sha256(lines[:start]))
    except (ValueError, KeyError):
        sound = False
    if not sound:
        raise ShardFailed("what came is not the shard that was asked for")
    return lines


def put(path, contents):
    """A file of this name is always whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        part.write(contents)
    os.chmod(part.name, 0o644)
    os.replace(part.name, path)


def survey(arguments):
    """What is there, as the program says: it knows what a whole shard is."""
    if not shutil.which(arguments.midflight):
        raise NothingWorks(f"{arguments.midflight}: no such program; name it with --midflight PATH")
    command = [arguments.midflight, "sweep", "status", arguments.folder, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise NothingWorks(done.stderr.strip())
    about = json.loads(done.stdout)
    if about["strange"]:
        raise NothingWorks("{file}: {what}; remove it".format(**about["strange"][0]))
    return about


def connected(arguments):
    tls = None
    if arguments.tls_ca_file:
        files = {"tls_client_cert": arguments.tls_cert, "tls_client_key": arguments.tls_key}
        tls = Security(tls_ca_file=arguments.tls_ca_file, require_encryption=True, **files)
    if not arguments.slurm:
        try:
            return Client(arguments.scheduler, security=tls, timeout=arguments.connect_timeout)
        except ValueError as error:
            raise NothingWorks(f"--scheduler {arguments.scheduler}: {error}") from None
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as missing:
        raise NothingWorks(f"{missing}: python3 -m pip install dask-jobqueue==0.9.0") from None
    resources = {"cores": 1, "processes": 1, "memory": arguments.memory, "walltime": arguments.walltime}
    cluster = SLURMCluster(**resources, security=tls, **({"protocol": "tls://"} if tls else {}))
    cluster.scale(jobs=arguments.jobs)
    return Client(cluster)


def sweep(arguments, about):
    """Makes what is not there. Answers the shards that failed."""
    folder, failed = Path(arguments.folder), []
    ours = Path(shutil.which(arguments.midflight))
    program = ours.read_bytes() if arguments.ship_binary else arguments.program
    ship = Ship((folder / "plan.json").read_bytes(), program)
    folder = folder / "shards"
    folder.mkdir(exist_ok=True)
    with connected(arguments) as client:
        client.register_plugin(ship)
        shards = {}
        for shard in about["missing"]:
            of = {"key": f"{about['plan']}-{shard}", "retries": arguments.retries}
            shards[client.submit(make, ship.name, shard, about["shards"], arguments.timeout, **of)] = shard
        for future in as_completed(list(shards)):
            # One that is written is let go at once: what is still held is made again if it is lost with its worker.
            shard = shards.pop(future)
            try:
                lines = future.result()
                if isinstance(lines, NothingWorks):
                    raise lines
                put(folder / f"{shard}.ndjson", verified(lines, about["plan"], shard))
                (folder / f"{shard}.failed").unlink(missing_ok=True)
            except (ShardFailed, KilledWorker) as error:
                put(folder / f"{shard}.failed", f"{error}\n".encode())
                print(f"shard {shard}: {error}", file=sys.stderr)
                failed.append(shard)
            if sys.stderr.isatty():
                print(f"{about['shards'] - len(shards)} of {about['shards']} shards", end="\r", file=sys.stderr)
            del future
    return failed


def existing(path):
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"{path}: no such file")
    return path


def typed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", help="the folder of `midflight sweep plan`")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--scheduler", metavar="ADDRESS", help="a scheduler that runs, such as tcp://10.0.0.1:8786")
    where.add_argument("--slurm", action="store_true", help="start workers as Slurm jobs (needs dask-jobqueue)")
    where.add_argument("--dry-run", action="store_true", help="list the shards that are to be made, and connect to nobody")
    add("--midflight", default="midflight", metavar="PATH", help="the program on this machine [%(default)s]")
    add("--program", default="midflight", metavar="PATH", help="the program on the workers' machines [%(default)s]")
    add("--ship-binary", action="store_true", help="bring the file of --midflight to the workers instead")
    add("--retries", type=int, default=2, help="after a shard's process died, timed out or ended with 3 [%(default)s]")
    add("--timeout", type=float, default=3600, metavar="SECONDS", help="for one shard [%(default)s]")
    add("--connect-timeout", type=float, default=30, metavar="SECONDS", help="for the scheduler [%(default)s]")
    add("--jobs", type=int, default=1, metavar="N", help="Slurm jobs, each with one worker [%(default)s]")
    add("--walltime", default="01:00:00", help="of a Slurm job [%(default)s]")
    add("--memory", default="2GB", help="of a Slurm job [%(default)s]")
    for name in ("ca-file", "cert", "key"):
        add(f"--tls-{name}", type=existing, metavar="FILE", help="as for `dask scheduler`, whose address is tls:// then")
    return parser.parse_args()


def main():
    arguments = typed()
    try:
        about = survey(arguments)
        if arguments.dry_run:
            left = " ".join(map(str, about["missing"]))
            print(f"{len(about['missing'])} of {about['shards']} shards are to be made: {left}".rstrip(": "))
            return 0
        failed = sweep(arguments, about) if about["missing"] else []
    except NothingWorks as error:
        print(error, file=sys.stderr)
        return 2
    except (CancelledError, OSError) as error:
        print(f"{type(error).__name__}: {error}\nwhat was made stays, and the same command goes on", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("what was made stays, and the same command goes on", file=sys.stderr)
        return 130
    if failed:
        numbers = ", ".join(map(str, sorted(failed)))
        again = f"{arguments.midflight} sweep shard {arguments.folder} --shard {min(failed)}/{about['shards']}"
        print(f"failed, each after {arguments.retries + 1} tries: {numbers}\nto see the first fail: {again}", file=sys.stderr)
        return 3
    print(f"all {about['shards']} shards are there; next: {arguments.midflight} sweep merge {arguments.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
