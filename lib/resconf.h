/* SPDX-License-Identifier: ISC */
/*
 * What resolv.conf(5) says.
 */
#ifndef LIB_RESCONF_H
#define LIB_RESCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "mxres.h"
#include "net.h"

#define MXRES_MAXSERVERS	16

struct mxres_resconf {
	union mxres_server	 server[MXRES_MAXSERVERS];
	size_t			 nserver;
	int			 timeout;	/* ms, for one try */
	int			 attempts;	/* rounds over all servers */
	bool			 rotate;
	bool			 tcp;		/* use-vc */
	bool			 trust;		/* trust-ad, in the file */
	bool			 may_trust;	/* the C library knows of that */
};

/*
 * mxres_resconf_load: the configuration of this moment.  MXRES_OK, or a
 *	temporary status with the errno in *ERROR.
 * mxres_resconf_read: the same from the text of the file, which is cut into
 *	words; without RES_OPTIONS.
 */
enum mxres_status mxres_resconf_load(struct mxres_resconf *, int *error);
void	mxres_resconf_read(char *text, struct mxres_resconf *);

#endif /* LIB_RESCONF_H */
