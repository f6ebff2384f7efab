/* SPDX-License-Identifier: ISC */
/*
 * One line per event, to syslog (facility mail) or standard error.  The tag
 * is mxnss/NAME[pid], so that pflogsumm --syslog-name=mxnss reads it.
 */
#ifndef SHIM_BASE_LOG_H
#define SHIM_BASE_LOG_H

enum log_dest { LOG_TO_SYSLOG, LOG_TO_STDERR };

/* NAME is "smtp", "qmgr", "sendmail"...; copied. */
void	log_open(const char *name, enum log_dest);
/* One line under another name than that of log_open(). */
void	log_info_as(const char *who, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* SHIM_BASE_LOG_H */
