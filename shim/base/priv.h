/* SPDX-License-Identifier: ISC */
/*
 * What a program inherits, and what it must not keep.
 */
#ifndef SHIM_BASE_PRIV_H
#define SHIM_BASE_PRIV_H

/*
 * First call of every main(): descriptors 0 to 2 open, the others closed but
 * for KEEP descriptors from 3 on (socket activation); umask 077; default
 * signal actions and an empty mask, SIGPIPE and SIGXFSZ ignored; timers off;
 * no core dumps.
 */
void	priv_sanitize(int keep);

/* Close the descriptors FROM to TO, if they are open. */
void	priv_close(unsigned from, unsigned to);
/*
 * Become the owner of directory SPOOL if we are root and it is not: uid and
 * gid of the owner, supplementary group of SPOOL/drop.  Verifies that there
 * is no way back.  0, or -1 with errno.
 */
int	priv_become_owner(const char *spool);

#endif /* SHIM_BASE_PRIV_H */
