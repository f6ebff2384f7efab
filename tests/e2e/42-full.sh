#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The file system of the spool is full.  A message whose recipients fare
# differently is not tried before there is room to write that down, or who
# has it would get it again.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
two	MX	10 b
END
dns_start

# fill: until nothing more goes in.  The file system has 4 MB.
fill()
{
	dd if=/dev/zero of="$SPOOL/filler" bs=64k count=100 2> /dev/null
	dd if=/dev/zero of="$SPOOL/filler2" bs=512 count=1000 2> /dev/null
	[ "$(df --output=avail -k "$SPOOL" | tail -n 1)" -lt 4 ]
}
drain()
{
	rm -f "$SPOOL/filler" "$SPOOL/filler2"
}
# on KIND: the cases, on a file system that is mounted on $SPOOL now.
on()
{
	make_spool
	# Eight recipients: their records need more than one block.
	mail 1@one.example 2@one.example 3@one.example 4@one.example \
	    5@two.example 6@two.example 7@two.example 8@two.example
	run			# no server listens
	check "$1: it waits" is "$(queued) $(drop_count)" "1 0"
	# as if room had not been reserved already
	log=$(ls "$SPOOL"/queue/*.log)
	cp -p "$log" "$SPOOL/copy" && mv "$SPOOL/copy" "$log"
	mx_start a=192.0.2.11 b=192.0.2.12
	rm -f "$SPOOL"/host/*	# the runner would, and so make room
	check "$1: the disk is full" fill
	: > $T/log/runner
	flush
	check "$1: nobody was tried" is "$(mx_total)" 0
	check "$1: the log says why" has "$(runner_log)" \
	    'no room in the spool to record the outcome of several recipients'
	check "$1: so does mailq" has "$(mailq)" '4\.3\.1 the disk is full'
	check "$1: and its JSON" eval 'mailq -j | json "
	    d[\"recipients\"][0][\"dsn\"] == \"4.3.1\""'
	drain
	run
	check "$1: with room it arrives, once" is "$(mx_who)" "a:1 b:1"
	check "$1: and nothing is left" is \
	    "$(find "$SPOOL/queue" "$SPOOL/drop" -type f | wc -l)" 0

	# A message that is not picked up yet.
	mx_clear
	mail u@one.example
	fill
	: > $T/log/runner
	run
	check "$1: a full disk takes no new copy" is "$(mx_total) $(drop_count)" \
	    "0 1"
	check "$1: the log says that, too" has "$(runner_log)" \
	    'no room in the spool to pick up a message'
	drain
	run
	check "$1: with room it arrives" is "$(mx_who) $(drop_count)" "a:1 0"

	# One has it, the other waits: the record was written.
	mx_clear
	mail u@one.example later@one.example
	run
	fill
	flush
	flush
	check "$1: who has it does not get it again" is "$(mx_who)" a:1
	mx_stop a b
	drain
	mx_clear
}

mount -t tmpfs -o mode=755,size=4m tmpfs "$SPOOL" || skip_all "no tmpfs"
on tmpfs
umount "$SPOOL"

if command -v mkfs.ext4 > /dev/null && truncate -s 4M $T/image &&
    mkfs.ext4 -q -m 0 $T/image > $T/log/mkfs 2>&1 &&
    mount -o loop $T/image "$SPOOL" 2>> $T/log/mkfs; then
	on ext4
	umount "$SPOOL"
else
	skip "ext4" "no loop device here"
fi

finish
