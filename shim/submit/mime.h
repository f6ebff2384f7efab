/* SPDX-License-Identifier: ISC */
/*
 * Header and body shall agree (RFC 2045): what a body is must be declared,
 * and a body that no server takes as it is must be encoded.
 */
#ifndef SHIM_SUBMIT_MIME_H
#define SHIM_SUBMIT_MIME_H

#include <stdbool.h>

#include "submit/header.h"

/* What a body turned out to be. */
struct mime_facts {
	bool	 eightbit;	/* octets outside ASCII */
	bool	 utf8;		/* it is well-formed UTF-8 */
	bool	 long_line;	/* a line has more than 998 octets */
};

/* What its header says. */
struct mime {
	char	*type;		/* Content-Type, or NULL */
	bool	 is_text;	/* a single part: text, or nothing is said */
	bool	 has_charset;
	bool	 is_plain;	/* no encoding, or one that is none */
	bool	 is_seven;	/* 7bit, or nothing is said */
	bool	 has_version;
};

struct mime_plan {
	bool		 quote;		/* the body: quoted-printable */
	const char	*encoding;	/* Content-Transfer-Encoding, or NULL */
	const char	*charset;	/* to add, or NULL */
};

void	mime_read(struct mime *, const struct header *);
void	mime_clear(struct mime *);

/*
 * Long lines become quoted-printable in a single part of text; elsewhere
 * they are folded, which is not for the header to say.
 */
bool	mime_may_quote(const struct mime *);
void	mime_decide(const struct mime *, const struct mime_facts *,
	    struct mime_plan *);
bool	mime_same(const struct mime_plan *, const struct mime_plan *);
/* Say so in H, which MIME was read from; a later plan replaces it. */
void	mime_declare(const struct mime *, const struct mime_plan *,
	    struct header *);

#endif /* SHIM_SUBMIT_MIME_H */
