/* SPDX-License-Identifier: ISC */
/*
 * A network and mount namespace for a test; see netns.h.
 */
#include "config.h"

#include "netns.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESOLV_CONF	"/etc/resolv.conf"

static char conf[] = "/tmp/resolv.conf.XXXXXX";

static bool
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	size_t len = strlen(text);
	bool good;

	if (fd == -1)
		return false;
	good = write(fd, text, len) == (ssize_t)len;
	return close(fd) == 0 && good;
}

static bool
map_ids(uid_t uid, gid_t gid)
{
	char text[64];

	(void)put_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", (unsigned int)uid);
	if (!put_file("/proc/self/uid_map", text))
		return false;
	snprintf(text, sizeof(text), "0 %u 1", (unsigned int)gid);
	return put_file("/proc/self/gid_map", text);
}

static bool
enter_namespace(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0)
		return map_ids(uid, gid);
	return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0;
}

/* lo goes up and gets, beside 127.0.0.1, an address that is no loopback. */
static bool
set_network(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool good;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	good = fd != -1 && ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
	memcpy(ifr.ifr_name, "lo:1", 5);
	sin.sin_addr.s_addr = htonl(0xc0000235);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	good = good && ioctl(fd, SIOCSIFADDR, &ifr) == 0;
	close(fd);
	return good;
}

static bool
set_mounts(void)
{
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount(conf, RESOLV_CONF, NULL, MS_BIND, NULL) == 0;
}

const char *
netns_enter(void)
{
	int fd = mkstemp(conf);

	if (fd == -1)
		return "no temporary file";
	(void)close(fd);
	if (!enter_namespace())
		return "no namespaces here";
	if (!set_network())
		return "no network in the namespace";
	if (!set_mounts())
		return RESOLV_CONF " cannot be mounted over";
	return NULL;
}

bool
netns_resolvconf(const char *text)
{
	return put_file(RESOLV_CONF, text);
}

void
netns_leave(void)
{
	(void)unlink(conf);
}
