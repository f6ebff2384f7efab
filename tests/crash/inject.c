/* SPDX-License-Identifier: ISC */
/*
 * Runs a command and does something to the system calls that it and its
 * children make: kills at one, fails one, leaves one out, shortens one.
 *
 *	inject [-hn] [-u UID:GID[,GID...]] [-t SECONDS] [-o TRACE] [-d DIR]
 *	    [-r RULE]... [-e NAME=VALUE]... COMMAND [ARG]...
 *
 * -e adds to the environment of COMMAND, but not to that of inject.  With -n
 * COMMAND is not traced: only -u and -e have a meaning.
 *
 * A RULE is PROC,WHEN,CALL,ACTION:
 *
 *	PROC	0 is COMMAND, 1 its first child and so on; * any of them; +
 *		any but COMMAND
 *	WHEN	K: the K-th call that matches, counted in each process; K+N:
 *		that, and every N-th after it
 *	CALL	the name of a system call; * any
 *	ACTION	kill	SIGKILL instead of the call
 *		killall	SIGKILL to all processes
 *		ENAME	the call is not made and fails: EIO, ENOSPC...; but
 *			close(2) is made
 *		skip	the call is not made and returns 0
 *		short	what is read, written, sent or received is one octet
 *
 * Calls that the dynamic loader makes are neither counted nor changed.
 *
 * TRACE gets a line for each call when it returns, "TIME PROC K NAME RESULT",
 * with TIME in ns of CLOCK_MONOTONIC and K counting all calls of the process.
 * With -d, what a call changed in the file system of DIR follows, by inode
 * numbers:
 *
 *	create DIR NAME INO UID GID MODE	tmpfile INO UID GID MODE
 *	mkdir DIR NAME INO UID GID MODE		link DIR NAME INO
 *	unlink DIR NAME				rename DIR NAME DIR NAME
 *	write INO OFFSET HEX			truncate INO LENGTH
 *	mode INO MODE				time INO SECONDS
 *	fsync INO	fdatasync INO		sync
 *
 * "TIME PROC K hit NAME" says that a rule has struck, "TIME PROC K exit
 * STATUS" that a process has ended.  With -h there are no other lines; that is
 * cheaper, as processes that no rule is about, or not any more, run freely.
 * The exit status is that of COMMAND, 128 + N when
 * it died by signal N, 124 when SECONDS were over.  Only COMMAND is waited
 * for; children that live longer are killed, unless it was killed itself:
 * then they are given up, untraced, and end as they like.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "changes.h"

#define MAXPROCS	256
#define MAXRULES	16
#define MAXGIVEN	8
#define NOT_IN_KERNEL	(-1)

/* --- names ---------------------------------------------------------------- */

#define C(name)	{ #name, SYS_##name }
static const struct {
	const char	*name;
	long		 nr;
} calls[] = {
	C(read), C(write), C(close), C(fstat), C(lseek), C(mmap),
	C(mprotect), C(munmap), C(brk), C(rt_sigaction), C(rt_sigprocmask),
	C(ioctl), C(pread64), C(pwrite64), C(readv), C(writev), C(dup),
	C(dup3), C(fcntl), C(flock), C(fsync), C(fdatasync), C(ftruncate),
	C(fallocate), C(sync_file_range), C(syncfs), C(sync), C(getdents64),
	C(getcwd), C(chdir), C(openat), C(mkdirat), C(unlinkat), C(renameat),
#ifdef SYS_renameat2
	C(renameat2),
#endif
	C(linkat), C(symlinkat), C(fchmod), C(fchmodat), C(fchown),
	C(fchownat), C(utimensat), C(statfs), C(fstatfs), C(newfstatat),
	C(statx), C(faccessat), C(faccessat2), C(readlinkat), C(close_range),
	C(socket), C(socketpair), C(bind), C(listen), C(accept4), C(connect),
	C(sendto), C(recvfrom), C(sendmsg), C(recvmsg), C(sendmmsg),
	C(shutdown), C(getsockname), C(getpeername), C(setsockopt),
	C(getsockopt), C(ppoll), C(pselect6), C(epoll_create1),
	C(epoll_ctl), C(signalfd4), C(eventfd2), C(inotify_init1),
	C(inotify_add_watch), C(clone), C(clone3), C(execve), C(wait4),
	C(kill), C(tgkill), C(exit_group), C(getpid), C(getuid), C(geteuid),
	C(getgid), C(getegid), C(getresuid), C(getresgid), C(setresuid),
	C(setresgid), C(setgroups), C(setsid), C(umask), C(prctl),
	C(prlimit64), C(setitimer), C(clock_gettime), C(clock_nanosleep),
	C(getrandom), C(futex), C(uname), C(sendfile), C(copy_file_range),
	C(capget), C(capset), C(seccomp), C(pidfd_send_signal), C(pidfd_open),
#ifdef SYS_open
	C(open), C(stat), C(lstat), C(poll), C(dup2), C(access), C(pipe),
	C(mkdir), C(rmdir), C(unlink), C(rename), C(link), C(chmod),
	C(readlink), C(fork), C(vfork), C(time), C(alarm), C(getpgrp),
#endif
	C(pipe2), C(sysinfo), C(getppid), C(rt_sigreturn), C(madvise),
	C(mremap),
};

#define E(name)	{ #name, name }
static const struct {
	const char	*name;
	int		 no;
} errors[] = {
	E(EPERM), E(EINTR), E(EIO), E(EAGAIN), E(ENOMEM), E(EACCES),
	E(EBUSY), E(ENFILE), E(EMFILE), E(ENOSPC), E(EROFS), E(EDQUOT),
	E(ENOSYS), E(ENOENT), E(EOPNOTSUPP),
};

#define NELEM(a)	(sizeof(a) / sizeof((a)[0]))

static const char *
call_name(long nr)
{
	static char text[32];
	size_t i;

	for (i = 0; i < NELEM(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	snprintf(text, sizeof(text), "call%ld", nr);
	return text;
}

/* --- rules ---------------------------------------------------------------- */

enum action { A_NONE, A_KILL, A_KILLALL, A_ERROR, A_SKIP, A_SHORT };

struct rule {
	int		 from, to;	/* processes */
	unsigned	 when;
	unsigned	 every;		/* 0: once */
	long		 nr;		/* -1: any */
	enum action	 action;
	int		 error;
};

static struct rule rules[MAXRULES];
static size_t nrules;

static long
number(const char *s)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || v < 0 || v > INT_MAX)
		errx(64, "not a number: %s", s);
	return v;
}

static void
parse_action(struct rule *r, const char *s)
{
	size_t i;

	if (strcmp(s, "kill") == 0)
		r->action = A_KILL;
	else if (strcmp(s, "killall") == 0)
		r->action = A_KILLALL;
	else if (strcmp(s, "skip") == 0)
		r->action = A_SKIP;
	else if (strcmp(s, "short") == 0)
		r->action = A_SHORT;
	for (i = 0; i < NELEM(errors) && r->action == A_NONE; i++)
		if (strcmp(errors[i].name, s) == 0) {
			r->action = A_ERROR;
			r->error = errors[i].no;
		}
	if (r->action == A_NONE)
		errx(64, "no such action: %s", s);
}

static void
parse_rule(char *s)
{
	struct rule *r = &rules[nrules];
	char *word[4], *plus;
	size_t i;

	if (nrules++ == MAXRULES)
		errx(64, "too many rules");
	for (i = 0; i < 4; i++)
		if ((word[i] = strsep(&s, ",")) == NULL)
			errx(64, "a rule is PROC,WHEN,CALL,ACTION");
	r->from = strcmp(word[0], "+") == 0;
	r->to = INT_MAX;
	if (strpbrk(word[0], "*+") == NULL)
		r->from = r->to = (int)number(word[0]);
	if ((plus = strchr(word[1], '+')) != NULL) {
		*plus = '\0';
		r->every = (unsigned)number(plus + 1);
	}
	r->when = (unsigned)number(word[1]);
	r->nr = -1;
	if (strcmp(word[2], "*") != 0) {
		for (i = 0; i < NELEM(calls); i++)
			if (strcmp(calls[i].name, word[2]) == 0)
				r->nr = calls[i].nr;
		if (r->nr == -1)
			errx(64, "no such call: %s", word[2]);
	}
	parse_action(r, word[3]);
}

/* --- processes ------------------------------------------------------------ */

struct proc {
	pid_t		 pid;
	int		 ordinal;
	bool		 known;		/* its parent was told of it */
	bool		 ready;		/* options are set, it runs */
	unsigned	 count;		/* calls */
	unsigned	 matched[MAXRULES];
	uint64_t	 ld_from, ld_to;	/* text of the dynamic loader */
	bool		 ld_sought;
	bool		 inside;	/* a call that we look at */
	long		 nr;
	uint64_t	 args[6];
	bool		 fake;		/* it is not made: the result is ours */
	int64_t		 result;
	bool		 existed;	/* openat: what it names */
	uint64_t	 brk;		/* the last result of brk(2) */
};

static struct proc procs[MAXPROCS];
static size_t nprocs;
static int next_ordinal;
static bool started;		/* COMMAND was executed */
static FILE *trace;
static bool telling;		/* of changes */
static bool hits_only;		/* in the trace, if there is one */

static struct proc *
find_proc(pid_t pid)
{
	size_t i;

	for (i = 0; i < nprocs; i++)
		if (procs[i].pid == pid)
			return &procs[i];
	if (nprocs == MAXPROCS)
		errx(70, "too many processes");
	memset(&procs[nprocs], 0, sizeof(procs[0]));
	procs[nprocs].pid = pid;
	return &procs[nprocs++];
}

static void
forget(struct proc *p)
{
	*p = procs[--nprocs];
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void __attribute__((format(printf, 2, 3)))
say(const struct proc *p, const char *fmt, ...)
{
	va_list ap;

	if (trace == NULL)
		return;
	fprintf(trace, "%" PRIu64 " %d %u ", now(), p->ordinal, p->count);
	va_start(ap, fmt);
	vfprintf(trace, fmt, ap);
	va_end(ap);
}

/* Where the dynamic loader is mapped. */
static void
seek_loader(struct proc *p)
{
	char path[64], line[512], *name;
	uint64_t from, to;
	FILE *f;

	p->ld_sought = true;
	p->ld_from = p->ld_to = 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)p->pid);
	if ((f = fopen(path, "r")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2 ||
		    (name = strrchr(line, '/')) == NULL ||
		    strncmp(name, "/ld-", 4) != 0)
			continue;
		if (p->ld_from == 0)
			p->ld_from = from;
		p->ld_to = to;
	}
	fclose(f);
}

/* --- changing a call ------------------------------------------------------ */

#if defined(__x86_64__)
static void
change(pid_t pid, const long *nr, const int64_t *result, const uint64_t *len)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r) == -1)
		return;
	if (nr != NULL)
		r.orig_rax = (unsigned long long)*nr;
	if (result != NULL)
		r.rax = (unsigned long long)*result;
	if (len != NULL)
		r.rdx = *len;
	(void)ptrace(PTRACE_SETREGS, pid, 0, &r);
}
#elif defined(__aarch64__)
#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL	0x404
#endif
static void
change(pid_t pid, const long *nr, const int64_t *result, const uint64_t *len)
{
	struct user_regs_struct r;
	struct iovec regs = { &r, sizeof(r) };
	int no;
	struct iovec call = { &no, sizeof(no) };

	if (nr != NULL) {
		no = (int)*nr;
		(void)ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call);
	}
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &regs) == -1)
		return;
	if (result != NULL)
		r.regs[0] = (unsigned long long)*result;
	if (len != NULL)
		r.regs[2] = *len;
	(void)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &regs);
}
#else
static void
change(pid_t pid, const long *nr, const int64_t *result, const uint64_t *len)
{
	(void)pid, (void)nr, (void)result, (void)len;
	errx(77, "not on this kind of machine");
}
#endif

static bool
has_length(long nr)
{
	return nr == SYS_read || nr == SYS_write || nr == SYS_pread64 ||
	    nr == SYS_pwrite64 || nr == SYS_sendto || nr == SYS_recvfrom ||
	    nr == SYS_getrandom;
}

static void
leave_out(struct proc *p, int64_t result)
{
	static const long none = NOT_IN_KERNEL;

	/* brk(2) tells of an error by where the break still is */
	if (p->nr == SYS_brk)
		result = (int64_t)p->brk;

	p->fake = true;
	p->result = result;
	/* close(2) always closes */
	if (p->nr != SYS_close)
		change(p->pid, &none, NULL, NULL);
}

static void
apply(struct proc *p, const struct rule *r)
{
	static const uint64_t one = 1;

	if (r->action != A_SHORT)
		say(p, "hit %s\n", call_name(p->nr));
	switch (r->action) {
	case A_KILL:
		kill(p->pid, SIGKILL);
		break;
	case A_KILLALL:
		exit(137);	/* PTRACE_O_EXITKILL */
	case A_ERROR:
		leave_out(p, -r->error);
		break;
	case A_SKIP:
		leave_out(p, 0);
		break;
	case A_SHORT:
		if (has_length(p->nr) &&
		    p->args[2] > 1)
			change(p->pid, NULL, NULL, &one);
		break;
	case A_NONE:
		break;
	}
}

static void
apply_rules(struct proc *p)
{
	const struct rule *r;
	unsigned n;
	size_t i;

	for (i = 0; i < nrules; i++) {
		r = &rules[i];
		if (p->ordinal < r->from || p->ordinal > r->to ||
		    (r->nr != -1 && r->nr != p->nr))
			continue;
		n = ++p->matched[i];
		if (n == r->when || (r->every != 0 && n > r->when &&
		    (n - r->when) % r->every == 0)) {
			apply(p, r);
			return;
		}
	}
}

/* --- stops ---------------------------------------------------------------- */

static void
on_entry(struct proc *p, uint64_t ip)
{
	p->inside = p->fake = false;
	if (!started)
		return;
	if (!p->ld_sought)
		seek_loader(p);
	if (ip >= p->ld_from && ip < p->ld_to)
		return;
	p->inside = true;
	p->count++;
	p->existed = telling && p->nr == SYS_openat &&
	    (p->args[2] & O_CREAT) != 0 && changes_exists(p->pid, p->args);
	apply_rules(p);
}

static void
on_exit_stop(struct proc *p, const struct ptrace_syscall_info *info)
{
	int64_t ret = info->exit.rval;
	bool faked = false;

	if (p->nr == SYS_brk && !p->fake)
		p->brk = (uint64_t)ret;
	if (!p->inside)
		return;
	p->inside = false;
	if (p->fake) {
		ret = p->result;
		p->fake = false;
		change(p->pid, NULL, &ret, NULL);
		faked = true;
	}
	if (hits_only)
		return;
	say(p, "%s %" PRId64, call_name(p->nr), ret);
	if (telling && ret >= 0 && !faked)
		changes_show(trace, p->pid, p->nr, call_name(p->nr), p->args,
		    ret, p->existed);
	putc('\n', trace);
}

static void
on_syscall(struct proc *p)
{
	struct ptrace_syscall_info info;
	size_t i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		p->nr = (long)info.entry.nr;
		for (i = 0; i < NELEM(p->args); i++)
			p->args[i] = info.entry.args[i];
		on_entry(p, info.instruction_pointer);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_exit_stop(p, &info);
}

/* Whether it matters what P calls. */
static bool
is_of_interest(const struct proc *p)
{
	const struct rule *r;
	size_t i;

	if (!hits_only || p->fake)
		return true;
	for (i = 0; i < nrules; i++) {
		r = &rules[i];
		if (p->ordinal >= r->from && p->ordinal <= r->to &&
		    (r->every != 0 || p->matched[i] < r->when))
			return true;
	}
	return false;
}

static void
go_on(const struct proc *p, int sig)
{
	(void)ptrace(is_of_interest(p) ? PTRACE_SYSCALL : PTRACE_CONT, p->pid,
	    0, sig);
}

static void
on_fork(struct proc *p)
{
	struct proc *child;
	unsigned long pid = 0;
	uint64_t from = p->ld_from, to = p->ld_to, brk = p->brk;
	bool sought = p->ld_sought;

	(void)ptrace(PTRACE_GETEVENTMSG, p->pid, 0, &pid);
	child = find_proc((pid_t)pid);
	child->known = true;
	child->ordinal = ++next_ordinal;
	child->ld_from = from;
	child->ld_to = to;
	child->ld_sought = sought;
	child->brk = brk;
	if (child->ready)	/* its first stop came before this */
		go_on(child, 0);
}

static void
on_exec(struct proc *p)
{
	p->ld_sought = false;
	p->inside = false;
	started = true;
}

/* Go on after a stop; PASS is a signal to deliver. */
static void
on_stop(struct proc *p, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, pass = 0;

	if (!p->ready && sig == SIGSTOP) {
		p->ready = true;
		if (!p->known)
			return;		/* until its parent tells */
	} else if (sig == (SIGTRAP | 0x80))
		on_syscall(p);
	else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE) {
		pid_t pid = p->pid;

		on_fork(p);
		p = find_proc(pid);
	} else if (event == PTRACE_EVENT_EXEC)
		on_exec(p);
	else if (event == 0)
		pass = sig;
	go_on(p, pass);
}

static int
status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

static void
on_alarm(int sig)
{
	(void)sig;
	_exit(124);	/* PTRACE_O_EXITKILL */
}

/* Let those go that the command has left behind. */
static void
release(void)
{
	size_t i;

	for (i = 0; i < nprocs; i++) {
		(void)kill(procs[i].pid, SIGSTOP);
		(void)waitpid(procs[i].pid, NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, procs[i].pid, 0, 0);
		/* it may have stopped for something else before */
		(void)kill(procs[i].pid, SIGCONT);
	}
}

static int
watch(pid_t command)
{
	struct proc *p;
	pid_t pid;
	int status;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1)
			err(70, "waitpid");
		p = find_proc(pid);
		if (WIFSTOPPED(status)) {
			on_stop(p, status);
			continue;
		}
		say(p, "exit %d\n", status_of(status));
		forget(p);
		if (pid != command)
			continue;
		if (WIFSIGNALED(status))
			release();
		return status_of(status);
	}
}

/* --- main ----------------------------------------------------------------- */

/*
 * Tracer and traced take turns: on one processor that costs half of what it
 * does on two.
 */
static void
stay_here(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu == -1 || cpu >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void
become(char *who)
{
	gid_t groups[16];
	size_t n = 0;
	char *w;
	uid_t uid;

	if ((w = strsep(&who, ":")) == NULL || who == NULL)
		errx(64, "-u UID:GID[,GID...]");
	uid = (uid_t)number(w);
	while ((w = strsep(&who, ",")) != NULL && n < NELEM(groups))
		groups[n++] = (gid_t)number(w);
	if (setgroups(n - 1, groups + 1) == -1 ||
	    setresgid(groups[0], groups[0], groups[0]) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		err(70, "-u");
}

static void __attribute__((noreturn))
child(bool traced, char *who, char **give, size_t n, char **argv)
{
	size_t i;

	if (traced) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1)
			err(77, "ptrace");
		raise(SIGSTOP);
	}
	if (who != NULL)
		become(who);
	for (i = 0; i < n; i++)
		(void)putenv(give[i]);
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

int
main(int argc, char **argv)
{
	char *who = NULL, *give[MAXGIVEN];
	size_t ngive = 0;
	struct proc *p;
	bool traced = true;
	int c, status;
	long seconds = 0;
	pid_t pid;

	while ((c = getopt(argc, argv, "+d:e:hno:r:t:u:")) != -1)
		switch (c) {
		case 'd':
			changes_in(optarg);
			telling = true;
			break;
		case 'e':
			if (ngive == MAXGIVEN)
				errx(64, "too many -e");
			give[ngive++] = optarg;
			break;
		case 'h':
			hits_only = true;
			break;
		case 'n':
			traced = false;
			break;
		case 'o':
			if ((trace = fopen(optarg, "we")) == NULL)
				err(70, "%s", optarg);
			break;
		case 'r':
			parse_rule(optarg);
			break;
		case 't':
			seconds = number(optarg);
			break;
		case 'u':
			who = optarg;
			break;
		default:
			return 64;
		}
	if (optind == argc)
		errx(64, "no command");
	if (!traced)
		child(false, who, give, ngive, argv + optind);
	hits_only |= trace == NULL;
	stay_here();
	if ((pid = fork()) == -1)
		err(70, "fork");
	if (pid == 0)
		child(true, who, give, ngive, argv + optind);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD |
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == -1)
		err(77, "ptrace");
	p = find_proc(pid);
	p->known = p->ready = true;
	go_on(p, 0);
	if (seconds != 0) {
		signal(SIGALRM, on_alarm);
		(void)alarm((unsigned)seconds);
	}
	return watch(pid);
}
