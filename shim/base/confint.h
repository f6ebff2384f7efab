/* SPDX-License-Identifier: ISC */
/* What conf.c and conf_value.c share: keys, and the kinds of values. */
#ifndef SHIM_BASE_CONFINT_H
#define SHIM_BASE_CONFINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"

#define CONF_BLANKS	" \t\r"

#define MINUTE	60
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define WEEK	(7 * DAY)
#define MB	((int64_t)1024 * 1024)

struct word {
	const char *name;
	int	    value;
};

struct key;

/* Take VALUE into FIELD.  NULL, or what is wrong with it: the caller's. */
typedef char *conf_take_fn(const struct key *, void *field, char *value);

struct key {
	const char	*name;
	conf_take_fn	*take;
	size_t		 offset;
	const char	*init;		/* the default, or NULL */
	int64_t		 min;
	int64_t		 max;
	const struct word *words;
};

conf_take_fn conf_take_source_list;
conf_take_fn conf_take_name;
conf_take_fn conf_take_names;
conf_take_fn conf_take_masquerade;
conf_take_fn conf_take_local;
conf_take_fn conf_take_paths;
conf_take_fn conf_take_spool;
conf_take_fn conf_take_address;
conf_take_fn conf_take_size;
conf_take_fn conf_take_number;
conf_take_fn conf_take_seconds;
conf_take_fn conf_take_warn;
conf_take_fn conf_take_milliseconds;
conf_take_fn conf_take_word;
conf_take_fn conf_take_rates;

/* A list of N names, ended by NULL, with one more; NULL is empty. */
char	**conf_add_name(char **names, size_t n, const char *name);
void	conf_free_names(char **names);
void	conf_free_rates(struct conf *);

#endif /* SHIM_BASE_CONFINT_H */
