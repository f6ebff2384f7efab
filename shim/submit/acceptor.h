/* SPDX-License-Identifier: ISC */
/* The command line of acceptor, which a socket unit starts. */
#ifndef SHIM_SUBMIT_ACCEPTOR_H
#define SHIM_SUBMIT_ACCEPTOR_H

/* ARGC as of main(); returns the exit code. */
int	acceptor_main(int argc);

#endif /* SHIM_SUBMIT_ACCEPTOR_H */
