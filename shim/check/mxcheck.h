/* SPDX-License-Identifier: ISC */
#ifndef SHIM_CHECK_MXCHECK_H
#define SHIM_CHECK_MXCHECK_H

/* mxcheck(8), which is the runner by another name.  Its exit code. */
int	mxcheck_main(int argc, char **argv);

#endif /* SHIM_CHECK_MXCHECK_H */
