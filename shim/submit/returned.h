/* SPDX-License-Identifier: ISC */
/* A message that was refused goes back by mail: sendmail -oem. */
#ifndef SHIM_SUBMIT_RETURNED_H
#define SHIM_SUBMIT_RETURNED_H

struct submission;

/*
 * Queue a report of the refusal to the sender, or to the caller if no sender
 * is known, with the message as far as it can be read; it ends where
 * max-size does.  0: the report is on disk; -1: nobody is told by mail.
 */
int	returned_mail(struct submission *);

#endif /* SHIM_SUBMIT_RETURNED_H */
