/* SPDX-License-Identifier: ISC */
/*
 * The format of a message file:
 *
 *	"mxnss 1\n"		magic and version
 *	envelope records	envelope.h
 *	the message		wire form: CRLF, not dot-stuffed (RFC 5321)
 *	trailer, 27 octets	'E', '7' or '8' (the message has 8-bit octets),
 *				16 hexadecimal digits: octets before the
 *				trailer, 8: CRC-32C of them, "\n"
 *
 * A file without a valid trailer does not exist.
 */
#ifndef SHIM_SPOOL_MSGFILE_H
#define SHIM_SPOOL_MSGFILE_H

#include <sys/types.h>
#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/envelope.h"

#define MSGFILE_MAGIC		"mxnss 1\n"
#define MSGFILE_TRAILER_LEN	27

/*
 * Writing: begin, data (any number of times), end; buffered inside.  The
 * first failure stays: no later call succeeds.
 */
struct msgwriter;

struct msgwriter *msgwriter_new(int fd, const struct envelope *);
/* N octets of the message, already in wire form.  0, or -1 with errno. */
int	msgwriter_data(struct msgwriter *, const void *, size_t n);
/* Where the next octet goes in the file. */
off_t	msgwriter_offset(const struct msgwriter *);
/* All of it is in the file, which is no message yet.  0, or -1 with errno. */
int	msgwriter_flush(struct msgwriter *);
/* Flush and write the trailer; frees the writer.  0, or -1 with errno. */
int	msgwriter_end(struct msgwriter *);
void	msgwriter_free(struct msgwriter *);	/* abandon; NULL is fine */

/* A message file that was read. */
struct msgfile {
	struct envelope env;
	off_t	 start;		/* of the message in the file */
	off_t	 size;		/* octets of the message */
	bool	 eightbit;
};

/*
 * Read envelope and trailer of a file that was verified when it was copied
 * (queue/).  0; -1 it is none, -2 it cannot be read now, -3 it is of a later
 * version; all with *WHY.  Ends with msgfile_clear().
 */
int	msgfile_read(int fd, size_t maxrcpt, struct msgfile *,
	    const char **why);
void	msgfile_clear(struct msgfile *);

/*
 * Copy the hostile file FROM to TO while checking everything: magic, record
 * grammar, CRLF only, no bare CR or LF, no NUL, sizes, trailer, checksum.
 * The copy carries the owner that ST names as its submitter, unless that is
 * who asks, and no later time than the file was last changed.  0; -1 the file
 * is no message, *WHY says why; -2 a local failure with errno (keep the file,
 * try again later); -3 a file of a later version.
 */
int	msgfile_copy(int from, int to, const struct stat *st,
	    uint64_t maxsize, size_t maxrcpt, struct msgfile *,
	    const char **why);

/*
 * Write the message of the verified file FROM, which OLD describes, to TO
 * with the envelope ENV.  0 and where it begins there, or -1 with errno.
 */
int	msgfile_readdress(int from, const struct msgfile *old,
	    const struct envelope *env, int to, off_t *start);

#endif /* SHIM_SPOOL_MSGFILE_H */
