/* SPDX-License-Identifier: ISC */
/*
 * getmx -: a lookup mostly waits for name servers, so several run at once,
 * each in a thread.  What they print is kept until all that came before has
 * been printed, and not longer: whoever writes one domain and waits for the
 * answer gets it.
 */
#include "config.h"

#include "tool/getmx.h"

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define THREADS	16
#define JOBS	64		/* asked for and not printed yet */

struct job {
	char	*domain;
	char	*out, *errors;	/* printed by the lookup */
	size_t	 outlen, errlen;
	int	 code;
	int	 done;
};

struct getmx_pool {
	getmx_work	*work;
	void		*arg;
	int		 hold;
	pthread_t	 thread[THREADS];
	size_t		 nthreads, idle;
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;		/* a job, or the end of all */
	pthread_cond_t	 room;		/* one job fewer */
	/* numbers of jobs; a job is at its number modulo JOBS */
	struct job	 job[JOBS];
	size_t		 printed;	/* those before have been */
	size_t		 taken;
	size_t		 added;
	int		 closed;
	int		 worst;
};

struct getmx_pool *
getmx_pool_new(getmx_work *work, void *arg, int hold)
{
	struct getmx_pool *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->work = work;
	p->arg = arg;
	p->hold = hold;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->more, NULL);
	(void)pthread_cond_init(&p->room, NULL);
	return p;
}

static void
run(const struct getmx_pool *p, struct job *j)
{
	FILE *out, *errors;

	if ((out = open_memstream(&j->out, &j->outlen)) == NULL ||
	    (errors = open_memstream(&j->errors, &j->errlen)) == NULL)
		err(EX_TEMPFAIL, "%s", j->domain);
	j->code = p->work(p->arg, j->domain, out, errors);
	if (fclose(out) == EOF || fclose(errors) == EOF)
		err(EX_TEMPFAIL, "%s", j->domain);
}

/* Whatever can be; called with the lock held, so that it comes in order. */
static void
print_done(struct getmx_pool *p)
{
	struct job *j;

	for (; p->printed < p->taken; p->printed++) {
		j = &p->job[p->printed % JOBS];
		if (!j->done)
			break;
		(void)fwrite(j->out, 1, j->outlen, stdout);
		(void)fwrite(j->errors, 1, j->errlen, stderr);
		if (j->code > p->worst)
			p->worst = j->code;
		free(j->domain);
		free(j->out);
		free(j->errors);
		memset(j, 0, sizeof(*j));
	}
	if (!p->hold && fflush(stdout) == EOF)
		err(EX_TEMPFAIL, "standard output");
	(void)pthread_cond_signal(&p->room);
}

static void *
work(void *arg)
{
	struct getmx_pool *p = arg;
	struct job *j;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		p->idle++;
		while (p->taken == p->added && !p->closed)
			(void)pthread_cond_wait(&p->more, &p->lock);
		p->idle--;
		if (p->taken == p->added)
			break;
		j = &p->job[p->taken++ % JOBS];
		(void)pthread_mutex_unlock(&p->lock);
		run(p, j);
		(void)pthread_mutex_lock(&p->lock);
		j->done = 1;
		print_done(p);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* One more thread, if all have work; fewer than wanted will do. */
static void
add_thread(struct getmx_pool *p)
{
	int error;

	if (p->idle > p->added - p->taken || p->nthreads == THREADS)
		return;
	error = pthread_create(&p->thread[p->nthreads], NULL, work, p);
	if (error == 0)
		p->nthreads++;
	else if (p->nthreads == 0) {
		errno = error;
		err(EX_TEMPFAIL, "no thread");
	}
}

int
getmx_pool_add(void *pool, const char *domain)
{
	struct getmx_pool *p = pool;
	char *copy;

	if ((copy = strdup(domain)) == NULL)
		err(EX_TEMPFAIL, "%s", domain);
	(void)pthread_mutex_lock(&p->lock);
	while (p->added - p->printed == JOBS)
		(void)pthread_cond_wait(&p->room, &p->lock);
	add_thread(p);
	p->job[p->added++ % JOBS].domain = copy;
	(void)pthread_cond_signal(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	return EX_OK;
}

int
getmx_pool_end(struct getmx_pool *p)
{
	size_t i;
	int worst;

	(void)pthread_mutex_lock(&p->lock);
	p->closed = 1;
	(void)pthread_cond_broadcast(&p->more);
	(void)pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->nthreads; i++)
		(void)pthread_join(p->thread[i], NULL);
	worst = p->worst;
	(void)pthread_cond_destroy(&p->room);
	(void)pthread_cond_destroy(&p->more);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
	return worst;
}
