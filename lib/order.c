/* SPDX-License-Identifier: ISC */
/*
 * The order in which exchanges are tried: by preference, and equals in
 * random order, as RFC 5321 section 5.1 demands.  Pure: the random source
 * is an argument.
 */
#include "config.h"

#include "mxres.h"

/* Insertion sort: stable, in place, and there are at most 100. */
static void
sort(struct mxres_mx *mx, size_t n)
{
	struct mxres_mx tmp;
	size_t i, j;

	for (i = 1; i < n; i++) {
		tmp = mx[i];
		for (j = i; j > 0 && mx[j - 1].pref > tmp.pref; j--)
			mx[j] = mx[j - 1];
		mx[j] = tmp;
	}
}

/* Fisher and Yates: each of the n! orders is equally likely. */
static void
shuffle(struct mxres_mx *mx, size_t n, uint32_t (*rnd)(void *, uint32_t),
    void *arg)
{
	struct mxres_mx tmp;
	size_t i, j;

	for (i = n; i > 1; i--) {
		j = rnd(arg, (uint32_t)i);
		tmp = mx[i - 1];
		mx[i - 1] = mx[j];
		mx[j] = tmp;
	}
}

void
mxres_order(struct mxres_mx *mx, size_t n,
    uint32_t (*rnd)(void *arg, uint32_t bound), void *arg)
{
	size_t end, i;

	if (mx == NULL)
		return;
	sort(mx, n);
	if (rnd == NULL)
		return;
	for (i = 0; i < n; i = end) {
		for (end = i + 1; end < n && mx[end].pref == mx[i].pref; )
			end++;
		shuffle(mx + i, end - i, rnd, arg);
	}
}
