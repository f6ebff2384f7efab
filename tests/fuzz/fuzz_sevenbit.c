/* SPDX-License-Identifier: ISC */
/*
 * A message -> the same for a server without 8BITMIME.  What comes out is
 * lines, does not depend on how the message was cut, and fits where
 * smtp_data.c puts it.
 */
#include "config.h"

#include "smtp/sevenbit.h"

#include <sys/mman.h>

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "fuzz.h"

static int
take(void *arg, const void *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

static void
convert(int fd, const struct buf *in, size_t step, struct buf *out)
{
	struct sevenbit *s = sevenbit_new(fd, 0, (off_t)in->len, take, out);
	size_t i, n, before;

	for (i = 0; i < in->len; i += n) {
		n = in->len - i < step ? in->len - i : step;
		before = out->len;
		MUST(sevenbit_feed(s, in->data + i, n) == 0);
		MUST(out->len - before <= SEVENBIT_MAX(n));
	}
	before = out->len;
	MUST(sevenbit_end(s) == 0);
	MUST(out->len - before <= SEVENBIT_KEPT);
	sevenbit_free(s);
}

/* As the spool has it: CR LF, and neither alone; no NUL. */
static void
to_wire(const uint8_t *data, size_t size, struct buf *out)
{
	for (; size > 0; data++, size--) {
		if (*data == '\n')
			buf_addc(out, '\r');
		if (*data != '\r')
			buf_addc(out, *data != '\0' ? (char)*data : '?');
	}
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_adds(out, "\r\n");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT, one = BUF_INIT, two = BUF_INIT;
	int fd = memfd_create("message", MFD_CLOEXEC);
	size_t i;

	MUST(fd != -1);
	to_wire(data, size, &in);
	MUST(write(fd, buf_str(&in), in.len) == (ssize_t)in.len);
	convert(fd, &in, 1024, &one);
	convert(fd, &in, 1, &two);
	MUST(one.len == two.len && (one.len == 0 ||
	    memcmp(one.data, two.data, one.len) == 0));
	for (i = 0; i < one.len; i++) {
		MUST(one.data[i] != '\n' || (i > 0 && one.data[i - 1] == '\r'));
		MUST(one.data[i] != '\r' || (i + 1 < one.len &&
		    one.data[i + 1] == '\n'));
	}
	if (!utf8_has_eightbit(buf_str(&in), in.len))
		MUST(!utf8_has_eightbit(buf_str(&one), one.len));
	close(fd);
	buf_clear(&in);
	buf_clear(&one);
	buf_clear(&two);
	return 0;
}
