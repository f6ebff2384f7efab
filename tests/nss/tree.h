/* SPDX-License-Identifier: ISC */
/* An override file and its directory, for tests. */
#ifndef TESTS_NSS_TREE_H
#define TESTS_NSS_TREE_H

#include <stddef.h>

/*
 * tree_setup, tree_teardown: of one cmocka test; an empty directory.
 * tree_path: of NAME in it, in one of eight buffers that take turns.
 * tree_write: a file, in place; tree_replace: by rename.
 */
int	tree_setup(void **state);
int	tree_teardown(void **state);
const char *tree_path(const char *name);
void	tree_write(const char *name, const char *text);
void	tree_replace(const char *name, const char *text, size_t n);

#endif /* TESTS_NSS_TREE_H */
