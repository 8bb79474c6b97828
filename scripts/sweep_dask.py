#!/usr/bin/env python3
"""Makes the shards of a sweep on many machines, with Dask.distributed.

The folder is that of `midflight sweep plan`. Workers need neither it nor a file system in common: plan and rows go over the
network. Exit status: 0 all shards are there; 2 the plan, the program or the command is wrong, and the whole sweep stops; 3 some
shards could not be made, or the scheduler was lost; 130 interrupted. A shard that is there is not made again: the same command
goes on.
"""

import argparse
import errno
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
    from distributed import Client, Reschedule, WorkerPlugin, as_completed, get_worker
    from distributed.security import Security
except ImportError as missing:
    print(f"{missing}: python3 -m pip install -r {Path(__file__).parent / 'requirements.txt'}", file=sys.stderr)
    sys.exit(2)


class ShardFailed(Exception):
    """Another try may do."""


class NothingWorks(Exception):
    """No other shard would do better."""


class Ship(WorkerPlugin):
    """Brings the plan, and the program if it is bytes, to every worker, also to one that joins later.

    What is scattered instead is lost with the machine that holds it.
    """

    def __init__(self, plan, program):
        self.plan, self.program = plan, program
        self.name = "midflight-" + sha256(plan + (program if isinstance(program, bytes) else program.encode()))

    def place(self, worker):
        """Where the program is."""
        if not isinstance(self.program, bytes):
            return self.program
        path = Path(worker.local_directory) / self.name
        if not path.exists():
            put(path, self.program, 0o755)
        return path


def make(plugin, shard, of, timeout):
    """One shard, on a worker: its lines, or why no shard can be made."""
    worker = get_worker()
    ship = worker.plugins[plugin]
    try:
        program = ship.place(worker)
    except OSError:
        # A host that cannot even hold the program would fail one shard after the other, and faster than any other makes them.
        worker.loop.add_callback(worker.close, reason="the program could not be written")
        raise Reschedule from None
    try:
        command = [program, "sweep", "shard", "-", "--shard", f"{shard}/{of}"]
        done = subprocess.run(command, input=ship.plan, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ShardFailed(f"not done after {timeout:g} s") from None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOEXEC):
            return NothingWorks(f"{worker.address}: {error}")
        raise ShardFailed(f"{worker.address}: {error}") from None
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        return done.stdout
    if done.returncode == 2:
        return NothingWorks(f"{worker.address}: {said}")
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
    raise ShardFailed(f"{how}: {said}".rstrip(": "))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def is_shard(lines, plan, shard):
    """Whether what came over the network is what it says, and what was asked for."""
    try:
        start = lines.rstrip(b"\n").rindex(b"\n") + 1
        header, footer = json.loads(lines[: lines.index(b"\n")]), json.loads(lines[start:])
        return (header["plan"], header["shard"], footer["sha256"]) == (plan, shard, "sha256:" + sha256(lines[:start]))
    except (ValueError, KeyError, TypeError):
        return False


def put(path, contents, mode=0o644):
    """A file of this name is always whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        part.write(contents)
    os.chmod(part.name, mode)
    os.replace(part.name, path)


def survey(arguments):
    """What is there, as the program says: it knows what a whole shard is."""
    if not shutil.which(arguments.midflight):
        raise NothingWorks(f"{arguments.midflight}: no such program; name it with --midflight PATH")
    command = [arguments.midflight, "sweep", "status", arguments.folder, "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        about = json.loads(done.stdout) if done.returncode in (0, 1) else None
    except (OSError, ValueError) as error:
        raise NothingWorks(f"{arguments.midflight}: {error}") from None
    if about is None:
        raise NothingWorks(done.stderr.strip())
    if about["strange"]:
        raise NothingWorks("{file}: {what}; remove it".format(**about["strange"][0]))
    return about


def connected(arguments):
    tls = None
    if arguments.tls_ca_file:
        names = [f"tls_{who}_{what}" for who in ("client", "scheduler", "worker") for what in ("cert", "key")]
        files = {name: getattr(arguments, "tls_" + name.rsplit("_", 1)[1]) for name in names}
        tls = Security(tls_ca_file=arguments.tls_ca_file, require_encryption=True, **files)
    if not arguments.slurm:
        try:
            return Client(arguments.scheduler, security=tls, timeout=arguments.connect_timeout)
        except (ValueError, RuntimeError, TypeError) as error:
            raise NothingWorks(f"--scheduler {arguments.scheduler}: {error}") from None
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as missing:
        raise NothingWorks(f"{missing}: python3 -m pip install dask-jobqueue==0.9.0") from None
    if not shutil.which("sbatch"):
        raise NothingWorks("--slurm: there is no sbatch here")
    jobs = {"cores": 1, "processes": 1, "memory": arguments.memory, "walltime": arguments.walltime}
    cluster = SLURMCluster(**jobs, interface=arguments.interface, security=tls, protocol="tls://" if tls else "tcp://")
    tried = subprocess.run(["sbatch", "--test-only"], input=cluster.job_script(), capture_output=True, text=True)
    if tried.returncode:
        raise NothingWorks(f"--slurm: {tried.stderr.strip()}")
    # A job that comes to its end is followed by another.
    cluster.adapt(minimum_jobs=arguments.jobs, maximum_jobs=arguments.jobs)
    return Client(cluster)


def sweep(arguments, about):
    """Makes what is not there. Answers the shards that failed."""
    folder, failed = Path(arguments.folder), []
    ours = Path(shutil.which(arguments.midflight))
    ship = Ship((folder / "plan.json").read_bytes(), ours.read_bytes() if arguments.ship_binary else arguments.program)
    folder = folder / "shards"
    folder.mkdir(exist_ok=True)
    with connected(arguments) as client:
        client.register_plugin(ship)
        shards = {}
        for shard in about["missing"]:
            of = {"key": f"{ship.name}-{shard}", "retries": arguments.retries}
            shards[client.submit(make, ship.name, shard, about["shards"], arguments.timeout, **of)] = shard
        for future in as_completed(list(shards)):
            # One that is written is let go at once: what is still held is made again if it is lost with its worker.
            shard = shards.pop(future)
            error = future.exception()
            lines = None if error else future.result()
            if isinstance(lines, NothingWorks):
                raise lines
            if not error and not is_shard(lines, about["plan"], shard):
                error = "what came is not the shard that was asked for"
            if error:
                put(folder / f"{shard}.failed", f"{error}\n".encode())
                print(f"shard {shard}: {error}", file=sys.stderr)
                failed.append(shard)
            else:
                put(folder / f"{shard}.ndjson", lines)
                (folder / f"{shard}.failed").unlink(missing_ok=True)
            if sys.stderr.isatty():
                print(f"{about['shards'] - len(shards)} of {about['shards']} shards", end="\r", file=sys.stderr)
            del future
        client.unregister_worker_plugin(ship.name)
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
    where.add_argument("--dry-run", action="store_true", help="list the shards that are to be made; connect to nobody")
    add("--midflight", default="midflight", metavar="PATH", help="the program on this machine [%(default)s]")
    add("--program", default="midflight", metavar="PATH", help="the program on the workers' machines [%(default)s]")
    add("--ship-binary", action="store_true", help="bring the file of --midflight to the workers instead")
    add("--retries", type=int, default=2, help="after a process died, timed out or ended with 3 [%(default)s]")
    add("--timeout", type=float, default=3600, metavar="SECONDS", help="for one shard [%(default)s]")
    add("--connect-timeout", type=float, default=30, metavar="SECONDS", help="for the scheduler [%(default)s]")
    add("--jobs", type=int, default=1, metavar="N", help="Slurm jobs, each with one worker [%(default)s]")
    add("--walltime", default="01:00:00", help="of a Slurm job; another follows it [%(default)s]")
    add("--memory", default="2GB", help="of a Slurm job [%(default)s]")
    add("--interface", metavar="NAME", help="the network of scheduler and workers with --slurm, such as ib0")
    for name in ("ca-file", "cert", "key"):
        add(f"--tls-{name}", type=existing, metavar="FILE", help="as for `dask scheduler`, whose address is tls:// then")
    arguments = parser.parse_args()
    if len({bool(file) for file in (arguments.tls_ca_file, arguments.tls_cert, arguments.tls_key)}) == 2:
        parser.error("--tls-ca-file, --tls-cert and --tls-key go together")
    return arguments


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
        again = f"{arguments.midflight} sweep shard {arguments.folder} --shard {min(failed)}/{about['shards']}"
        print(f"failed: {', '.join(map(str, sorted(failed)))}\nto see the first fail: {again}", file=sys.stderr)
        return 3
    print(f"all {about['shards']} shards are there; next: {arguments.midflight} sweep merge {arguments.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
