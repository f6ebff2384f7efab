/* SPDX-License-Identifier: ISC */
/*
 * /etc/mxhosts and /etc/mxhosts.d: text of override files -> the lines that
 * apply to one domain or recipient.
 */
#ifndef NSS_MXHOSTS_H
#define NSS_MXHOSTS_H

#include <stddef.h>
#include <stdint.h>

#define MXHOSTS_PATH		MXNSS_SYSCONFDIR "/mxhosts"
#define MXHOSTS_MAXLINE		4096	/* octets, without the line end */
#define MXHOSTS_MAXLINES	1000	/* lines of one pattern */
#define MXHOSTS_DEFPREF		10
#define MXHOSTS_MAXFILE		(1024L * 1024 * 1024)

enum mxhosts_kind {
	MXHOSTS_HOST,		/* a host or an address */
	MXHOSTS_MX,		/* the MX records of the domain `host' */
	MXHOSTS_DNS,		/* no override: ask the next source */
	MXHOSTS_REJECT,
	MXHOSTS_DEFER
};

struct mxhosts_line {		/* one action */
	enum mxhosts_kind kind;
	unsigned int	 lineno;
	uint16_t	 pref;
	uint16_t	 port;		/* 0: none */
	int		 merge;		/* "+PREF" */
	int		 literal;	/* host is an IP address */
	int		 implicit_tls;
	int		 tls;		/* MX_TLS_* of <mxdb.h> */
	uint32_t	 ttl;		/* UINT32_MAX: none */
	char		 host[254];
	char		 tlsname[254];	/* "": none */
	char		 auth[64];	/* "": none */
	char		 dsn[12];	/* of reject; "": none */
	char		 text[256];	/* of reject and defer; "": none */
};

/* How close a pattern is to what was asked; the highest wins. */
#define MXHOSTS_NOMATCH		0
#define MXHOSTS_ANY		1	/* "*"; "*.parent" has 1 + length */
#define MXHOSTS_DOMAIN		1000
#define MXHOSTS_USER		1001	/* serves user+ext as well */
#define MXHOSTS_USEREXT		1002

struct mxanswer;
struct snapshot;
struct stat;

/* One lookup, over one or more files. */
struct mxhosts {
	/* the answer */
	struct mxhosts_line *line;	/* of the best pattern */
	size_t		 nline;
	int		 score;		/* MXHOSTS_*, of that pattern */
	int		 byrcpt;	/* the domain has user patterns */
	unsigned int	 badline;	/* a line that cannot be used, or 0 */
	size_t		 where;		/* number of the file of that pattern */
	char		*origin;	/* its path; NULL if nothing matches */
	/* private */
	struct snapshot	*lender;	/* of origin, or NULL */
	struct mxanswer	*answer;	/* of line, too, or NULL */
	size_t		 domainlen;
	const char	*user;		/* the local part, or NULL */
	size_t		 userlen;
	size_t		 room;		/* of line; 0: it is borrowed */
	size_t		 file;		/* number of the file being read */
	int		 unicode;	/* the domain has A-labels */
	int		 current;	/* score of the pattern being read */
	int		 nomem;
	/* from here on not cleared: */
	char		 bad[200];	/* why badline cannot be used */
	char		 pattern[322];	/* of the answer, cut if it is longer */
	char		 domain[254];	/* private */
};

/* In the order of precedence; the first is the main one, and may be absent. */
struct mxhosts_files {
	char		**path;
	size_t		 n;
};

/* Which file has a pattern first, for mxhosts_check() of several. */
struct mxhosts_owner {
	char		*pattern;	/* folded */
	const char	*path;		/* borrowed */
	unsigned int	 lineno;
};

struct mxhosts_owners {
	struct mxhosts_owner *owner;	/* sorted by pattern */
	size_t		 n, room;
	int		 more;		/* there are files yet to come */
};

/* Cuts chunks of a file into lines; all zero at first, but for what to call. */
struct mxhosts_reader {
	int	(*line)(void *arg, unsigned int lineno, const char *p,
		    size_t n, int toolong);
	/* NULL, or goes past whole lines that the handler would ignore */
	const char *(*skip)(struct mxhosts_reader *, const char *p,
		    const char *end);
	void	*arg;
	unsigned int lineno;
	const char *at;			/* private to skip */
	size_t	 have;
	int	 toolong;
	char	 buf[MXHOSTS_MAXLINE + 2];
};

static inline int
mxhosts_is_ascii(const char *p, size_t n)
{
	for (; n > 0; n--)
		if ((*p++ & 0x80) != 0)
			return 0;
	return 1;
}

static inline int
mxhosts_is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/*
 * mxhosts_init: DOMAIN is lower case without a final dot; of RCPT (or
 *	NULL) the part before the last '@' counts.  RCPT stays borrowed.
 * mxhosts_newfile: what follows is another file; a pattern that an earlier
 *	one has keeps its lines.
 * mxhosts_line: a line handler for the reader; ARG is a struct mxhosts.
 *	-1 if memory ran out.
 * mxhosts_skip: what the reader of such a handler can skip with.
 */
int	mxhosts_init(struct mxhosts *, const char *domain, const char *rcpt);
void	mxhosts_newfile(struct mxhosts *);
int	mxhosts_line(void *arg, unsigned int lineno, const char *p, size_t n,
	    int toolong);
const char *mxhosts_skip(struct mxhosts_reader *, const char *p,
	    const char *end);
void	mxhosts_clear(struct mxhosts *);

/*
 * mxhosts_action: the part of a line after the pattern.  0, or -1 with a
 *	reason.
 * mxhosts_pattern: whether the text is a good pattern; 0, or -1 with a
 *	reason.  FOLDED (of MXHOSTS_MAXLINE + 1) gets its normal form.
 * mxhosts_ascii: the pattern itself, or with A-labels, in BUF of
 *	MXHOSTS_MAXLINE + 2, if it is in Unicode; moves *N.  NULL if it is
 *	no good pattern or memory ran out: then errno is ENOMEM.
 * mxhosts_conflict: why two actions cannot stand in one pattern, or NULL.
 */
int	mxhosts_action(const char *p, size_t n, struct mxhosts_line *,
	    char *err, size_t errsize);
const char *mxhosts_ascii(const char *p, size_t *n, char *buf);
int	mxhosts_pattern(const char *p, size_t n, char *folded, char *err,
	    size_t errsize);
const char *mxhosts_conflict(const struct mxhosts_line *,
	    const struct mxhosts_line *);

/*
 * mxhosts_split: length of the pattern that a line begins with; 0 for a
 *	line that continues the pattern above; -1 for one that says nothing.
 */
long	mxhosts_split(const char *p, size_t n);

/* Both return -1 as soon as the line handler does, else 0. */
int	mxhosts_feed(struct mxhosts_reader *, const char *p, size_t n);
int	mxhosts_finish(struct mxhosts_reader *);

/*
 * mxhosts_read: a whole file through a line handler.  1, or 0 if there is
 *	no such file, or -1 with errno and one line in ERR that names the
 *	file: EAGAIN if it was changed meanwhile, EPERM if others may write
 *	to it, ENOMEM if the handler failed.
 * mxhosts_search: the same through mxhosts_line() and mxhosts_skip().
 * mxhosts_read_into: the same through a reader of the caller's, who gets
 *	what fstat(2) said, too.
 * mxhosts_check: every error of a file, and as a WARNING every line that
 *	has no effect, in order of lines, to REPORT.  -1 if the file cannot
 *	be read, with ERR as above; else the number of errors.  OWNERS, all
 *	zero at first, learns its patterns; those of earlier files are known
 *	by it.
 */
int	mxhosts_read(const char *path, int (*line)(void *, unsigned int,
	    const char *, size_t, int), void *arg, char *err, size_t errsize);
int	mxhosts_search(const char *path, struct mxhosts *, char *err,
	    size_t errsize);
int	mxhosts_read_into(const char *path, struct mxhosts_reader *,
	    struct stat *, char *err, size_t errsize);
int	mxhosts_check(const char *path, void (*report)(void *arg,
	    unsigned int lineno, int warning, const char *text), void *arg,
	    struct mxhosts_owners *owners, size_t *npatterns, char *err,
	    size_t errsize);
void	mxhosts_owners_clear(struct mxhosts_owners *);

/*
 * mxhosts_list: PATH and what its directory, PATH.d, holds.  -1 with errno
 *	and ERR, as above, if that cannot be read or trusted.
 * mxhosts_dirname: the name of that directory; the caller's.
 * mxhosts_name_origin: which of FILES has the pattern; -1 if memory ran out.
 * mxhosts_scan: one pass over all of them; the answer is in MH, which the
 *	caller clears.  -1 with errno and ERR as above.
 * mxhosts_lookup: the same, faster from the third time on.  The answer may
 *	be borrowed until it is cleared; nobody may write to it.
 * mxhosts_give_back: for mxhosts_clear(), of what is borrowed.
 */
int	mxhosts_list(const char *path, struct mxhosts_files *, char *err,
	    size_t errsize);
void	mxhosts_files_clear(struct mxhosts_files *);
char	*mxhosts_dirname(const char *path);
int	mxhosts_name_origin(struct mxhosts *, const struct mxhosts_files *);
int	mxhosts_scan(const char *path, const char *domain, const char *rcpt,
	    struct mxhosts *mh, char *err, size_t errsize);
int	mxhosts_lookup(const char *path, const char *domain,
	    const char *rcpt, struct mxhosts *mh, char *err, size_t errsize);
void	mxhosts_give_back(struct mxhosts *);

/*
 * mxhosts_distrust: why a file or directory cannot be believed, with errno;
 *	or NULL.
 * mxhosts_missing: after open(2) or stat(2) failed: NULL if there is nothing
 *	at PATH, else why that is not so.  Keeps errno.
 * mxhosts_unchanged: whether a file kept its contents between two fstat(2).
 * mxhosts_failed: "PATH: WHY" into ERR, with the text of ERROR if it
 *	explains WHY; sets errno.  -1.
 */
const char *mxhosts_distrust(const struct stat *);
const char *mxhosts_missing(const char *path);
int	mxhosts_unchanged(const struct stat *, const struct stat *);
int	mxhosts_failed(const char *path, const char *why, int error, char *err,
	    size_t errsize);

#endif /* NSS_MXHOSTS_H */
