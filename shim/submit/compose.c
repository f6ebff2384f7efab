/* SPDX-License-Identifier: ISC */
/*
 * The header comes first in the file, and what it must say of the body is
 * known when that has been read.  The first piece of a body tells nearly
 * always; it is the whole of most.
 */
#include "config.h"

#include "submit/compose.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/quotedp.h"
#include "spool/msgfile.h"

/* One way through the message. */
struct pass {
	const struct compose	*c;
	struct mime_plan	 plan;
	struct msgwriter	*w;
	uint64_t		 left;	/* octets that it may still have */
	bool			 too_big;
	off_t			 body;	/* where that begins in the file */
};

static int
take(void *arg, const void *p, size_t n)
{
	struct pass *pass = arg;

	if (n > pass->left) {
		pass->too_big = true;
		return -1;
	}
	pass->left -= n;
	return msgwriter_data(pass->w, p, n);
}

static enum message_error
begin(struct pass *pass, const struct compose *c, const struct mime *mime,
    const struct mime_plan *plan)
{
	struct buf head = BUF_INIT;
	int rc;

	pass->c = c;
	pass->plan = *plan;
	pass->left = c->max_size;
	pass->too_big = false;
	pass->w = msgwriter_new(drop_fd(c->drop), c->envelope);
	mime_declare(mime, plan, c->header);
	header_format(c->header, &head);
	rc = take(pass, head.data, head.len);
	buf_clear(&head);
	pass->body = msgwriter_offset(pass->w);
	return rc == 0 ? MESSAGE_OK : MESSAGE_WRITE;
}

/* The body as it is read; FACTS: what it was. */
static enum message_error
read_body(struct pass *pass, bool fold, struct mime_facts *facts)
{
	struct quotedp q;
	enum message_error error;

	if (!pass->plan.quote)
		return message_body(pass->c->message, fold, facts, take, pass);
	quotedp_init(&q, take, pass);
	error = message_body(pass->c->message, false, facts, quotedp_feed, &q);
	if (error == MESSAGE_OK && quotedp_end(&q) == -1)
		error = MESSAGE_WRITE;
	return error;
}

/* The body of the pass OLD, which is in SCRATCH, by the plan of NEW. */
static int
copy_body(struct pass *new, const struct pass *old, int scratch)
{
	struct quotedp q;

	if (new->plan.quote == old->plan.quote)
		return file_feed(scratch, 0, take, new);
	quotedp_init(&q, take, new);
	return file_feed(scratch, 0, quotedp_feed, &q) == 0 ?
	    quotedp_end(&q) : -1;
}

/* The header of OLD is wrong: write all again. */
static enum message_error
again(struct pass *new, struct pass *old, const struct mime *mime,
    const struct mime_plan *plan)
{
	const struct compose *c = old->c;
	enum message_error error = MESSAGE_WRITE;
	int scratch = drop_scratch(c->drop);

	if (scratch != -1 && msgwriter_flush(old->w) == 0 &&
	    file_copy(drop_fd(c->drop), old->body, scratch) == 0 &&
	    drop_restart(c->drop) == 0) {
		error = begin(new, c, mime, plan);
		if (error == MESSAGE_OK && copy_body(new, old, scratch) == -1)
			error = MESSAGE_WRITE;
	}
	if (scratch != -1)
		close(scratch);
	return error;
}

enum message_error
compose(const struct compose *c)
{
	struct pass first = { 0 }, second = { 0 }, *last = &first;
	enum message_error error;
	struct mime_facts facts;
	struct mime_plan plan;
	struct mime mime;
	int number;

	mime_read(&mime, c->header);
	c->envelope->utf8 = header_complete(c->header, c->facts);
	error = message_peek(c->message, &facts);
	if (error == MESSAGE_OK) {
		mime_decide(&mime, &facts, &plan);
		error = begin(&first, c, &mime, &plan);
	}
	if (error == MESSAGE_OK)
		error = read_body(&first, !mime_may_quote(&mime), &facts);
	if (error == MESSAGE_OK) {
		mime_decide(&mime, &facts, &plan);
		if (!mime_same(&first.plan, &plan)) {
			last = &second;
			error = again(last, &first, &mime, &plan);
		}
	}
	if (error == MESSAGE_OK) {
		error = msgwriter_end(last->w) == 0 ? MESSAGE_OK :
		    MESSAGE_WRITE;
		last->w = NULL;
	} else if (last->too_big) {
		error = MESSAGE_TOO_BIG;
	}
	number = errno;
	msgwriter_free(first.w);
	msgwriter_free(second.w);
	mime_clear(&mime);
	errno = number;
	return error;
}
