/* SPDX-License-Identifier: ISC */
/*
 * A byte buffer that grows: the one string builder of shim/.
 */
#ifndef SHIM_BASE_BUF_H
#define SHIM_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char	*data;		/* NULL while nothing was added */
	size_t	 len;		/* octets in use; a NUL follows them */
	size_t	 cap;
};

#define BUF_INIT { NULL, 0, 0 }

void	 buf_init(struct buf *);
void	 buf_clear(struct buf *);		/* frees; ready for use again */
void	 buf_reset(struct buf *);		/* empties, keeps the memory */
void	 buf_add(struct buf *, const void *, size_t);
void	 buf_addc(struct buf *, char);
void	 buf_adds(struct buf *, const char *);
void	 buf_printf(struct buf *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	 buf_vprintf(struct buf *, const char *, va_list)
	    __attribute__((format(printf, 2, 0)));
const char *buf_str(const struct buf *);	/* borrowed; "" when empty */
char	*buf_take(struct buf *);		/* the caller's; buffer empty */

#endif /* SHIM_BASE_BUF_H */
