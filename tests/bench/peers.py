# SPDX-License-Identifier: ISC
"""What is measured: mxnss, and each peer as its package leaves it.

A program is told no more than who it is and, where it cannot find mail
exchangers, which smarthost to use; what it syncs and how many it starts is
as distributed.  Postfix gets a larger message size limit.
"""

import gzip
import re
import shutil
import subprocess
import time
from pathlib import Path

from cell import Cell, await_true

HOST = "client.sender.example"
SMARTHOST = "192.0.2.10"


class Program:
    name = ""
    packages = ()       # Debian's; the first is what is measured
    spool = ""
    queues = True       # keeps mail that cannot be delivered at once
    finds_mx = True     # delivers to mail exchangers of any domain
    holds = True        # can be told to queue and deliver later

    def __init__(self, work, spools):
        self.work = work
        self.spools = spools
        self.cell = None
        self.debs = []

    # -- life ----------------------------------------------------------------

    def make(self):
        self.cell = Cell(self.name, self.work, self.spools, self.spool)
        for deb in self.debs:
            self.cell.unpack(deb)
        self.cell.write("/etc/mailname", "sender.example\n")
        self.cell.write("/etc/hostname", HOST + "\n")
        self.cell.write("/etc/hosts", "127.0.0.1 localhost\n"
                        f"192.0.2.1 {HOST} client\n")
        self.cell.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.cell.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                        "hosts: files dns\n")
        self.configure()
        self.cell.run("ldconfig")

    def configure(self):
        pass

    def start(self):
        """What has to run before mail is submitted."""

    def stop(self):
        self.cell.kill_all()

    def strace_start(self, out):
        """start(), with its synchronising calls written to the file OUT."""
        self.start()

    def reset(self):
        """Forget all mail, and whoever refused it."""
        self.stop()
        self.cell.run("find", self.spool, "-type", "f", "-not", "-name",
                      "VERSION", "-delete")
        self.start()

    # -- mail ----------------------------------------------------------------

    def sendmail(self, rcpt):
        return ["/usr/sbin/sendmail", "-i", "-f", "alice@sender.example", rcpt]

    def hold(self):
        """From now on mail is queued only."""

    def held(self, rcpt):
        """sendmail() while hold() is in effect."""
        return self.sendmail(rcpt)

    def await_held(self, n):
        """Wait until N messages are in the queue to stay."""

    def flush(self):
        """Deliver what was held."""

    # -- facts ---------------------------------------------------------------

    def timers(self):
        """What starts it again and again: files of cron and of timers."""
        found = []
        for deb in self.debs:
            if deb.name.split("_")[0] not in self.packages:
                continue
            names = subprocess.run(
                f"dpkg-deb --fsys-tarfile '{deb}' | tar -t", shell=True,
                check=True, text=True, stdout=subprocess.PIPE).stdout
            found += re.findall(r"^\./(?:etc/cron\S*/\S*[^/\s]|\S+\.timer)$",
                                names, re.M)
        return found

    def own_octets(self):
        """Size of the files in its own packages."""
        total = 0
        for deb in self.debs:
            if deb.name.split("_")[0] in self.packages:
                total += int(subprocess.run(
                    f"dpkg-deb --fsys-tarfile '{deb}' | tar -tv | "
                    "awk '/^-/ { n += $3 } END { print n }'", shell=True,
                    check=True, text=True, stdout=subprocess.PIPE).stdout)
        return total

    def version(self):
        return self.debs[0].name.split("_")[1].replace("%3a", ":")


class Mxnss(Program):
    name = "mxnss"
    spool = "/var/spool/mxnss"
    runner = "/usr/libexec/mxnss/runner"

    def make(self):
        self.stage = Path("tests/bench/stage")
        super().make()

    def configure(self):
        cell = self.cell
        subprocess.run(["cp", "-R", f"{self.stage}/.", f"{cell.root}/"],
                       check=True)
        cell.add_user("_mxnss", 64901)
        cell.add_user("_mxdrop", 64904)
        cell.sh(f"""cd {self.spool}
mkdir -p drop queue host sts bad dead /run/mxnss
echo 1 >VERSION
chmod 0700 drop queue host sts bad dead
chown -R _mxnss:_mxnss . /run/mxnss
chown _mxnss:_mxdrop drop
chmod 3733 drop
chmod 0711 .""")

    def start(self):
        self.cell.spawn(self.runner, "--daemon")
        wake = self.cell.root / "run/mxnss/wake"
        await_true(wake.is_socket, 10, "the runner's socket")

    def stop(self):
        super().stop()
        (self.cell.root / "run/mxnss/wake").unlink(missing_ok=True)

    def strace_start(self, out):
        self.cell.spawn("strace", *STRACE, "-o", out, self.runner, "--daemon")
        wake = self.cell.root / "run/mxnss/wake"
        await_true(wake.is_socket, 10, "the runner's socket")

    def hold(self):
        self.stop()

    def flush(self):
        self.cell.spawn(self.runner, "--daemon")

    def start_idle(self):
        """As systemd would, for its socket: the runner may end."""
        self.stop()
        self.cell.spawn("python3", "-c", f"""
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/mxnss/wake")
os.chmod("/run/mxnss/wake", 0o666)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv("{self.runner}", ["{self.runner}"])""")
        await_true((self.cell.root / "run/mxnss/wake").is_socket, 10,
                   "the socket")

    def timers(self):
        return []           # mxnss-boot.timer counts once, from the boot

    def own_octets(self):
        """Of mxnss-mta, pages as packages have them; not of the libraries
        and getmx, which other packages have."""
        own = re.compile(r"sbin/|libexec/|systemd/|sysusers|tmpfiles|"
                         r"man8/|man1/(mailq|newaliases)")
        total = 0
        for file in self.stage.rglob("*"):
            name = str(file.relative_to(self.stage))
            if not file.is_file() or file.is_symlink() or not own.search(name):
                continue
            total += (len(gzip.compress(file.read_bytes()))
                      if "/man/" in name else file.stat().st_size)
        return total

    def version(self):
        out = subprocess.run([self.stage / "usr/sbin/sendmail", "--version"],
                             check=True, text=True, stdout=subprocess.PIPE)
        return out.stdout.split()[-1]


class Dma(Program):
    name = "dma"
    packages = ("dma",)
    spool = "/var/spool/dma"

    def configure(self):
        cell = self.cell
        cell.sh("""cp /usr/share/dma/dma.conf /etc/dma/dma.conf
chown root:mail /etc/dma/dma.conf
chmod 0640 /etc/dma/dma.conf
chown root:mail /var/spool/dma
chmod 2770 /var/spool/dma""")

    def sendmail(self, rcpt):
        return ["/usr/sbin/dma", "-i", "-f", "alice@sender.example", rcpt]

    def held(self, rcpt):
        return ["/usr/sbin/dma", "-bq", "-i", "-f", "alice@sender.example",
                rcpt]

    def flush(self):
        # in the background: whom process 1 inherits is in the account
        self.cell.sh("/usr/sbin/dma -q >/dev/null 2>&1 &")


class Postfix(Program):
    name = "postfix"
    packages = ("postfix",)
    spool = "/var/spool/postfix"

    def configure(self):
        cell = self.cell
        cell.add_user("postfix", 64910)
        cell.add_user("postdrop", 64911)
        master = cell.root / "usr/share/postfix/master.cf.dist"
        if not master.exists():
            master = cell.root / "etc/postfix/master.cf.proto"
        lines = []
        for line in master.read_text().splitlines():
            word = line.split()
            # no server: nothing here listens; and no chroot to be filled
            if len(word) >= 8 and word[1] == "inet":
                continue
            if len(word) >= 8 and word[4] == "y":
                line = " ".join(word[:4] + ["n"] + word[5:])
            lines.append(line)
        cell.write("/etc/postfix/master.cf", "\n".join(lines) + "\n")
        cell.write("/etc/postfix/main.cf", f"""compatibility_level = 3.6
myhostname = {HOST}
myorigin = sender.example
mydestination = {HOST}
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
message_size_limit = 52428800
""")
        cell.sh("""mkdir -p /var/lib/postfix
chown postfix:postfix /var/lib/postfix
postfix set-permissions >/dev/null 2>&1 || :
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue
cp /etc/services /etc/nsswitch.conf /etc/resolv.conf /etc/hosts \
    /var/spool/postfix/etc/""")

    def start(self):
        self.cell.run("postfix", "start")
        time.sleep(0.5)

    def strace_start(self, out):
        self.start()
        pid = (self.cell.root / "var/spool/postfix/pid/master.pid")
        self.cell.spawn("strace", *STRACE, "-o", out, "-p",
                        pid.read_text().strip())
        # processes that run already are not followed: have new ones
        time.sleep(0.3)
        self.cell.run("postfix", "reload")
        time.sleep(0.5)

    def stop(self):
        super().stop()
        (self.cell.root / "var/spool/postfix/pid/master.pid").unlink(
            missing_ok=True)

    def reset(self):
        self.stop()
        self.cell.sh("""cd /var/spool/postfix
for d in maildrop incoming active deferred defer; do
    find $d -type f -delete
done""")
        self.start()

    def hold(self):
        self.cell.run("postconf", "defer_transports=smtp")
        self.cell.run("postfix", "reload")
        time.sleep(0.3)

    def await_held(self, n):
        deferred = self.cell.root / "var/spool/postfix/deferred"
        await_true(lambda: sum(1 for f in deferred.rglob("*")
                               if f.is_file()) >= n, 120,
                   "Postfix defers all", pause=0.2)

    def flush(self):
        self.cell.run("postconf", "-X", "defer_transports")
        self.cell.run("postfix", "reload")
        time.sleep(0.3)
        self.cell.run("postqueue", "-f")


class Opensmtpd(Program):
    name = "opensmtpd"
    packages = ("opensmtpd",)
    spool = "/var/spool/smtpd"

    def configure(self):
        cell = self.cell
        cell.add_user("opensmtpd", 64912)
        cell.add_user("opensmtpq", 64913)
        cell.write("/etc/smtpd.conf", f"""listen on socket
action "out" relay helo {HOST}
match from local for any action "out"
""")
        cell.sh("""mkdir -p /var/lib/opensmtpd/empty
chmod 0711 /var/lib/opensmtpd /var/lib/opensmtpd/empty /var/spool/smtpd
chgrp opensmtpq /usr/sbin/smtpctl
chmod 2755 /usr/sbin/smtpctl
echo sender.example >/etc/mailname""")

    def start(self):
        self.cell.run("/usr/sbin/smtpd")
        socket = self.cell.root / "run/smtpd.sock"
        await_true(socket.is_socket, 10, "smtpd's socket")
        time.sleep(0.3)

    def stop(self):
        super().stop()
        (self.cell.root / "run/smtpd.sock").unlink(missing_ok=True)

    def strace_start(self, out):
        self.cell.spawn("strace", *STRACE, "-o", out, "/usr/sbin/smtpd", "-d")
        socket = self.cell.root / "run/smtpd.sock"
        await_true(socket.is_socket, 10, "smtpd's socket")
        time.sleep(0.5)

    def hold(self):
        self.cell.run("smtpctl", "pause", "mta")

    def flush(self):
        self.cell.run("smtpctl", "resume", "mta")


class Nullmailer(Program):
    name = "nullmailer"
    packages = ("nullmailer",)
    spool = "/var/spool/nullmailer"
    finds_mx = False

    def configure(self):
        cell = self.cell
        cell.add_user("mail", 8)
        cell.write("/etc/nullmailer/remotes", f"{SMARTHOST} smtp\n")
        cell.write("/etc/nullmailer/me", HOST + "\n")
        cell.sh("""cd /var/spool/nullmailer
mkdir -p queue tmp failed
[ -p trigger ] || mkfifo trigger
chown mail:root . queue tmp failed trigger
chmod 0622 trigger""")

    def start(self):
        self.cell.spawn(*self.daemon())
        time.sleep(0.3)

    def daemon(self):
        return ["setpriv", "--reuid=mail", "--regid=mail", "--clear-groups",
                "--", "/usr/sbin/nullmailer-send"]

    def strace_start(self, out):
        self.cell.spawn("strace", *STRACE, "-o", out, "-u", "mail",
                        "/usr/sbin/nullmailer-send")
        time.sleep(0.5)

    def hold(self):
        self.stop()

    def flush(self):
        self.cell.spawn(*self.daemon())


class Msmtp(Program):
    name = "msmtp"
    packages = ("msmtp", "msmtp-mta")
    spool = "/var/spool/msmtp"
    queues = False
    finds_mx = False
    holds = False

    def configure(self):
        self.cell.write("/etc/msmtprc", f"""account default
host {SMARTHOST}
port 25
domain {HOST}
from alice@sender.example
tls off
""")

    def sendmail(self, rcpt):
        return ["/usr/bin/msmtp", "-i", "-f", "alice@sender.example", rcpt]


PROGRAMS = (Mxnss, Dma, Postfix, Opensmtpd, Nullmailer, Msmtp)

# What makes data durable, with the names of what is synced.
STRACE = ["-f", "-y", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs,sync",
          "-e", "signal=none"]


def fetch(program, directory):
    """Fetch PROGRAM's packages and what they need and this machine has not.

    Returns why not, or None.  Nothing is installed.
    """
    if not program.packages:
        return None
    if shutil.which("apt-get") is None:
        return "there is no apt-get here"
    directory.mkdir(parents=True, exist_ok=True)
    plan = subprocess.run(
        ["apt-get", "-s", "-o", "APT::Get::Show-User-Simulation-Note=no",
         "install", "--no-install-recommends", *program.packages],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if plan.returncode != 0:
        return (plan.stdout.strip().splitlines() or ["apt-get failed"])[-1]
    names = list(program.packages)
    names += [n for n in re.findall(r"^Inst (\S+)", plan.stdout, re.M)
              if n not in names]
    got = subprocess.run(["apt-get", "-q", "download", *names], cwd=directory,
                         text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    if got.returncode != 0:
        return (got.stdout.strip().splitlines() or ["apt-get failed"])[-1]
    return None


def find_debs(program, directory):
    """The fetched packages, PROGRAM's own first."""
    debs = sorted(directory.glob("*.deb"))

    def rank(deb):
        name = deb.name.split("_")[0]
        return (program.packages.index(name) if name in program.packages
                else len(program.packages))
    return sorted(debs, key=rank)
