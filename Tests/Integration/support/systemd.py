"""A systemd of a test's own: process 1 of namespaces of its own, with units of the test and none of the machine's."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from support.deadline import eventually
from support.deployment import is_superuser

SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup")

# Within new namespaces. /etc, /run and /usr/local/bin can be written to without the machine's files being changed; of
# the machine's units there are only targets, which say in which order things begin; the kernel's settings are read-only.
BEGIN = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/etc /run/etc-work /run/bin /run/units
cp -d /lib/systemd/system/*.target /lib/systemd/system/*.slice /run/units/ 2>/dev/null || true
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work /etc
for folder in /etc/systemd/system /lib/systemd/system-generators; do mount -t tmpfs tmpfs $folder; done
mount --bind /run/units /lib/systemd/system
cp "$FOLDER"/*.service "$FOLDER"/*.socket /etc/systemd/system
mount --bind /run/bin /usr/local/bin
cp "$FOLDER"/app /usr/local/bin/app
for folder in /tmp /var/tmp; do mount -t tmpfs tmpfs $folder; done
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
exec env container=test /lib/systemd/systemd --system --unit=basic.target --log-target=console
"""


def why_not():
    """Why there can be no such systemd here; None if there can."""
    if not is_superuser():
        return "only the superuser can begin a systemd in namespaces of its own"
    if not SYSTEMD.exists():
        return "there is no systemd"
    return None if _unified_cgroups() else "there are no cgroups of version 2"


def _unified_cgroups():
    return next((place for place in (CGROUPS, CGROUPS / "unified") if (place / "cgroup.procs").exists()), None)


class Systemd:
    def __init__(self, pid):
        self._pid = pid

    def run(self, *command):
        """Runs a command within the namespaces; returns what it printed."""
        inside = ["nsenter", "--target", str(self._pid), "--mount", "--pid", "--cgroup"]
        result = subprocess.run([*inside, *command], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, f"{command} failed: {result.stdout}{result.stderr}"
        return result.stdout.strip()

    def path(self, name):
        """Where a file of the namespaces is for others."""
        return Path(f"/proc/{self._pid}/root") / name.lstrip("/")

    def write(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def main_pid(self, unit):
        """The unit's process, by its number in the namespaces."""
        return int(self.run("systemctl", "show", "--property=MainPID", "--value", unit))

    def is_active(self, unit):
        return self.run("systemctl", "show", "--property=ActiveState", "--value", unit) == "active"


@contextlib.contextmanager
def own_systemd(folder):
    """Begins with the units in the folder, and its program `app`; at the end all of its processes are ended."""
    cgroup = _unified_cgroups() / f"jazzy-test-{os.getpid()}"
    cgroup.mkdir()

    def enter_cgroup():
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))

    namespaces = "--fork --kill-child --pid --mount --mount-proc --cgroup --uts --ipc".split()
    log = tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        ["unshare", *namespaces, "bash", "-c", BEGIN],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, "FOLDER": str(folder)},
        preexec_fn=enter_cgroup,
    )
    try:
        yield Systemd(eventually(lambda: _ready_child_of(process, log), "systemd has begun"))
    finally:
        process.kill()
        process.wait()
        eventually(lambda: _is_removed(cgroup), "its processes have ended")
        log.close()


def _ready_child_of(process, log):
    """The process 1 of the namespaces, once systemd talks to systemctl."""
    if process.poll() is not None:
        log.seek(0)
        raise AssertionError(f"systemd did not begin: {log.read()}")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    if not children:
        return None
    inside = ["nsenter", "--target", children[0], "--mount", "--pid", "systemctl", "is-active", "basic.target"]
    is_ready = subprocess.run(inside, capture_output=True, timeout=60).stdout.strip() == b"active"
    return int(children[0]) if is_ready else None


def _is_removed(cgroup):
    """Removes it; the kernel refuses that as long as a process in it has not ended."""
    groups = [path for path in cgroup.rglob("*") if path.is_dir()]
    try:
        for group in [*sorted(groups, reverse=True), cgroup]:
            group.rmdir()
    except OSError:
        return False
    return True
