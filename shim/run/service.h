/* SPDX-License-Identifier: ISC */
/*
 * What a service manager is told by sd_notify(3) and passes in by
 * sd_listen_fds(3): a few lines over environment variables.
 */
#ifndef SHIM_RUN_SERVICE_H
#define SHIM_RUN_SERVICE_H

#define SERVICE_LISTEN_FD	3	/* the first socket that is passed in */

/*
 * service_init: read the environment, before it is cleared.  Returns how many
 *	sockets were passed in; they are SERVICE_LISTEN_FD and those after it.
 *	0 if the first is no wake socket, whatever the environment says.
 * service_notify: tell the manager, if there is one; without waiting.
 */
int	service_init(void);
void	service_notify(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif /* SHIM_RUN_SERVICE_H */
