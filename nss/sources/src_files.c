/* SPDX-License-Identifier: ISC */
/*
 * The source `files': the override file /etc/mxhosts, or the file named as
 * its argument, and the directory of that name with .d at its end.  No file
 * is no override; a file that cannot be read now, or that is not to be
 * trusted, is a passing failure, so that mail waits instead of leaving by
 * the next source.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sources/module.h"
#include "mxdb.h"
#include "mxhosts/mxhosts.h"
#include "mxnss.h"

struct files {
	const struct mxnss_host	*host;
	char			*path;
};

static int
files_open(const struct mxnss_host *host, const char *arg, void **priv)
{
	struct files *f;

	/* "mxhosts" would be missing in most directories: no override. */
	if (arg != NULL && *arg != '/' && *arg != '.') {
		errno = EINVAL;
		return -1;
	}
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return -1;
	f->host = host;
	f->path = strdup(arg != NULL ? arg : MXHOSTS_PATH);
	if (f->path == NULL) {
		free(f);
		return -1;
	}
	*priv = f;
	return 0;
}

static void
files_close(void *priv)
{
	struct files *f = priv;

	if (f == NULL)
		return;
	free(f->path);
	free(f);
}

static void
set_origin(const struct files *f, const struct mxhosts *mh,
    struct mxnss_reply *r, unsigned int lineno)
{
	char buf[600];

	(void)snprintf(buf, sizeof(buf), "%s:%u", mh->origin, lineno);
	(void)f->host->origin(r, buf);
}

static int
add_exchange(const struct files *f, struct mxnss_reply *r,
    const struct mxhosts_line *l)
{
	struct mxnss_record rec;

	memset(&rec, 0, sizeof(rec));
	rec.size = sizeof(rec);
	rec.host = l->host;
	rec.pref = l->pref;
	rec.port = l->port;
	rec.ttl = l->ttl;
	rec.flags = MXE_LOCALCONF;
	if (l->implicit_tls)
		rec.flags |= MXE_IMPLICITTLS;
	rec.tls = l->tls;
	rec.tlsname = l->tlsname[0] == '\0' ? NULL : l->tlsname;
	rec.auth = l->auth[0] == '\0' ? NULL : l->auth;
	if (l->merge)
		(void)f->host->merge(r);
	if (l->kind == MXHOSTS_MX)
		return f->host->next_query(r, &rec);
	return f->host->add(r, &rec);
}

static enum mxnss_status
final_word(const struct files *f, const struct mxhosts *mh,
    struct mxnss_reply *r, int error, const char *dsn, const char *text,
    unsigned int lineno)
{
	char buf[600];

	if (text[0] == '\0') {
		(void)snprintf(buf, sizeof(buf), "%s (%s:%u)",
		    mx_strerror(error), mh->origin, lineno);
		text = buf;
	}
	(void)f->host->fail(r, error, dsn[0] == '\0' ? NULL : dsn, text);
	return MXNSS_SUCCESS;
}

/* The lines of the winning pattern, said to the library. */
static enum mxnss_status
answer(const struct files *f, const struct mxhosts *mh,
    struct mxnss_reply *r)
{
	const struct mxhosts_line *l = mh->line;
	char buf[800];
	size_t i;

	if (mh->score > MXHOSTS_NOMATCH)
		(void)f->host->rule(r, mh->pattern);
	if (mh->badline != 0) {
		set_origin(f, mh, r, mh->badline);
		(void)snprintf(buf, sizeof(buf), "%s:%u: %s", mh->origin,
		    mh->badline, mh->bad);
		return final_word(f, mh, r, MX_EDEFER, "", buf, mh->badline);
	}
	if (mh->nline == 0)
		return MXNSS_NOTFOUND;
	set_origin(f, mh, r, l->lineno);	/* of the answer */
	switch (l->kind) {
	case MXHOSTS_DNS:
		return MXNSS_NOTFOUND;
	case MXHOSTS_REJECT:
		return final_word(f, mh, r, MX_EREJECT, l->dsn, l->text,
		    l->lineno);
	case MXHOSTS_DEFER:
		return final_word(f, mh, r, MX_EDEFER, "", l->text,
		    l->lineno);
	case MXHOSTS_HOST:
	case MXHOSTS_MX:
		break;
	}
	for (i = 0; i < mh->nline; i++) {
		if (i > 0)
			set_origin(f, mh, r, mh->line[i].lineno);
		if (add_exchange(f, r, &mh->line[i]) == -1)
			return MXNSS_TRYAGAIN;
	}
	if (i > 1)
		set_origin(f, mh, r, l->lineno);
	return MXNSS_SUCCESS;
}

static enum mxnss_status
files_getmxbyname(void *priv, const struct mxnss_query *q,
    struct mxnss_reply *r)
{
	const struct files *f = priv;
	struct mxhosts mh UNCLEARED;
	enum mxnss_status status;
	char err[800] UNCLEARED;

	if (mxhosts_lookup(f->path, q->domain, q->rcpt, &mh, err,
	    sizeof(err)) == -1) {
		(void)f->host->facts(r, NULL, -1, UINT32_MAX, errno);
		(void)f->host->origin(r, f->path);
		(void)f->host->fail(r, MX_ESOURCE, NULL, err);
		status = MXNSS_TRYAGAIN;
	} else {
		if (mh.byrcpt)
			(void)f->host->flags(r, MXI_BYRCPT);
		status = answer(f, &mh, r);
	}
	mxhosts_clear(&mh);
	return status;
}

const struct mxnss_module _mxnss_files_module = {
	MXNSS_ABI, sizeof(struct mxnss_module), "files", MXNSS_VERSION,
	files_open, files_getmxbyname, files_close
};
