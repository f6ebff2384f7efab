/* SPDX-License-Identifier: ISC */
/* A stream socket, written and read without surprises, and not for ever. */
#ifndef SHIM_SUBMIT_STREAM_H
#define SHIM_SUBMIT_STREAM_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct stream {
	int	 fd;
	int	 silence;	/* ms without an octet */
	int64_t	 end;		/* of all, by clock_ms() */
};

/*
 * stream_init: times in ms.
 * stream_send: all of it: 0, or -1 with errno; ETIMEDOUT: that took too long.
 * stream_receive: as recv(2), but it does not fail with EINTR.
 */
void	stream_init(struct stream *, int fd, int silence, int total);
int	stream_send(const struct stream *, const char *, size_t n);
ssize_t	stream_receive(const struct stream *, char *, size_t n);

#endif /* SHIM_SUBMIT_STREAM_H */
