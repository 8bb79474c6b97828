#!/usr/bin/env python3
"""Sweeps on many machines, as `scripts/sweep_dask.py` makes them: real schedulers and workers on this machine, which are killed.

Whatever is lost, the merged rows are those of one machine, byte for byte. Needs Linux, what `scripts/requirements.txt` lists, the
program as the README builds it, openssl, and for the last test root and iproute2.
"""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "target" / "tmp" / "dask"
MIDFLIGHT = ROOT / "target" / "release" / "midflight"
PYTHON = Path(sys.executable).parent
SHARDS = 12
RESULTS = ("runs.csv", "summary.csv", "manifest.json")
PATIENCE = 60
# No pages, and no port that is open to others.
QUIET = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")

SWEEP = {
    "schema": 1,
    "why": "What becomes of a VM whose destination may die: some are lost, which is no reason to try again.",
    "base": {
        "schema": 1,
        "why": "A destination that may die.",
        "policy": "post-copy",
        "vms": [{"memory": "1 MiB", "workload": "write-uniform"}],
        "faults": [
            {
                "what": {"crash": "destination"},
                "when": {"law": {"time": {"uniform": {"from": "0 s", "to": "50 ms"}}, "from": "migrate"}},
            }
        ],
    },
    "axes": [{"path": "policy", "as": "protection", "files": ["post-copy", "postcopyft-periodic-source"]}],
    "replications": 60,
}


def program(at, before=""):
    """Midflight, after some lines of a shell; it notes which shard was begun by which worker. `$shard` is its number."""
    path = at / "program"
    path.write_text(
        f"""#!/bin/bash
shard=${{5%%/*}}
[ "$2" = shard ] || exec {MIDFLIGHT} "$@"
echo "$shard $PPID" >> {at}/begun
{before}
exec {MIDFLIGHT} "$@"
"""
    )
    path.chmod(0o755)
    return path


def midflight(*arguments):
    return subprocess.run([MIDFLIGHT, *map(str, arguments)], capture_output=True, text=True)


def ip(*command):
    done = subprocess.run(["ip", *command], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(command)}: {done.stderr}"


def until(what, holds):
    """Waits until something holds, and answers it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"in vain: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Dask:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, at, options=(), scheme="tcp", host="127.0.0.1", environment=None):
        self.at, self.options, self.port, self.processes = at, list(options), free_port(), []
        self.address = f"{scheme}://{host}:{self.port}"
        self.host, self.environment = host, {**os.environ, **(environment or {})}
        self.schedule()

    def schedule(self):
        more = ["--host", self.host, "--port", str(self.port), *QUIET, *self.options]
        self.scheduler = self.start("scheduler", [PYTHON / "dask", "scheduler", *more])
        until("a scheduler", self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def start(self, name, command):
        with open(self.at / f"{name}.log", "a") as log:
            process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, env=self.environment)
        self.processes.append(process)
        return process

    def worker(self, name, within=()):
        local = self.at / f"local-{name}"
        more = ["--nthreads", "1", "--no-nanny", *QUIET, "--local-directory", local, *self.options]
        return self.start(name, [*within, PYTHON / "dask", "worker", self.address, *more])

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Sweeps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(HERE, ignore_errors=True)
        HERE.mkdir(parents=True)

    def setUp(self):
        self.at = HERE / self._testMethodName
        self.at.mkdir()
        self.dir = self.at / "sweep"
        self.plan(SWEEP)

    def plan(self, sweep):
        """Cuts a sweep into shards, and learns what must come of it."""
        file, whole = self.at / "sweep.json", self.at / "whole"
        file.write_text(json.dumps(sweep))
        shutil.rmtree(whole, ignore_errors=True)
        for command in ([file, "--out", whole], ["plan", file, "--out", self.dir, "--shards", SHARDS]):
            done = midflight("sweep", *command)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.expected = [(whole / name).read_bytes() for name in RESULTS]

    def dask(self, *arguments, **options):
        dask = Dask(self.at, *arguments, **options)
        self.addCleanup(dask.close)
        return dask

    def two(self):
        """With two workers."""
        dask = self.dask()
        for name in "ab":
            dask.worker(name)
        return dask

    def drive(self, dask, program, *more):
        """Starts the driver."""
        command = [sys.executable, ROOT / "scripts" / "sweep_dask.py", self.dir, "--scheduler", dask.address]
        command += ["--midflight", MIDFLIGHT, "--program", program, *more]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        driver = subprocess.Popen(list(map(str, command)), **pipes, env=dask.environment)
        self.addCleanup(self.gone, driver)
        return driver

    def gone(self, driver):
        driver.kill()
        driver.communicate()

    def ended(self, driver, status):
        out, said = driver.communicate(timeout=PATIENCE * 2)
        self.assertEqual(driver.returncode, status, out + said)
        return out + said

    def there(self):
        return {int(path.stem): path.stat().st_mtime_ns for path in self.dir.glob("shards/*.ndjson")}

    def some(self):
        """Waits for a few shards, and answers those that are there."""
        return until("three shards", lambda: len(self.there()) >= 3 and self.there())

    def begun(self):
        """Shard and worker of each try, in order."""
        lines = (self.at / "begun").read_text().splitlines()
        return [tuple(map(int, line.split())) for line in lines]

    def tries(self):
        shards = [shard for shard, _ in self.begun()]
        return {shard: shards.count(shard) for shard in range(SHARDS)}

    def is_whole(self):
        merged = midflight("sweep", "merge", self.dir)
        self.assertEqual(merged.returncode, 0, merged.stderr)
        for name, expected in zip(RESULTS, self.expected):
            self.assertTrue((self.dir / name).read_bytes() == expected, name)

    def test_nothing_happens(self):
        """Each shard is made once, and those that break claims are no exception."""
        dask = self.two()
        self.assertIn("all 12 shards are there", self.ended(self.drive(dask, program(self.at)), 0))
        self.assertEqual(set(self.tries().values()), {1})
        shards = [path.read_text() for path in self.dir.glob("shards/*.ndjson")]
        self.assertTrue(all('"lost"' in shard for shard in shards[:1]) and any('"lost"' in shard for shard in shards))
        self.is_whole()
        self.assertIn("all 12 shards are there", self.ended(self.drive(dask, "/none"), 0))

    def test_a_worker_is_killed(self):
        dask = self.dask()
        workers = {dask.worker(name).pid for name in "ab"}
        driver = self.drive(dask, program(self.at, "sleep 0.3"))
        before = self.some()
        shard, worker = self.begun()[-1]
        self.assertIn(worker, workers)
        os.kill(worker, signal.SIGKILL)
        self.ended(driver, 0)
        again = {shard for shard, tries in self.tries().items() if tries > 1}
        # It may have just ended one, and begun the next.
        self.assertLessEqual(len(again), 2, "no other than what it had in hand is made again")
        self.assertFalse(again & set(before), "what was there is not made again")
        self.is_whole()

    def test_the_driver_is_killed(self):
        dask = self.two()
        driver = self.drive(dask, program(self.at, "sleep 0.3"))
        before = self.some()
        driver.kill()
        driver.wait()
        before = self.there()
        self.assertLess(len(before), SHARDS)
        self.ended(self.drive(dask, program(self.at)), 0)
        self.assertEqual({shard: self.there()[shard] for shard in before}, before, "what was there is not made again")
        self.is_whole()

    def test_the_scheduler_is_killed(self):
        dask = self.two()
        driver = self.drive(dask, program(self.at, "sleep 0.3"), "--connect-timeout", "3")
        self.some()
        dask.scheduler.kill()
        self.assertIn("the same command goes on", self.ended(driver, 3))
        before = self.there()
        self.assertLess(len(before), SHARDS)
        dask.scheduler.wait()
        nobody = self.drive(dask, program(self.at), "--connect-timeout", "1")
        self.assertIn("the same command goes on", self.ended(nobody, 3))
        dask.schedule()
        dask.worker("c")
        self.ended(self.drive(dask, program(self.at)), 0)
        self.assertEqual({shard: self.there()[shard] for shard in before}, before, "what was there is not made again")
        self.is_whole()

    def test_poison_spoils_nothing(self):
        """One shard kills its process, one hangs, one is refused by the machine: each is tried three times and named."""
        dask = self.two()
        poison = 'case $shard in 3) kill -9 $$ ;; 5) exec sleep 60 ;; 7) echo "no room" >&2; exit 3 ;; esac'
        said = self.ended(self.drive(dask, program(self.at, poison), "--timeout", "4"), 3)
        self.assertIn("failed: 3, 5, 7", said)
        self.assertEqual({shard for shard in range(SHARDS)} - set(self.there()), {3, 5, 7})
        self.assertEqual(self.tries(), {shard: 3 if shard in (3, 5, 7) else 1 for shard in range(SHARDS)})
        status = json.loads(midflight("sweep", "status", self.dir, "--format", "json").stdout)
        why = {failed["shard"]: failed["why"] for failed in status["failed"]}
        self.assertEqual(why, {3: "signal 9", 5: "not done after 4 s", 7: "exit status 3: no room"})
        self.ended(self.drive(dask, program(self.at)), 0)
        self.assertEqual(list(self.dir.glob("shards/*.failed")), [])
        self.is_whole()

    def test_a_wrong_program_stops_the_sweep(self):
        dask = self.two()
        wrong = program(self.at, 'sleep 0.2; echo "another version" >&2; exit 2')
        self.assertIn("another version", self.ended(self.drive(dask, wrong), 2))
        self.assertLess(len(self.begun()), SHARDS, "no shard is tried after it is known")
        self.assertIn("No such file", self.ended(self.drive(dask, "/none"), 2))
        self.assertEqual(self.there(), {})
        (self.dir / "plan.json").write_text("{}")
        self.assertIn("is a plan of", self.ended(self.drive(dask, wrong), 2))

    def test_what_is_typed_wrong_says_so(self):
        nowhere = ["--scheduler", "tcp://127.0.0.1:1", "--connect-timeout", "1"]
        for arguments, status, expected in (
            ([self.dir, "--scheduler", "nonsense://x"], 2, "--scheduler nonsense://x: "),
            ([self.dir, *nowhere], 3, "the same command goes on"),
            ([self.dir, *nowhere, "--midflight", "/none"], 2, "/none: no such program"),
            ([self.dir, *nowhere, "--midflight", "true"], 2, "true: "),
            ([self.dir, *nowhere, "--tls-ca-file", "/none"], 2, "/none: no such file"),
            ([self.dir, *nowhere, "--tls-cert", self.at / "sweep.json"], 2, "go together"),
            ([self.dir], 2, "one of the arguments --scheduler --slurm --dry-run is required"),
            ([self.at, *nowhere], 2, "holds no plan of a sweep"),
            ([self.dir, "--dry-run"], 0, "12 of 12 shards are to be made: 0 1 2 3 4 5 6 7 8 9 10 11"),
        ):
            command = [sys.executable, ROOT / "scripts" / "sweep_dask.py", "--midflight", MIDFLIGHT, *arguments]
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            self.assertEqual(done.returncode, status, f"{expected}: {done.stderr}")
            self.assertIn(expected, done.stdout + done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_what_comes_is_verified(self):
        spec = importlib.util.spec_from_file_location("sweep_dask", ROOT / "scripts" / "sweep_dask.py")
        driver = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(driver)
        lines = subprocess.run([MIDFLIGHT, "sweep", "shard", self.dir, "--shard", "3/12"], capture_output=True).stdout
        plan = json.loads(midflight("sweep", "status", self.dir, "--format", "json").stdout)["plan"]
        self.assertTrue(driver.is_shard(lines, plan, 3))
        for what, changed in {
            "another row": lines.replace(b'"lost"', b'"loot"', 1),
            "a row less": b"\n".join(lines.split(b"\n")[:1] + lines.split(b"\n")[2:]),
            "cut off": lines[:-40],
            "nothing": b"",
            "something else": b"[]\n[]\n",
        }.items():
            self.assertNotEqual(changed, lines, what)
            self.assertFalse(driver.is_shard(changed, plan, 3), what)
        self.assertFalse(driver.is_shard(lines, plan, 4))
        self.assertFalse(driver.is_shard(lines, plan.replace("sha256", "sha1"), 3))

    def test_a_worker_joins_and_gets_the_program(self):
        """Over TLS, and a client without it is refused."""
        for name, subject in (("ca", "ca"), ("node", "node")):
            sign = ["-x509"] if name == "ca" else ["-x509", "-CA", self.at / "ca.pem", "-CAkey", self.at / "ca.key"]
            files = ["-keyout", self.at / f"{name}.key", "-out", self.at / f"{name}.pem"]
            command = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}", *sign, *files]
            made = subprocess.run(list(map(str, command)), capture_output=True, text=True)
            self.assertEqual(made.returncode, 0, made.stderr)
        files = [("ca-file", "ca.pem"), ("cert", "node.pem"), ("key", "node.key")]
        options = [part for name, file in files for part in (f"--tls-{name}", self.at / file)]
        dask = self.dask(options, scheme="tls")
        ship = program(self.at, "sleep 0.3")
        dask.worker("a")
        driver = self.drive(dask, "/none", "--ship-binary", "--midflight", ship, *options)
        self.some()
        late = dask.worker("late")
        self.ended(driver, 0)
        self.assertIn(late.pid, {worker for _, worker in self.begun()})
        self.is_whole()
        shutil.rmtree(self.dir / "shards")
        dask.address = dask.address.replace("tls", "tcp")
        self.assertIn("the same command goes on", self.ended(self.drive(dask, ship, "--connect-timeout", "1"), 3))

    def test_a_host_that_cannot_hold_the_program_leaves(self):
        dask = self.dask()
        # No file of more than a MiB.
        full = dask.worker("full", ["bash", "-c", 'ulimit -f 1024; exec "$@"', "bash"])
        driver = self.drive(dask, "/none", "--ship-binary")
        full.wait(PATIENCE)
        self.assertEqual(self.there(), {})
        dask.worker("a")
        self.ended(driver, 0)
        self.is_whole()

    @unittest.skipUnless(os.geteuid() == 0, "network namespaces are for root")
    def test_two_hosts_without_a_shared_file_system(self):
        """Two network namespaces that see neither plan nor program; the link of one is taken down."""
        for number in (1, 2):
            self.host(number)
        # The least that it takes; half a minute is usual until a dead link is noticed.
        dask = self.dask(host="10.77.1.1", environment={"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"})
        hide = f"mount -t tmpfs none {MIDFLIGHT.parent} && mount -t tmpfs none {HERE} && mkdir -p {self.at}"
        for number in (1, 2):
            within = ["ip", "netns", "exec", f"midflight{number}", "unshare", "-m", "sh", "-c", f'{hide} && exec "$@"', "sh"]
            dask.worker(f"on-{number}", within)
        # The program itself is shipped, so that it cannot be slowed down: it has more to do instead.
        shutil.rmtree(self.dir)
        long = json.loads(json.dumps(SWEEP).replace("1 MiB", "8 MiB"))
        self.plan({**long, "replications": 300})
        driver = self.drive(dask, "/none", "--ship-binary")
        self.some()
        ip("link", "set", "mf1", "down")
        self.assertLess(len(self.there()), SHARDS)
        self.ended(driver, 0)
        self.is_whole()

    def host(self, number):
        """A host with one link to this one, and beyond."""
        name, ours, theirs = f"midflight{number}", f"mf{number}", f"mf{number}peer"
        for left in (["netns", "del", name], ["link", "del", ours]):
            subprocess.run(["ip", *left], capture_output=True)
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        self.addCleanup(ip, "netns", "del", name)
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        ip("addr", "add", f"10.77.{number}.1/24", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", name, "addr", "add", f"10.77.{number}.2/24", "dev", theirs)
        ip("-n", name, "link", "set", theirs, "up")
        ip("-n", name, "route", "add", "default", "via", f"10.77.{number}.1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
