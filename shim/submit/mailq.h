/* SPDX-License-Identifier: ISC */
/* mailq: see the messages of the spool, and hold, release or delete them. */
#ifndef SHIM_SUBMIT_MAILQ_H
#define SHIM_SUBMIT_MAILQ_H

struct pick;

/* The program; the exit code. */
int	mailq_main(int argc, char **argv);
/* sendmail -bp: the table of the messages that PICK takes; the exit code. */
int	mailq_table(const struct pick *);

#endif /* SHIM_SUBMIT_MAILQ_H */
