/* SPDX-License-Identifier: ISC */
/*
 * Makes the Nth allocation of the code under test fail.  The test is linked
 * with --wrap for each of the functions in faults.c.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * faults_begin: the Nth allocation from here on fails, once.
 * faults_end: no more of that; whether it has failed.
 */
void	faults_begin(size_t n);
bool	faults_end(void);

#endif /* TESTS_FAULTS_H */
