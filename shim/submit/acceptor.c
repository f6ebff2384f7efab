/* SPDX-License-Identifier: ISC */
/*
 * acceptor: takes one message from the connection on descriptor 0 into the
 * spool, as its owner, for callers of sendmail that cannot write there
 * themselves: one process for each.
 */
#include "config.h"

#include "submit/acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/priv.h"
#include "submit/handover.h"
#include "submit/notify.h"

#define CONF_PATH	MXNSS_SYSCONFDIR "/mxnss.conf"
#define WAKE_PATH	MXNSS_RUNDIR "/wake"

int
acceptor_main(int argc)
{
	int code = EX_OK;	/* of a refusal the client knows */
	struct conf *conf;
	struct msgid id;

	if (argc > 1) {
		fputs("usage: acceptor, with a connection on standard input; "
		    "see sendmail(8)\n", stderr);
		return EX_USAGE;
	}
	conf = conf_load(CONF_PATH);
	if (conf->spool == NULL) {
		fputs("acceptor: there is no spool: \"spool: none\" in "
		    CONF_PATH "\n", stderr);
		code = EX_CONFIG;
	} else if (priv_become_owner(conf->spool) == -1) {
		fprintf(stderr, "acceptor: cannot become the owner of %s: %s\n",
		    conf->spool, strerror(errno));
		code = EX_NOPERM;
	} else if (handover_take(STDIN_FILENO, conf, &id) == EX_OK)
		(void)notify_wake(WAKE_PATH, id.s, -1);
	conf_free(conf);
	return code;
}
